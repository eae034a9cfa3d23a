import type { Connection, Pong } from "../../plugin/mod.ts";
import { limited } from "../limited.ts";

/** What has come while this side was busy itself is read within this time, in milliseconds. */
const READING = 100;

/**
 * Asks a process or worker for a sign of life; that may come after all that it was asked before. As long as
 * it says anything it is not given up.
 *
 * @throws {HotplugError} `deadline` where nothing came of it for so long, in milliseconds; else as the
 * connection ended.
 */
export async function ping(connection: Connection, silence: number): Promise<Pong> {
  let heard = connection.heard;
  let isLast = false;
  const extra = (): number => {
    const isSilent = connection.heard === heard;
    if (isSilent && isLast) return 0;
    heard = connection.heard;
    isLast = isSilent;
    return isSilent ? READING : silence;
  };
  const answer = connection.call("ping") as Promise<Pong>;
  return await limited(answer, { deadline: silence, extra }, "ping");
}
