// Runs kube-apiserver 1.20 with etcd on loopback until it is interrupted, for anyone who wants to look:
//   npm run peers:start -- [--controllers] [--scheduler] [--kubelet] [-- FLAGS OF KUBE-APISERVER]
// With a kubelet, which brings the controllers and the scheduler, all of it is in a network and mount
// namespace of its own; the container runtime is ours.
import { once } from "node:events";
import { parseArgs } from "node:util";
import { runIsolated } from "../../scripts/isolated.ts";
import { Cleanup } from "../../src/lib/cleanup.ts";
import { startKubeApiServer } from "./kube-apiserver.ts";
import { startKubeControllerManager, startKubeScheduler } from "./kube-controllers.ts";
import { startKubeletCluster } from "./kubelet-cluster.ts";
import type { ServerUnderTest } from "./server-under-test.ts";

const { values, positionals } = parseArgs({
  options: {
    controllers: { type: "boolean" },
    scheduler: { type: "boolean" },
    kubelet: { type: "boolean" },
    isolated: { type: "boolean" },
  },
  allowPositionals: true,
});
const NODE_IP = "192.0.2.2";

/** Answers when someone interrupts it. */
async function runPeers(): Promise<void> {
  const interrupted = Promise.race([once(process, "SIGINT"), once(process, "SIGTERM")]);
  await using running = new Cleanup();
  let server: ServerUnderTest;
  if (values.kubelet) {
    const node = { nodeName: "peer-node", nodeIp: NODE_IP, flags: positionals };
    ({ server } = running.use(await startKubeletCluster(node)));
    console.log(`nsenter --net --mount --target ${process.pid}`);
  } else {
    server = running.use(await startKubeApiServer({ flags: positionals }));
    if (values.controllers) running.use(await startKubeControllerManager(server));
    if (values.scheduler) running.use(await startKubeScheduler(server));
  }
  const { server: url } = server.target;
  console.log(`${server.name} answers on ${url}; its logs are in ${server.directory}`);
  console.log(`export KUBECONFIG=${server.kubeconfig}`);
  console.log("Ctrl-C stops it and removes everything.");
  await interrupted;
}

if (values.kubelet && !values.isolated) {
  const script = import.meta.filename;
  // Ctrl-C is for the child alone.
  process.on("SIGINT", () => {});
  process.exitCode = runIsolated([
    process.execPath,
    script,
    "--isolated",
    ...process.argv.slice(2),
  ]);
} else await runPeers();
