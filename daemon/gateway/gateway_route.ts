import { isPluginName } from "../../artifact/mod.ts";
import { noHost, noPlugin } from "./gateway_problem.ts";

const OTHER_END = /[?#]/;
/** No part of a host, and what parts a URL: it would put the path elsewhere. */
const NO_HOST = /[/?#\\@]/;

/**
 * Makes what finds, by a request's URL and its header `host`, which plugin it is for; where it is for none,
 * it answers with what to tell.
 *
 * Most often a request begins as the one before: then nothing is looked for, and the name is that very
 * string: whoever looks it up has no new one to hash.
 *
 * Of a request's URL only the host may be rubbish, and of that it can't be told any more, from the URL, where
 * it ends. What can't be parsed is nobody's to answer: a plugin that parses it would fail, and be taken back
 * for what anybody can send.
 */
export function router(): (url: string, host: string | null) => string | Response {
  let origin: string | undefined;
  let last = "";
  let beginning: string | undefined;
  return (url, host) => {
    if (host !== null && NO_HOST.test(host)) return noHost();
    if (beginning !== undefined && url.startsWith(beginning)) return last;
    const name = firstSegment(url);
    if (name === undefined || !isPluginName(name)) return noPlugin();
    const own = originOf(url);
    if (own !== origin && !isOrigin(own)) return noHost();
    origin = own;
    last = name;
    beginning = `${own}${name}/`;
    return name;
  };
}

function isOrigin(own: string): boolean {
  return !NO_HOST.test(own.slice(own.indexOf("//") + 2, -1)) && URL.canParse(own);
}

/** All before a URL's path, with its slash: a longer host or port begins with a shorter one. */
function originOf(url: string): string {
  return url.slice(0, url.indexOf("/", url.indexOf("//") + 2) + 1);
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
