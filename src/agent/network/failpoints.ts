/**
 * Places where an agent can be made to die in tests, in the order in which the network of a pod
 * comes to them: after each step that leaves something in the kernel or on disk.
 */
export const NETWORK_FAILPOINTS = [
  "network-namespace",
  "network-link",
  "network-inside",
  "network-routes",
  "network-spare",
  "network-adopted",
  "network-record",
  "network-namespace-removed",
  "network-removed",
] as const;

/** Name of such a place. */
export type NetworkFailpointName = (typeof NETWORK_FAILPOINTS)[number];

/** Called at each place; does nothing but in tests. */
export type NetworkFailpoint = (name: NetworkFailpointName) => void;
