import type { InfoFile } from "./info_file.ts";

/** What the payload of an attestation is: an in-toto statement. */
export const STATEMENT_PAYLOAD_TYPE = "application/vnd.in-toto+json";

/** The version of in-toto's statement. */
const STATEMENT_TYPE = "https://in-toto.io/Statement/v1";

/** What the predicate is: an info file of format 1 without its attestation. */
const PREDICATE_TYPE = "https://jsr.io/@hotplug/hotplug/info/v1";

/**
 * Writes the in-toto statement about an artifact in its one canonical form: JSON without spaces, in
 * this order.
 *
 * https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md
 *
 * @param artifact What the statement is about: the file and its SHA-256
 * @param predicate All that the info file says but for its attestation
 */
export function formatStatement(artifact: InfoFile["artifact"], predicate: object): string {
  return JSON.stringify({
    _type: STATEMENT_TYPE,
    subject: [{ name: artifact.file, digest: { sha256: artifact.sha256 } }],
    predicateType: PREDICATE_TYPE,
    predicate,
  });
}
