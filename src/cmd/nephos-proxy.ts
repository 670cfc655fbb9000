import { readFileSync } from "node:fs";
import { createHttpsTransport } from "../client/https-transport.ts";
import { createInformerFactory } from "../client/informer-factory.ts";
import { loadKubeconfig } from "../client/kubeconfig.ts";
import { createClient } from "../client/resource-client.ts";
import { startDnsServer } from "../proxy/dns/dns-server.ts";
import { createServiceSource } from "../proxy/dns/service-source.ts";
import { createUpstream, parseNameServers } from "../proxy/dns/upstream.ts";
import { systemClock } from "../sys/clock.ts";
import { systemRandom } from "../sys/random.ts";
import { createJsonLogger } from "./json-logger.ts";
import { installLastResort } from "./last-resort.ts";
import { parseFlags, usage } from "./options.ts";
import { untilSignal } from "./signals.ts";

const DNS_PORT = 53;

/**
 * `nephos proxy`: cluster DNS of one node, in a process of its own so that garbage collection of
 * the API server never delays an answer. Outlives a crash of Nephos.
 */
export async function proxy(args: readonly string[]): Promise<number> {
  const { values } = parseFlags(args, {
    kubeconfig: { type: "string" },
    address: { type: "string" },
    domain: { type: "string", default: "cluster.local" },
  });
  const { kubeconfig, address, domain } = values as Record<string, string | undefined>;
  if (!kubeconfig || !address || !domain) throw usage("proxy needs --kubeconfig and --address");
  const logger = createJsonLogger("info", { component: "proxy" });
  installLastResort(logger);
  using transport = createHttpsTransport(loadKubeconfig(readFileSync(kubeconfig, "utf8")));
  await using informers = createInformerFactory({
    client: createClient(transport),
    clock: systemClock,
    random: systemRandom,
    logger,
  });
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
  logger.info("cluster DNS answers", { address, domain, upstream: servers });
  process.send?.("ready");
  await untilSignal();
  return 0;
}
