/** A port of a Service and the endpoints behind it: what the rules are made of. */
export interface ServicePort {
  /** "namespace/name:port", for names and comments. */
  id: string;
  protocol: "TCP" | "UDP" | "SCTP";
  port: number;
  /** ClusterIPs; empty for a headless Service. */
  virtualIps: readonly string[];
  /** Addresses by which strangers come, beside the nodes' own: external and balanced ones. */
  externalIps?: readonly string[];
  balancedIps?: readonly string[];
  /** The only networks ("192.0.2.0/24") that may use `balancedIps`; absent: all may. */
  sourceRanges?: readonly string[];
  nodePort?: number;
  /** "ip:port" of every usable endpoint. */
  endpoints: readonly ServiceEndpoint[];
  /** Those on this node, when the traffic policy is Local; else absent. */
  localExternalEndpoints?: readonly ServiceEndpoint[];
  localInternalEndpoints?: readonly ServiceEndpoint[];
  /** Seconds that a client sticks to its endpoint; absent without session affinity. */
  affinitySeconds?: number;
}

/** A pod's address and port. */
export interface ServiceEndpoint {
  ip: string;
  port: number;
}
