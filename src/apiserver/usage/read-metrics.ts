import { notFound } from "../../api/errors.ts";
import { NODE_METRICS, NODES, POD_METRICS, PODS } from "../../api/generated/resources.ts";
import { storageNameOf } from "../../api/resource.ts";
import type { Engine } from "../engine.ts";
import { fieldOf, keyOf, type KubeObject, textOf } from "../kube-object.ts";
import type { Answer, Call } from "../rest/call.ts";
import { selectionOf } from "../rest/selection-of.ts";
import { CachedObject } from "../watch-cache/cached-object.ts";
import { nodeMetrics, podMetrics } from "./metrics-objects.ts";
import type { UsageWindow } from "./usage-sampler.ts";

const NODE_STORAGE = storageNameOf(NODE_METRICS);
const POD_STORAGE = storageNameOf(POD_METRICS);

/** Whether objects of this storage are made from what the agents measure now. */
export function isMetrics(storage: string): boolean {
  return storage === NODE_STORAGE || storage === POD_STORAGE;
}

/** GET of metrics.k8s.io: nothing is stored, the nodes concerned are asked. */
export async function readMetrics(engine: Engine, call: Call): Promise<Answer> {
  const { served, target } = call;
  const kind = served.storage === NODE_STORAGE ? OF_NODES : OF_PODS;
  const selection = selectionOf(call);
  const source = engine.registry.of(kind.source);
  const wanted = (source?.cache.keys(target.namespace ? `${target.namespace}/` : "") ?? [])
    .filter((key) => selection.coversKey(key))
    .flatMap((key) => source?.cache.get(key) ?? []);
  const objects = wanted.map((object) => object.object());
  const windows = await engine.usage.read(objects.map(kind.nodeOf).filter((name) => name !== ""));
  const revision = source?.cache.revision ?? 0;
  const items = objects.flatMap((object) => {
    const window = windows.get(kind.nodeOf(object));
    const metrics = window && kind.metrics(object, window);
    if (!metrics) return [];
    const { namespace, name = "" } = object.metadata;
    const bytes = Buffer.from(JSON.stringify(metrics));
    const item = new CachedObject(keyOf(namespace, name), revision, bytes);
    return selection.matches(item) ? [item] : [];
  });
  if (target.name === undefined) {
    return { kind: "list", status: 200, served, list: { items, revision } };
  }
  const [object] = items;
  if (!object) throw notFound(served.resource, target.name);
  return { kind: "object", status: 200, served, object };
}

interface MetricsKind {
  /** What the objects tell about. */
  source: typeof NODES | typeof PODS;
  nodeOf(object: KubeObject): string;
  metrics(object: KubeObject, window: UsageWindow): object | undefined;
}

const OF_NODES: MetricsKind = {
  source: NODES,
  nodeOf: (node) => node.metadata.name ?? "",
  metrics: nodeMetrics,
};

const OF_PODS: MetricsKind = {
  source: PODS,
  nodeOf: (pod) =>
    fieldOf(pod, "status")["phase"] === "Running" ? textOf(fieldOf(pod, "spec")["nodeName"]) : "",
  metrics: podMetrics,
};
