// Runs kube-apiserver 1.20 with etcd on loopback until it is interrupted, for anyone who wants to look:
//   npm run peers:start -- [--controllers] [--scheduler] [-- FLAGS OF KUBE-APISERVER]
import { once } from "node:events";
import { parseArgs } from "node:util";
import { Cleanup } from "../../src/lib/cleanup.ts";
import { startKubeApiServer } from "./kube-apiserver.ts";
import { startKubeControllerManager, startKubeScheduler } from "./kube-controllers.ts";

const { values, positionals } = parseArgs({
  options: { controllers: { type: "boolean" }, scheduler: { type: "boolean" } },
  allowPositionals: true,
});
const interrupted = Promise.race([once(process, "SIGINT"), once(process, "SIGTERM")]);
await using running = new Cleanup();
const server = running.use(await startKubeApiServer({ flags: positionals }));
if (values.controllers) running.use(await startKubeControllerManager(server));
if (values.scheduler) running.use(await startKubeScheduler(server));
console.log(
  `${server.name} answers on ${server.target.server}; its logs are in ${server.directory}`,
);
console.log(`export KUBECONFIG=${server.kubeconfig}`);
console.log("Ctrl-C stops it and removes everything.");
await interrupted;
