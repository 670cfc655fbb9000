import { isOfDeadProcess, processIdentity } from "../scripts/process-identity.ts";
import { NAMESPACES } from "../src/api/generated/resources.ts";
import type { Client } from "../src/client/client.ts";
import { removeNamespace } from "./remove-namespace.ts";

/** Name of the namespace of this process: no other one's, on this machine. */
export function namespaceOf(bench: string): string {
  return `nephos-${bench}-${processIdentity()}`;
}

/**
 * Runs `work` with a namespace of this name, and removes it; those that benchmarks left which were
 * killed are removed first.
 */
export async function withNamespace<T>(
  client: Client,
  name: string,
  work: () => Promise<T>,
): Promise<T> {
  const { items } = await client.for(NAMESPACES).list({});
  for (const { metadata } of items) {
    const left = metadata?.name ?? "";
    if (/^nephos-[a-z]+-bench-/.test(left) && isOfDeadProcess(left) && !metadata?.deletionTimestamp)
      await removeNamespace(client, left);
  }
  await client.for(NAMESPACES).create({ metadata: { name } });
  try {
    return await work();
  } finally {
    await removeNamespace(client, name);
  }
}
