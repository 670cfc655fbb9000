import { setTimeout as delay } from "node:timers/promises";
import { NAMESPACES, PODS } from "../src/api/generated/resources.ts";
import type { Client } from "../src/client/client.ts";
import { within } from "./deadline.ts";

const LOOK_EVERY_MS = 100;
const PATIENCE_MS = 60_000;

/**
 * Removes a namespace after its pods, and waits until their node has none of them left: pods that
 * are deleted with no grace are gone from the API at once, but their processes may take two
 * seconds more, which would be those of the next measurement. @throws Error after a minute
 */
export async function removeNamespace(client: Client, namespace: string): Promise<void> {
  await client.for(PODS).deleteCollection({ namespace, gracePeriodSeconds: 1 });
  await within(podsGone(client, namespace), { ms: PATIENCE_MS, what: "the end of the pods" });
  await client.for(NAMESPACES).delete({ name: namespace });
}

async function podsGone(client: Client, namespace: string): Promise<void> {
  while ((await client.for(PODS).list({ namespace })).items.length > 0) await delay(LOOK_EVERY_MS);
}
