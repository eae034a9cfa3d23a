const OTHER_END = /[?#]/;

/**
 * The first segment of a URL's path, to the letter: the name of the plugin that the request is for, if it
 * is one's; undefined where there is no path.
 *
 * The URL is not parsed: that would normalise `/a/../b`, and take longer. Is the segment the one that is
 * likely, then it is that very string: whoever looks it up has no new one to hash.
 */
export function firstSegment(url: string, likely = ""): string | undefined {
  // Whoever asks may name a whole URL, of any scheme.
  const authority = url.indexOf("//") + 2;
  const begin = url.indexOf("/", authority) + 1;
  if (begin === 0) return undefined;
  if (url.startsWith(likely, begin) && url[begin + likely.length] === "/") return likely;
  // Most often a slash follows, or nothing.
  const end = url.indexOf("/", begin);
  const segment = end < 0 ? url.slice(begin) : url.slice(begin, end);
  return OTHER_END.test(segment) ? segment.slice(0, segment.search(OTHER_END)) : segment;
}
