/**
 * The symbol under which the runtime keeps something of an object, by its description; undefined where it has
 * none of that name. Deno's own knowledge of requests, answers and streams is had by these alone.
 */
export function runtimeSymbol(object: object, description: string): symbol | undefined {
  return Object.getOwnPropertySymbols(object).find((each) => each.description === description);
}
