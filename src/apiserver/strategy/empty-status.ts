const NO_SYSTEM = {
  machineID: "",
  systemUUID: "",
  bootID: "",
  kernelVersion: "",
  osImage: "",
  containerRuntimeVersion: "",
  kubeletVersion: "",
  kubeProxyVersion: "",
  operatingSystem: "",
  architecture: "",
};

/** What is in a status that says nothing, by "group/plural"; of most kinds nothing is. */
const EMPTY_STATUSES: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  "/nodes": { daemonEndpoints: { kubeletEndpoint: { Port: 0 } }, nodeInfo: NO_SYSTEM },
  "/replicationcontrollers": { replicas: 0 },
  "/services": { loadBalancer: {} },
  "apps/daemonsets": {
    currentNumberScheduled: 0,
    numberMisscheduled: 0,
    desiredNumberScheduled: 0,
    numberReady: 0,
  },
  "apps/replicasets": { replicas: 0 },
  "apps/statefulsets": { replicas: 0, availableReplicas: 0 },
  "autoscaling/horizontalpodautoscalers": { desiredReplicas: 0 },
  "networking.k8s.io/ingresses": { loadBalancer: {} },
  "policy/poddisruptionbudgets": {
    disruptionsAllowed: 0,
    currentHealthy: 0,
    desiredHealthy: 0,
    expectedPods: 0,
  },
};

/** Fields that a status always has; `undefined` where there are none. */
export function emptyStatusOf(resource: {
  group: string;
  plural: string;
}): Readonly<Record<string, unknown>> | undefined {
  return EMPTY_STATUSES[`${resource.group}/${resource.plural}`];
}
