/**
 * How far ahead of the clock an SCN may lie, in milliseconds (10 minutes): a build refuses to go
 * further, a host waits until the time comes.
 */
export const DEFAULT_FUTURE_TOLERANCE_MS: number = 10 * 60_000;

/** How long a module without an info file must stand still before it is loaded, in milliseconds. */
export const DEFAULT_BARE_SETTLE_MS: number = 2_000;

/** When a lock whose builder can't be asked counts as left by a dead build, in milliseconds. */
export const DEFAULT_STALE_LOCK_MS: number = 60 * 60_000;

/** The first pause before a passing failure is tried again, in milliseconds. */
export const DEFAULT_RETRY_MIN_MS: number = 1_000;

/** The longest pause before a passing failure is tried again, in milliseconds. */
export const DEFAULT_RETRY_MAX_MS: number = 5 * 60_000;

/** The largest module that is built or loaded, in bytes after decompression (64 MiB). */
export const DEFAULT_MAX_MODULE_BYTES: number = 64 * 1024 * 1024;

/** The largest info file, in bytes (1 MiB). */
export const MAX_INFO_BYTES: number = 1024 * 1024;

/** The longest plugin name, in characters. */
export const MAX_PLUGIN_NAME_LENGTH: number = 64;

/** The longest version, in characters: with it, every file name stays below what disks take. */
export const MAX_VERSION_LENGTH: number = 64;

/** The longest file name that is looked at, in characters. */
export const MAX_FILE_NAME_LENGTH: number = 200;
