export { claimNamesOf } from "./pod-claims.ts";

/** The provisioner of directories on a node's own disk, and the driver in the volumes it makes. */
export const LOCAL_PROVISIONER = "local.nephos.dev";

/** Set by the scheduler: the node for which a claim that waits for its first consumer is meant. */
export const SELECTED_NODE = "volume.kubernetes.io/selected-node";
