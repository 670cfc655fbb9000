/** A group-version and the Go package that declares it. */
export interface GroupVersionSource {
  short: string;
  group: string;
  version: string;
  goPath: string;
}

function api(short: string, group: string, version = "v1"): GroupVersionSource {
  return { short, group, version, goPath: `k8s.io/api/${short}/${version}` };
}

/** Every group-version read from Go, in the order in which the API lists them. */
export const GROUP_VERSIONS: readonly GroupVersionSource[] = [
  {
    short: "meta",
    group: "meta.k8s.io",
    version: "v1",
    goPath: "k8s.io/apimachinery/pkg/apis/meta/v1",
  },
  api("core", ""),
  api("events", "events.k8s.io"),
  api("authentication", "authentication.k8s.io"),
  api("authorization", "authorization.k8s.io"),
  api("autoscaling", "autoscaling", "v2"),
  api("autoscaling", "autoscaling", "v1"),
  api("batch", "batch"),
  api("certificates", "certificates.k8s.io"),
  api("networking", "networking.k8s.io"),
  api("policy", "policy"),
  api("rbac", "rbac.authorization.k8s.io"),
  api("storage", "storage.k8s.io"),
  api("admissionregistration", "admissionregistration.k8s.io"),
  api("scheduling", "scheduling.k8s.io"),
  api("coordination", "coordination.k8s.io"),
  api("node", "node.k8s.io"),
  api("discovery", "discovery.k8s.io"),
  api("flowcontrol", "flowcontrol.apiserver.k8s.io"),
  api("apps", "apps"),
  api("admission", "admission.k8s.io"),
  api("apidiscovery", "apidiscovery.k8s.io", "v2"),
];
