/**
 * Places where an agent can be made to die in tests, in the order in which a container comes to
 * them: after each step that leaves something in the kernel or on disk. Whoever adds such a step
 * adds its place; the crash test goes through all of them.
 */
export const FAILPOINTS = [
  "mounts-held",
  "group-spare",
  "monitor-begun",
  "container-expected",
  "sandbox-users",
  "group-taken",
  "sandbox-cgroup",
  "sandbox-namespaces",
  "sandbox-record",
  "container-group-taken",
  "container-layers",
  "container-root",
  "container-config",
  "container-record",
  "container-cgroup",
  "container-monitor",
  "container-created",
  "container-let-go",
  "container-released",
  "container-started",
  "exec-begun",
  "stop-signal",
  "container-cgroup-removed",
  "container-root-removed",
  "container-removed",
  "sandbox-containers-removed",
  "sandbox-mounts-removed",
  "sandbox-cgroup-removed",
  "sandbox-removed",
] as const;

/** The same for what gVisor needs besides: the kernel of a pod, and a container on it. */
export const GVISOR_FAILPOINTS = [
  "release-known",
  "kernel-gofer",
  "kernel-known",
  "kernel-starting",
  "kernel-started",
  "waiter-prepared",
  "container-gofer",
  "kernel-has-container",
  "kernel-runs-container",
  "waiter-told",
  "container-known",
  "kernel-lost-container",
  "container-forgotten",
] as const;

/** Name of such a place. */
export type FailpointName = (typeof FAILPOINTS | typeof GVISOR_FAILPOINTS)[number];

/** Called at each place; does nothing but in tests. */
export type Failpoint = (name: FailpointName) => void;
