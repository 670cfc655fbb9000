import { Cleanup } from "../../src/lib/cleanup.ts";
import { type CriUnderTest, startCri } from "../e2e/cri-under-test.ts";
import { startKubeApiServer } from "./kube-apiserver.ts";
import { startKubeControllerManager, startKubeScheduler } from "./kube-controllers.ts";
import { type KubeletSurroundings, prepareForKubelet, startKubelet } from "./kubelet.ts";
import type { ServerUnderTest } from "./server-under-test.ts";

/** Kubernetes 1.20 with one node, whose container runtime is ours. */
export interface KubeletCluster extends AsyncDisposable {
  server: ServerUnderTest;
  runtime: CriUnderTest;
}

/** What may differ from one use to another. */
export interface KubeletClusterOptions {
  nodeName: string;
  nodeIp: string;
  /** Flags of kube-apiserver that follow our own. */
  flags?: readonly string[];
}

/** Starts it in the caller's own network and mount namespace. */
export async function startKubeletCluster(options: KubeletClusterOptions): Promise<KubeletCluster> {
  const { nodeName, nodeIp } = options;
  await using cleanup = new Cleanup();
  const surroundings: KubeletSurroundings = cleanup.use(prepareForKubelet());
  const runtime = cleanup.use(await startCri());
  const { socketPath, kubeletDirectory: rootDirectory } = runtime;
  // The node has no name that a resolver knows.
  const flags = ["--kubelet-preferred-address-types=InternalIP", ...(options.flags ?? [])];
  const server = cleanup.use(await startKubeApiServer({ flags }));
  cleanup.use(await startKubeControllerManager(server));
  cleanup.use(await startKubeScheduler(server));
  const node = { nodeName, nodeIp, socketPath, rootDirectory, surroundings };
  cleanup.use(await startKubelet(server, node));
  const running = cleanup.move();
  return { server, runtime, [Symbol.asyncDispose]: () => running[Symbol.asyncDispose]() };
}
