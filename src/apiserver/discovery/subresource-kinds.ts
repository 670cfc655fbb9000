/** How discovery describes a subresource. */
export interface SubresourceFacts {
  /** Kind of its body where that is not the parent's. */
  kind?: { group: string; version: string; kind: string };
  verbs: readonly string[];
}

const GET_PATCH_UPDATE = ["get", "patch", "update"];
const CONNECT = ["create", "get"];
const PROXY = ["create", "delete", "get", "patch", "update"];

function core(kind: string): { group: string; version: string; kind: string } {
  return { group: "", version: "v1", kind };
}

const FACTS: Readonly<Record<string, SubresourceFacts>> = {
  "pods/attach": { kind: core("PodAttachOptions"), verbs: CONNECT },
  "pods/exec": { kind: core("PodExecOptions"), verbs: CONNECT },
  "pods/portforward": { kind: core("PodPortForwardOptions"), verbs: CONNECT },
  "pods/proxy": { kind: core("PodProxyOptions"), verbs: PROXY },
  "pods/log": { verbs: ["get"] },
  "pods/binding": { kind: core("Binding"), verbs: ["create"] },
  "pods/eviction": {
    kind: { group: "policy", version: "v1", kind: "Eviction" },
    verbs: ["create"],
  },
  "services/proxy": { kind: core("ServiceProxyOptions"), verbs: PROXY },
  "nodes/proxy": { kind: core("NodeProxyOptions"), verbs: PROXY },
  "namespaces/finalize": { verbs: ["update"] },
  "serviceaccounts/token": {
    kind: { group: "authentication.k8s.io", version: "v1", kind: "TokenRequest" },
    verbs: ["create"],
  },
};

/** Facts of "pods/log" and the like; what is not listed is read and written as its parent. */
export function subresourceFacts(plural: string, subresource: string): SubresourceFacts {
  if (subresource === "scale") {
    return {
      kind: { group: "autoscaling", version: "v1", kind: "Scale" },
      verbs: GET_PATCH_UPDATE,
    };
  }
  return FACTS[`${plural}/${subresource}`] ?? { verbs: GET_PATCH_UPDATE };
}
