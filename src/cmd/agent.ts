import { readFileSync } from "node:fs";
import path from "node:path";
import { createHttpsTransport } from "../client/https-transport.ts";
import { createInformerFactory } from "../client/informer-factory.ts";
import { loadKubeconfig } from "../client/kubeconfig.ts";
import { measured } from "../client/measured-transport.ts";
import { createClient } from "../client/resource-client.ts";
import { systemClock } from "../sys/clock.ts";
import { enterPrivateMounts } from "../sys/mount-namespace.ts";
import { systemRandom } from "../sys/random.ts";
import { planClusterNetwork } from "./cluster-network.ts";
import { readAgentConfig } from "./agent-config.ts";
import { openDataDirectory } from "./data-directory.ts";
import { createJsonLogger } from "./json-logger.ts";
import { createImageUse } from "./images-in-use.ts";
import { installLastResort } from "./last-resort.ts";
import { NETWORK_KUBECONFIG } from "./network-identity.ts";
import { startNode } from "./node-process.ts";
import { commonFlags, parseEndpoint, parseFlags, usage } from "./options.ts";
import { meansShutdown, untilSignal } from "./signals.ts";

/**
 * `nephos agent`: one node, in the network namespace of this process, for the API server that the
 * kubeconfig in its state directory names.
 */
export async function agent(args: readonly string[]): Promise<number> {
  const { values } = parseFlags(args, {
    ...commonFlags,
    name: { type: "string" },
    index: { type: "string" },
    ip: { type: "string" },
    "cluster-cidr": { type: "string", default: "10.244.0.0/16" },
    "service-cidr": { type: "string", default: "10.96.0.0/16" },
    "agent-config": { type: "string" },
    "container-runtime-endpoint": { type: "string" },
    "cluster-domain": { type: "string", default: "cluster.local" },
  });
  const text = (flag: string) => String(values[flag] ?? "");
  if (!values["name"] || !values["ip"]) throw usage("agent needs --name and --ip");
  const directory = openDataDirectory(text("data-dir"), { create: true });
  const directories = directory.node(Number(values["index"] ?? 0));
  const logger = createJsonLogger("info", { component: "agent", node: text("name") });
  installLastResort(logger);
  const runtimeEndpoint = parseEndpoint(text("container-runtime-endpoint"));
  // A container runtime of somebody else's has to see what is mounted for its containers.
  if (runtimeEndpoint === undefined) {
    enterPrivateMounts({ sharedDirectories: [directory.run, path.join(directory.root, "nodes")] });
  }
  const cluster = planClusterNetwork({
    clusterCidr: text("cluster-cidr"),
    serviceCidr: text("service-cidr"),
    clusterDomain: text("cluster-domain"),
  });
  const targetIn = (file: string) =>
    loadKubeconfig(readFileSync(path.join(directories.state, file), "utf8"));
  const target = targetIn("kubeconfig");
  using https = createHttpsTransport(target);
  const transport = measured(https, { clock: systemClock, host: new URL(target.server).host });
  const client = createClient(transport);
  const sources = { clock: systemClock, random: systemRandom, logger };
  await using informers = createInformerFactory({ ...sources, client });
  using network = createHttpsTransport(targetIn(NETWORK_KUBECONFIG));
  await using networkInformers = createInformerFactory({
    ...sources,
    client: createClient(network),
  });
  const pki = (file: string) => readFileSync(path.join(directory.pki, file), "utf8");
  await using node = await startNode({
    name: text("name"),
    ip: text("ip"),
    client,
    informers,
    networkInformers,
    cluster,
    localAddresses: [cluster.dnsIp],
    directories,
    imageDirectory: directory.images,
    registriesFile: directory.registries,
    isInUse: createImageUse(directory),
    configuration: readAgentConfig(text("agent-config"), logger),
    runtimeEndpoint,
    metrics: () => transport.metrics(),
    tls: {
      certPem: pki(`node-${text("name")}-serving.crt`),
      keyPem: pki(`node-${text("name")}-serving.key`),
      clientCaPem: pki("ca.crt"),
    },
    logger,
  });
  await node.ready;
  process.send?.("ready");
  void node.rehearse();
  if (meansShutdown(await untilSignal())) await node.shutDown();
  return 0;
}
