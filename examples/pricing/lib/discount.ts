interface Step {
  readonly from: number;
  readonly percent: number;
}

const STEPS: readonly Step[] = [
  { from: 100, percent: 15 },
  { from: 10, percent: 5 },
];

/** Answers with the discount for a quantity, in percent. */
export function discountFor(quantity: number): number {
  return STEPS.find((step) => quantity >= step.from)?.percent ?? 0;
}
