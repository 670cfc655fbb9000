import type { Endpoint, EndpointSlice } from "../../api/generated/types/discovery-v1.ts";
import type { ObjectReference } from "../../api/generated/types/core-v1.ts";
import { deepEqual } from "../../lib/deep-equal.ts";
import { fieldOf, type KubeObject } from "../kube-object.ts";

const HOSTNAME = "kubernetes.io/hostname";

/** Of the Secrets of an account the names alone count. */
export function keepSecretNames(account: KubeObject): void {
  const secrets = account["secrets"] as ObjectReference[] | undefined;
  if (secrets) account["secrets"] = secrets.map(({ name }) => (name ? { name } : {}));
}

/** Nodes are configured by files; only who had it may go on to name a ConfigMap. */
export function dropConfigSource(node: KubeObject, old?: KubeObject): void {
  if (old && fieldOf(old, "spec")["configSource"]) return;
  const spec = node["spec"] as Record<string, unknown> | undefined;
  delete spec?.["configSource"];
}

/** What `v1beta1` told of places is read-only in `v1`; a node's name moves to its own field. */
export function dropTopology(slice: KubeObject, old?: KubeObject): void {
  const endpoints = endpointsOf(slice);
  const before = old && endpointsOf(old);
  if (before && deepEqual(endpoints, before)) return;
  const known = new Set(before?.map((each) => each.deprecatedTopology?.[HOSTNAME]));
  for (const endpoint of endpoints) {
    const host = endpoint.deprecatedTopology?.[HOSTNAME];
    if (host && endpoint.nodeName === undefined && known.has(host)) endpoint.nodeName = host;
    delete endpoint.deprecatedTopology;
  }
}

function endpointsOf(slice: KubeObject): Endpoint[] {
  return (slice as unknown as EndpointSlice).endpoints ?? [];
}

/** A Service that is none of a balancer has no addresses of one. */
export function dropBalancer(service: KubeObject): void {
  if (fieldOf(service, "spec")["type"] === "LoadBalancer") return;
  service["status"] = { ...fieldOf(service, "status"), loadBalancer: {} };
}
