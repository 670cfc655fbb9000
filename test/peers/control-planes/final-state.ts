import { setTimeout as delay } from "node:timers/promises";
import type { Transport } from "../../../src/api/transport.ts";
import { normalise } from "../differential/normalise.ts";

const POLL_MS = 500;
/** So long nothing may change. */
const QUIET_MS = 1_500;
const PATIENCE_MS = 30_000;

/** What is looked at, by "group/version/plural". */
const KINDS: readonly string[] = [
  "v1/configmaps",
  "v1/endpoints",
  "v1/pods",
  "v1/resourcequotas",
  "v1/serviceaccounts",
  "v1/services",
  "apps/v1/daemonsets",
  "apps/v1/deployments",
  "apps/v1/replicasets",
  "apps/v1/statefulsets",
  "apps/v1/controllerrevisions",
  "batch/v1/jobs",
  "batch/v1/cronjobs",
];

/** Objects of a namespace by kind, without what depends on the moment. */
export type FinalState = Record<string, unknown[]>;

/** The state of a namespace once nothing changes any more; what still changes is taken as it is. */
export async function finalStateOf(transport: Transport, namespace: string): Promise<FinalState> {
  const endMs = Date.now() + PATIENCE_MS;
  let state = await stateOf(transport, namespace);
  let sinceMs = Date.now();
  while (Date.now() - sinceMs < QUIET_MS && Date.now() < endMs) {
    await delay(POLL_MS);
    const now = await stateOf(transport, namespace);
    if (JSON.stringify(now) !== JSON.stringify(state)) sinceMs = Date.now();
    state = now;
  }
  return state;
}

async function stateOf(transport: Transport, namespace: string): Promise<FinalState> {
  const entries = KINDS.map(async (kind): Promise<[string, unknown[]]> => {
    const [first = "", ...rest] = kind.split("/");
    const plural = rest.at(-1) ?? "";
    const root = first === "v1" ? "/api/v1" : `/apis/${first}/${rest[0]}`;
    const path = `${root}/namespaces/${namespace}/${plural}`;
    const { body } = await transport.request({ method: "GET", path });
    const { items } = body as { items: object[] };
    return [kind, comparable(items)];
  });
  return Object.fromEntries(await Promise.all(entries));
}

/** In which order conditions came true is chance. */
function sortConditions(key: string, value: unknown): unknown {
  if (key !== "conditions" || !Array.isArray(value)) return value;
  return (value as { type: string }[]).toSorted((a, b) => (a.type < b.type ? -1 : 1));
}

/** Hashes are each implementation's own; who came first is chance. */
function comparable(items: readonly object[]): unknown[] {
  return items
    .map((item) => {
      const { apiVersion: _, kind: __, ...rest } = item as Record<string, unknown>;
      const metadata = {
        ...(rest["metadata"] as Record<string, unknown>),
        managedFields: undefined,
      };
      const text = JSON.stringify(normalise({ ...rest, metadata }, "{}"), sortConditions)
        .replace(/\b(web|db|agent)-[a-z0-9]{8,10}\b/g, "$1-<hash>")
        .replace(/(kubernetes\.io\/hash":)"[^"]*"/g, '$1"<hash>"')
        .replace(/(-hash":)"[^"]*"/g, '$1"<hash>"')
        .replace(/(Revision":)"[^"]*"/g, '$1"<hash>"')
        .replace(/\b10\.244\.\d+\.\d+\b/g, "<pod>")
        .replace(/"node-[ab]"/g, '"<node>"')
        .replace(/-----BEGIN CERTIFICATE[^"]*/g, "<certificate>")
        .replace(/(kube-api-access|default-token)-\w+/g, "$1-<random>");
      return text;
    })
    .sort()
    .map((text) => JSON.parse(text) as unknown);
}
