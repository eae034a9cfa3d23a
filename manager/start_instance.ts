import { HotplugError } from "../artifact/mod.ts";
import { startInline } from "./inline_tier.ts";
import type { Instance, InstanceRequest } from "./instance.ts";

/** Starts a module in the tier that its settings name. */
export async function startInstance(request: InstanceRequest): Promise<Instance> {
  const { tier } = request.settings;
  switch (tier) {
    case "inline":
      return await startInline(request);
    case "worker":
    case "process":
      throw new HotplugError("unsupported", `Cannot open "${request.location.file}" in a ${tier}`);
    default:
      return tier satisfies never;
  }
}
