import { readFileSync } from "node:fs";
import { createEventRecorder } from "../client/api-event-recorder.ts";
import { createHttpsTransport } from "../client/https-transport.ts";
import { createInformerFactory } from "../client/informer-factory.ts";
import { loadKubeconfig } from "../client/kubeconfig.ts";
import { createClient } from "../client/resource-client.ts";
import { Cleanup } from "../lib/cleanup.ts";
import { startDnsServer } from "../proxy/dns/dns-server.ts";
import { createServiceSource } from "../proxy/dns/service-source.ts";
import { startIngress } from "../proxy/ingress/ingress.ts";
import { createUpstream, parseNameServers } from "../proxy/dns/upstream.ts";
import { systemClock } from "../sys/clock.ts";
import { OUTER_MEMORY, startProgramRelief } from "../sys/memory-relief.ts";
import { systemRandom } from "../sys/random.ts";
import { createJsonLogger } from "./json-logger.ts";
import { installLastResort } from "./last-resort.ts";
import { parseFlags, parseIngressPorts, usage } from "./options.ts";
import { untilSignal } from "./signals.ts";

const DNS_PORT = 53;
const LOOPBACK = "127.0.0.1";
const sources = { clock: systemClock, random: systemRandom };

/**
 * `nephos proxy`: cluster DNS and Ingress of one node, in a process of its own so that garbage collection of
 * the API server never delays an answer. Outlives a crash of Nephos.
 */
export async function proxy(args: readonly string[]): Promise<number> {
  const { values } = parseFlags(args, {
    kubeconfig: { type: "string" },
    address: { type: "string" },
    domain: { type: "string", default: "cluster.local" },
    node: { type: "string", default: "" },
    "node-ip": { type: "string", default: "" },
    ingress: { type: "string", default: "none" },
  });
  const { kubeconfig, address, domain } = values as Record<string, string | undefined>;
  if (!kubeconfig || !address || !domain) throw usage("proxy needs --kubeconfig and --address");
  const logger = createJsonLogger("info", { component: "proxy" });
  installLastResort(logger);
  using relief = startProgramRelief(systemClock, OUTER_MEMORY);
  using transport = createHttpsTransport(loadKubeconfig(readFileSync(kubeconfig, "utf8")));
  const parts = { ...sources, client: createClient(transport), logger };
  await using informers = createInformerFactory(parts);
  const { source, synced, serial } = createServiceSource(informers);
  await synced;
  const servers = parseNameServers(readFileSync("/etc/resolv.conf", "utf8"), [address]);
  await using _server = await startDnsServer({
    address,
    port: DNS_PORT,
    domain,
    services: source,
    serial,
    upstream: createUpstream(servers, systemClock),
    clock: systemClock,
    logger,
  });
  await using cleanup = new Cleanup();
  const ports = parseIngressPorts(`${values["ingress"]}`);
  if (ports) {
    const host = `${values["node"]}`;
    const component = "nephos-proxy";
    const events = cleanup.use(createEventRecorder({ ...parts, component, host }));
    // Not on every address: the API server has one of its own, with the same port.
    const nodeIp = `${values["node-ip"]}`;
    const addresses = nodeIp && nodeIp !== LOOPBACK ? [LOOPBACK, nodeIp] : [LOOPBACK];
    const { http: httpPort, https: httpsPort } = ports;
    cleanup.use(startIngress({ ...parts, informers, events, addresses, httpPort, httpsPort }));
  }
  logger.info("cluster DNS answers", { address, domain, upstream: servers });
  process.send?.("ready");
  relief.started();
  await untilSignal();
  return 0;
}
