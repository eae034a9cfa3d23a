import type * as v from "valibot";
import type { ControlWorld } from "./control_world.ts";

/** A method that a route takes. */
export type RouteMethod = "get" | "post" | "put" | "delete";

/** What a request says, checked. */
export interface RouteInput<Body = unknown, Query = unknown> {
  /** The parts of the path that the route leaves open, by name. */
  readonly path: Readonly<Record<string, string>>;
  /** What stands behind the question mark. */
  readonly query: Query;
  /** The body. */
  readonly body: Body;
  /** The headers. */
  readonly headers: Headers;
}

/** One thing that can be asked for: what the application does and what its document says of it. */
export interface ControlRoute<Body = unknown, Query = unknown> {
  /** The method. */
  readonly method: RouteMethod;
  /** The path, with `{name}` for what it leaves open. */
  readonly path: string;
  /** Its name in the document. */
  readonly id: string;
  /** What it does. */
  readonly summary: string;
  /** What may stand behind the question mark. */
  readonly query?: v.GenericSchema<unknown, Query> & { readonly entries: v.ObjectEntries };
  /** What the body says. */
  readonly body?: v.GenericSchema<unknown, Body>;
  /** What it answers with: JSON by this schema, or text of this media type. */
  readonly answer: v.GenericSchema | string;
  /** The statuses that it fails with, besides those of any route. */
  readonly fails?: readonly number[];
  /** Whether anybody may ask. */
  readonly open?: boolean;
  /** Does it: what is no `Response` is answered as JSON. */
  handle(world: ControlWorld, input: RouteInput<Body, Query>): unknown;
}

/** Gives a route with what it takes, whatever that is, the type of any. */
export function route<Body, Query>(it: ControlRoute<Body, Query>): ControlRoute {
  return it as unknown as ControlRoute;
}
