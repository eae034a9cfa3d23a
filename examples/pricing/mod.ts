/**
 * A plugin that prices an order: its symbol is `quote`, its hook is `activate`.
 *
 * @module
 */

import { Decimal } from "decimal.js";
import { discountFor } from "./lib/discount.ts";

/** What a customer asks the price of. */
export interface Order {
  /** The price of one piece, as a decimal text such as `19.99`. */
  readonly price: string;
  /** How many pieces. */
  readonly quantity: number;
}

/** The price of an order. */
export interface Quote {
  /** What it costs, with two decimals. */
  readonly total: string;
  /** The discount that is in it, in percent. */
  readonly discount: number;
  /** The currency, as its ISO code. */
  readonly currency: string;
}

/** What this plugin uses of the context that a host gives it. */
interface Context {
  readonly config?: { readonly currency?: string };
}

let currency = "EUR";

/** Prices an order; decimals, because binary fractions lose cents. */
export function quote(order: Order): Quote {
  const discount = discountFor(order.quantity);
  const total = new Decimal(order.price)
    .times(order.quantity)
    .times(new Decimal(100).minus(discount))
    .dividedBy(100);
  return { total: total.toFixed(2), discount, currency };
}

/** Called before the first call comes in. */
export function activate(context?: Context): void {
  currency = context?.config?.currency ?? currency;
}
