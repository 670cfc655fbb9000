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
  "discovery.k8s.io/v1/endpointslices",
  "policy/v1/poddisruptionbudgets",
];
/** Told in an order that means something; who told of a ReplicaSet's many pods first does not. */
const TOLD_OF: readonly string[] = ["Deployment", "StatefulSet", "Job", "CronJob"];

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
    const looked = plural === "endpointslices" ? items.map(sliceOf) : items;
    return [kind, comparable(looked)];
  });
  const state = Object.fromEntries<unknown[]>(await Promise.all(entries));
  return { ...state, events: await eventsOf(transport, namespace) };
}

interface Told {
  metadata: { name: string };
  involvedObject: { kind: string; name: string };
  type: string;
  reason: string;
  message: string;
}

/** What was told of each workload, once and in order: names of events end in their time. */
async function eventsOf(transport: Transport, namespace: string): Promise<unknown[]> {
  const path = `/api/v1/namespaces/${namespace}/events`;
  const { body } = await transport.request({ method: "GET", path });
  const stamp = ({ metadata }: Told) => metadata.name.slice(metadata.name.lastIndexOf(".") + 1);
  const all = (body as { items: Told[] }).items
    .filter(({ involvedObject }) => TOLD_OF.includes(involvedObject.kind))
    .toSorted((a, b) => (stamp(a) < stamp(b) ? -1 : 1));
  const byObject = new Map<string, Set<string>>();
  for (const { involvedObject: of, type, reason, message } of all) {
    const key = `${of.kind}/${of.name}`;
    // A name that is not free yet is no news: who looks sooner meets it.
    if (message.includes("please try again")) continue;
    // Nor is a pod that was gone already: who looks later meets it.
    if (reason === "FailedDelete" && message.endsWith("not found")) continue;
    const told = byObject.get(key) ?? new Set();
    // Since 1.30 the number before is told, too.
    const words = message.replace(/(Scaled (?:up|down) .*) from \d+ to /, "$1 to ");
    byObject.set(key, told.add(`${type} ${reason}: ${words}`));
  }
  const told = [...byObject].map(([object, texts]) => ({ object, told: [...texts] }));
  return comparable(told.toSorted((a, b) => (a.object < b.object ? -1 : 1)));
}

/** Where an endpoint is was said in other words before discovery.k8s.io/v1. */
function sliceOf(slice: object): object {
  const { endpoints, metadata } = slice as {
    endpoints?: Record<string, unknown>[] | null;
    metadata: Record<string, unknown>;
  };
  const places = (endpoints ?? [])
    .map((endpoint) => ({ ...endpoint, topology: undefined, nodeName: undefined }))
    .toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  // How many writes it took is chance.
  return { ...slice, metadata: { ...metadata, generation: undefined }, endpoints: places };
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
        .replace(/\beach-\d+\b/g, "each-<time>")
        .replace(/\b10\.244\.\d+\.\d+\b/g, "<pod>")
        .replace(/"node-[ab]"/g, '"<node>"')
        .replace(/-----BEGIN CERTIFICATE[^"]*/g, "<certificate>")
        .replace(/(kube-api-access|default-token)-\w+/g, "$1-<random>");
      return text;
    })
    .sort()
    .map((text) => JSON.parse(text) as unknown);
}
