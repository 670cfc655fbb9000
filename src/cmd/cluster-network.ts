import { formatIpv4, parseCidr } from "../lib/ipv4.ts";

/** Address ranges of a cluster and the addresses that follow from them. */
export interface ClusterNetwork {
  clusterCidr: string;
  serviceCidr: string;
  clusterDomain: string;
  /** First address of the Service range: `default/kubernetes`. */
  apiServerIp: string;
  /** Tenth address of the Service range: `kube-system/kube-dns`. */
  dnsIp: string;
  /** Range of `nodeIp`. */
  nodeCidr: string;
  /** Address of a further node of this machine; `index` counts from 1. */
  nodeIp(index: number): string;
}

/** @throws RangeError for a range that is malformed or too small */
export function planClusterNetwork(options: {
  clusterCidr: string;
  serviceCidr: string;
  clusterDomain: string;
}): ClusterNetwork {
  const services = parseCidr(options.serviceCidr);
  const pods = parseCidr(options.clusterCidr);
  if (services.size < 256) {
    throw new RangeError(`service range "${options.serviceCidr}" must be /24 or larger`);
  }
  if (pods.size < 1024) {
    throw new RangeError(`cluster range "${options.clusterCidr}" must be /22 or larger`);
  }
  // The last /24 of the cluster range: pods get theirs from the front.
  const nodes = pods.base + pods.size - 256;
  return {
    ...options,
    apiServerIp: formatIpv4(services.base + 1),
    dnsIp: formatIpv4(services.base + 10),
    nodeCidr: `${formatIpv4(nodes)}/24`,
    nodeIp: (index) => formatIpv4(nodes + index + 1),
  };
}
