import type { PodNetwork } from "../agent/network/contract.ts";
import { startNodeRoutes } from "../agent/network/node-routes.ts";
import { createPodNetwork } from "../agent/network/pod-network.ts";
import { type ServiceProxy, startServiceProxy } from "../agent/service-proxy/service-proxy.ts";
import type { InformerFactory } from "../client/informer.ts";
import type { Logger } from "../lib/logger.ts";
import { systemClock } from "../sys/clock.ts";
import type { ClusterNetwork } from "./cluster-network.ts";
import type { NodeDirectories } from "./data-directory.ts";

/** Of pods that may come together; each takes 0.15 MB of the kernel's memory. */
const NETWORKS_AHEAD = 32;

/** The network of one node: pods, Services, routes to other nodes. */
export interface NodeNetwork extends AsyncDisposable {
  pods: PodNetwork;
  services: ServiceProxy;
}

/** What `startNodeNetwork` needs to know of the node. */
export interface NodeNetworkOptions {
  nodeName: string;
  podCidr: string;
  cluster: ClusterNetwork;
  /** Service addresses that this node answers on itself. */
  localAddresses: readonly string[];
  directories: NodeDirectories;
  /** As `system:kube-proxy`: of all Services and nodes. */
  informers: InformerFactory;
  logger: Logger;
}

/** Sets the node's network up in the network namespace of this process. */
export function startNodeNetwork(options: NodeNetworkOptions): NodeNetwork {
  const { cluster, directories, informers, logger, nodeName, podCidr } = options;
  let services: ServiceProxy | undefined;
  const pods = createPodNetwork({
    runDirectory: directories.run,
    podCidr,
    linkPrefix: directories.linkPrefix,
    localAddresses: options.localAddresses,
    ahead: { clock: systemClock, max: NETWORKS_AHEAD },
    onHostPorts: (ports) => services?.setHostPorts(ports),
    logger,
  });
  const started = startServiceProxy({
    informers,
    nodeName,
    rules: {
      table: directories.table,
      podCidr,
      clusterCidr: cluster.clusterCidr,
      serviceCidr: cluster.serviceCidr,
      hiddenCidr: cluster.nodeCidr,
      linkPrefix: directories.linkPrefix,
      nodeAddress: pods.gateway,
      localAddresses: [cluster.dnsIp, cluster.apiServerIp],
    },
    clock: systemClock,
    logger,
  });
  services = started;
  const routes = startNodeRoutes({ informers, nodeName, source: pods.gateway, logger });
  return {
    pods,
    services: started,
    async [Symbol.asyncDispose]() {
      routes[Symbol.dispose]();
      await started[Symbol.asyncDispose]();
      await pods[Symbol.asyncDispose]();
    },
  };
}
