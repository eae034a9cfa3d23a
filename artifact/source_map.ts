/** The name under which a host places a module's source map, beside the module. */
export const PLACED_SOURCE_MAP: string = "plugin.mjs.map";

/**
 * The last line of a module's content. It is the same for every artifact: a link with the SCN in
 * it would change the content's digest with every build.
 */
export const SOURCE_MAP_LINK: string = `//# sourceMappingURL=${PLACED_SOURCE_MAP}`;
