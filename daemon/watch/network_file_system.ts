import { statfs } from "node:fs/promises";

/** The numbers by which Linux tells file systems apart, of those that tell nothing of others' changes. */
const NETWORK: ReadonlyMap<number, string> = new Map([
  [0x6969, "nfs"],
  [0x517b, "smb"],
  [0xff534d42, "cifs"],
  [0xfe534d42, "smb2"],
  [0x01021997, "9p"],
  [0x5346414f, "afs"],
  [0x6b414653, "afs"],
  [0x00c36400, "ceph"],
  [0x73757245, "coda"],
  [0x65735546, "fuse"],
  [0x564c, "ncp"],
  [0x47504653, "gpfs"],
  [0x0bd00bd0, "lustre"],
  [0x7461636f, "ocfs2"],
  [0x01161970, "gfs2"],
  [0x786f4256, "vboxsf"],
  [0x6a656a63, "virtiofs"],
  [0xbacbacbc, "vmhgfs"],
]);

/**
 * The name of the network file system, or one that is shared with another machine, that a folder lies
 * on; undefined where it lies on none, or that can't be known: only Linux tells.
 */
export async function networkFileSystem(directory: string): Promise<string | undefined> {
  if (Deno.build.os !== "linux") return undefined;
  try {
    return networkName((await statfs(directory)).type);
  } catch {
    // What is the matter with it is told by who watches it.
    return undefined;
  }
}

/** The name of a network file system, by its number. */
export function networkName(type: number): string | undefined {
  // Some are negative as numbers of 32 bits.
  return NETWORK.get(type >>> 0);
}
