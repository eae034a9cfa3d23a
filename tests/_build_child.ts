import { build } from "../builder/mod.ts";

// A build in a process of its own: `source dest [umask]`; prints the SCN.
const [source = "", dest = "", umask] = Deno.args;
if (umask !== undefined) Deno.umask(parseInt(umask, 8));
const { scn } = await build({ source, dest, check: false });
await Deno.stdout.write(new TextEncoder().encode(String(scn)));
