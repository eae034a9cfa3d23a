/**
 * Makes what tells whether a URL can be parsed; of a request's, only the host may be rubbish, and only that
 * is looked at. Most often it is the one before, and then nothing is parsed.
 *
 * What can't be is nobody's to answer: a plugin that parses it would fail, and be taken back for what anybody
 * can send.
 */
export function addressCheck(): (url: string) => boolean {
  let before: string | undefined;
  return (url) => {
    if (before !== undefined && url.startsWith(before)) return true;
    const origin = originOf(url);
    if (!URL.canParse(origin)) return false;
    before = origin;
    return true;
  };
}

/** All before a URL's path, with its slash: a longer host or port begins with a shorter one. */
export function originOf(url: string): string {
  return url.slice(0, url.indexOf("/", url.indexOf("//") + 2) + 1);
}
