import { compareVersions, tryParseVersion, type Version } from "../../artifact/mod.ts";

/** The first version with `deno bundle`. */
export const BUNDLES_FROM = "2.4.0";

/** The first version of which it is known that what is missing is left to import, and no failure. */
const SPARES_FROM = "2.9.0";

/** Whether that version has `deno bundle`. */
export function canBundle(version: string): boolean {
  return isFrom(version, BUNDLES_FROM);
}

/** Whether that version bundles although something is missing that may be. */
export function sparesOptional(version: string): boolean {
  return isFrom(version, SPARES_FROM);
}

/**
 * Says which of the versions can be taken instead: the newest of each minor, and all those that
 * differ from the wanted one only in the patch.
 */
export function describeAvailable(versions: readonly string[], wanted: string): string {
  const usable = versions.map((text) => ({ text, version: tryParseVersion(text) }))
    .filter((each): each is { text: string; version: Version } =>
      each.version !== undefined && canBundle(each.text)
    )
    .sort((a, b) => compareVersions(b.version, a.version));
  const near = minorOf(tryParseVersion(wanted));
  const named = usable.filter(({ version }, index) =>
    minorOf(version) === near || minorOf(version) !== minorOf(usable[index - 1]?.version)
  );
  if (named.length === 0) return "there is none for this platform that can";
  return `there are ${named.map(({ text }) => text).join(", ")}` +
    (named.length < usable.length ? ", and others between" : "");
}

function isFrom(version: string, first: string): boolean {
  const [one, other] = [tryParseVersion(version), tryParseVersion(first)];
  return one !== undefined && other !== undefined && compareVersions(one, other) >= 0;
}

function minorOf(version: Version | undefined): string {
  return version === undefined ? "" : `${version.major}.${version.minor}`;
}
