/**
 * As whom a node's network reads Services, their endpoints and all nodes: kube-proxy's user, to
 * whom the role `system:node-proxier` is bound. The node itself may not.
 */
export const NETWORK_USER = "system:kube-proxy";

/** File in a node's state directory with the kubeconfig of that user. */
export const NETWORK_KUBECONFIG = "network.kubeconfig";
