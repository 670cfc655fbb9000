/**
 * Places where an agent can be made to die in tests, in the order in which a container comes to
 * them: after each step that leaves something in the kernel or on disk. Whoever adds such a step
 * adds its place; the crash test goes through all of them.
 */
export const FAILPOINTS = [
  "container-expected",
  "sandbox-users",
  "sandbox-cgroup",
  "sandbox-namespaces",
  "sandbox-record",
  "container-root",
  "container-config",
  "container-record",
  "container-cgroup",
  "container-monitor",
  "container-created",
  "container-released",
  "container-started",
  "stop-signal",
  "container-cgroup-removed",
  "container-root-removed",
  "container-removed",
  "sandbox-containers-removed",
  "sandbox-removed",
] as const;

/** Name of such a place. */
export type FailpointName = (typeof FAILPOINTS)[number];

/** Called at each place; does nothing but in tests. */
export type Failpoint = (name: FailpointName) => void;
