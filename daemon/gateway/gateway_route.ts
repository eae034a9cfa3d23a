import { isPluginName } from "../../artifact/mod.ts";
import { addressCheck, originOf } from "./gateway_address.ts";
import { noHost, noPlugin } from "./gateway_problem.ts";

const OTHER_END = /[?#]/;

/**
 * Makes what finds, by a request's URL, which plugin it is for; where it is for none, it answers with what
 * to tell.
 *
 * Most often a request begins as the one before: then nothing is looked for, and the name is that very
 * string: whoever looks it up has no new one to hash.
 */
export function router(): (url: string) => string | Response {
  const isAddressed = addressCheck();
  let last: string | undefined;
  let beginning = "";
  return (url) => {
    if (last !== undefined && url.startsWith(beginning)) return last;
    const name = firstSegment(url);
    if (name === undefined || !isPluginName(name)) return noPlugin();
    if (!isAddressed(url)) return noHost();
    last = name;
    beginning = `${originOf(url)}${name}/`;
    return name;
  };
}

/**
 * The first segment of a URL's path, to the letter: the name of the plugin that the request is for, if it
 * is one's; undefined where there is no path.
 *
 * The URL is not parsed: that would normalise `/a/../b`, and take longer.
 */
export function firstSegment(url: string): string | undefined {
  // Whoever asks may name a whole URL, of any scheme.
  const authority = url.indexOf("//") + 2;
  const begin = url.indexOf("/", authority) + 1;
  if (begin === 0) return undefined;
  // Most often a slash follows, or nothing.
  const end = url.indexOf("/", begin);
  const segment = end < 0 ? url.slice(begin) : url.slice(begin, end);
  return OTHER_END.test(segment) ? segment.slice(0, segment.search(OTHER_END)) : segment;
}
