/**
 * Fields of a `KubeletConfiguration` that say what Nephos decides elsewhere, or has no part for.
 * They are accepted, so that an existing file can be used, and named in a warning.
 */
export const FIELDS_WITHOUT_EFFECT: readonly string[] = [
  "address",
  "authentication",
  "authorization",
  "cgroupDriver",
  "cgroupRoot",
  "clusterDNS",
  "clusterDomain",
  "configMapAndSecretChangeDetectionStrategy",
  "containerLogMaxWorkers",
  "containerRuntimeEndpoint",
  "contentType",
  "cpuManagerReconcilePeriod",
  "enableContentionProfiling",
  "enableControllerAttachDetach",
  "enableDebugFlagsHandler",
  "enableDebuggingHandlers",
  "enableProfilingHandler",
  "enableSystemLogHandler",
  "enableSystemLogQuery",
  "eventBurst",
  "eventRecordQPS",
  "failCgroupV1",
  "failSwapOn",
  "featureGates",
  "fileCheckFrequency",
  "hairpinMode",
  "healthzBindAddress",
  "healthzPort",
  "httpCheckFrequency",
  "imageServiceEndpoint",
  "iptablesDropBit",
  "iptablesMasqueradeBit",
  "kernelMemcgNotification",
  "kubeAPIBurst",
  "kubeAPIQPS",
  "kubeletCgroups",
  "localStorageCapacityIsolation",
  "logging",
  "makeIPTablesUtilChains",
  "maxOpenFiles",
  "memoryThrottlingFactor",
  "oomScoreAdj",
  "podCIDR",
  "port",
  "protectKernelDefaults",
  "qosReserved",
  "resolvConf",
  "rotateCertificates",
  "runtimeRequestTimeout",
  "seccompDefault",
  "serverTLSBootstrap",
  "showHiddenMetricsForVersion",
  "syncFrequency",
  "systemCgroups",
  "tlsCertFile",
  "tlsCipherSuites",
  "tlsMinVersion",
  "tlsPrivateKeyFile",
  "volumePluginDir",
  "volumeStatsAggPeriod",
];

/** A value that asks for what does not exist here, and why it cannot be passed over in silence. */
export interface Refusal {
  field: string;
  /** The values that can be had; anything else is refused. */
  allowed: readonly unknown[];
  why: string;
}

/** Fields of which only some values can be honoured. */
export const REFUSALS: readonly Refusal[] = [
  {
    field: "cgroupsPerQOS",
    allowed: [true],
    why: "must be true: pods always lie in groups by their QoS class",
  },
  {
    field: "enableServer",
    allowed: [true],
    why: "must be true: the API server reaches pods by it",
  },
  {
    field: "memoryManagerPolicy",
    allowed: ["None"],
    why: 'must be "None": memory is not pinned to NUMA nodes',
  },
  {
    field: "readOnlyPort",
    allowed: [0],
    why: "must be 0: figures are served with authentication only",
  },
  { field: "registerNode", allowed: [true], why: "must be true: the agent makes its own Node" },
  { field: "runOnce", allowed: [false], why: "must be false: pods are followed until the end" },
  { field: "singleProcessOOMKill", allowed: [false], why: "must be false: it is not built" },
  {
    field: "staticPodURL",
    allowed: [""],
    why: "must be empty: static pods come from files; see staticPodPath",
  },
];

/** Fields that lists or maps which must be empty. */
export const MUST_BE_EMPTY: readonly { field: string; why: string }[] = [
  { field: "crashLoopBackOff", why: "must be empty: waits are those of upstream's defaults" },
  { field: "memorySwap", why: "must be empty: pods get no swap" },
  { field: "reservedMemory", why: "must be empty: memory is not pinned to NUMA nodes" },
  { field: "staticPodURLHeader", why: "must be empty: static pods come from files" },
  { field: "topologyManagerPolicyOptions", why: "must be empty: the policies have no options" },
];
