/** Gives pods their network on this node. Survives a restart of the agent by `recover`. */
export interface PodNetwork extends AsyncDisposable {
  /** Address from which the node talks to its pods, and on which it answers them. */
  readonly gateway: string;
  /** Finds attached pods again; forgets and cleans those that are not in `podUids`. */
  recover(podUids: ReadonlySet<string>): Promise<void>;
  /** Creates namespace, interface, address and routes; idempotent per pod. */
  attach(request: AttachRequest): Promise<PodAttachment>;
  /**
   * A container is being made. Where no other waits for that, it is a moment in which to make what
   * another pod is going to be given, which takes 2 ms. Only a hint: where pods come together, what
   * was made ahead has to do, and the rest is made with them.
   */
  prepareNext(isAlone: boolean): void;
  /** Puts back what was taken from inside the pod's namespace; does nothing for unknown pods. */
  restore(podUid: string): void;
  /** Removes it all; idempotent. The kernel takes the interface away a moment later. */
  detach(podUid: string): Promise<void>;
  attachment(podUid: string): PodAttachment | undefined;
  /** What went through the pods' interfaces, as the pods see it, by pod UID. */
  counters(): ReadonlyMap<string, NetworkCounters>;
  /** Opens a TCP connection from inside the pod's namespace, for probes and port-forward. */
  connect(
    podUid: string,
    address: { host: string; port: number },
  ): Promise<import("node:net").Socket>;
}

/** Traffic of an interface since it was made. */
export interface NetworkCounters {
  receivedBytes: number;
  receivedPackets: number;
  receiveErrors: number;
  receiveDrops: number;
  sentBytes: number;
  sentPackets: number;
  sendErrors: number;
  sendDrops: number;
}

/** A pod that needs a network of its own. */
export interface AttachRequest {
  podUid: string;
  podName: string;
  podNamespace: string;
  hostPorts: readonly HostPort[];
  /** Its stack does not know the neighbours that its namespace knows, and asks the gateway. */
  asksForNeighbours?: boolean;
  /** A namespace that was made for it already; its own is made when absent. */
  namespacePath?: string;
}

/** A port of the node that leads to a port of the pod. */
export interface HostPort {
  hostIp?: string;
  hostPort: number;
  containerPort: number;
  protocol: "TCP" | "UDP" | "SCTP";
}

/** What the pod got. */
export interface PodAttachment {
  podUid: string;
  /** IPv4 in dotted form. */
  ip: string;
  /** Bind-mounted namespace file for the OCI spec. */
  networkNamespacePath: string;
}

/** Facts about the node's network that the rest of the agent needs. */
export interface NodeNetworkFacts {
  nodeIp: string;
  podCidr: string;
  /** ClusterIP of the DNS Service; pods' resolv.conf points there. */
  clusterDnsIp: string;
  clusterDomain: string;
}
