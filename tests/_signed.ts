import {
  generateKeyPair,
  type InfoFile,
  parsePublicKeys,
  parseSigningKey,
  type PublicKey,
  sha256,
  type SigningKey,
} from "../artifact/mod.ts";

/** A pair of keys, read. */
export interface TestKeys {
  readonly id: string;
  /** As texts, to be given to options and written to files. */
  readonly publicKey: string;
  readonly privateKey: string;
  /** As a list: what a host trusts. */
  readonly trusted: readonly PublicKey[];
  readonly signer: SigningKey;
}

/** Makes a pair of keys; with an id of its own as JWK, else as PEM. */
export async function testKeys(id?: string): Promise<TestKeys> {
  const pair = await generateKeyPair(id === undefined ? {} : { id });
  return {
    ...pair,
    trusted: parsePublicKeys(pair.publicKey),
    signer: parseSigningKey(pair.privateKey),
  };
}

/** What an info file says that has all there is, but for an attestation. */
export const FULL_INFO: InfoFile = {
  format: 1,
  name: "pricing",
  scn: 20240101000000,
  mode: "module",
  runtime: { version: "2.9.5", os: "any", arch: "any" },
  artifact: {
    file: "pricing_20240101000000_2_9_5_any_any.mjs.gz",
    size: 812,
    sha256: sha256("packed"),
    compression: "gzip",
  },
  content: { size: 2110, sha256: sha256("content") },
  sourceMap: { file: "pricing_20240101000000_2_9_5_any_any.mjs.map", sha256: sha256("map") },
  exports: ["default", "quote", "Übergabe"],
  hooks: ["activate"],
  imports: ["node:crypto", "node:fs"],
  optional: ["bufferutil"],
  requires: { contract: "pricing/2" },
  permissions: { env: true, net: ["api.example.com:443"] },
  source: { sha256: sha256("source") },
  builtAt: "2024-01-01T00:00:00.000Z",
  builtWith: "tests",
};
