import { readFileSync } from "node:fs";
import path from "node:path";
import { issueLegacyToken } from "../apiserver/token/legacy-token.ts";
import { readTokenKeys } from "../apiserver/token/token-keys.ts";
import { createHttpsTransport } from "../client/https-transport.ts";
import { createInformerFactory } from "../client/informer-factory.ts";
import { loadKubeconfig } from "../client/kubeconfig.ts";
import type { RunningController } from "../client/controller-runner.ts";
import { measured } from "../client/measured-transport.ts";
import { createClient } from "../client/resource-client.ts";
import { type BuiltInOptions, builtInControllers } from "../controllers/built-in.ts";
import { parseCidr } from "../lib/ipv4.ts";
import { SchedulerMetrics } from "../scheduler/scheduler-metrics.ts";
import { systemClock } from "../sys/clock.ts";
import { systemRandom } from "../sys/random.ts";
import { CommandError } from "./command-error.ts";
import { startControllersPart, startSchedulerPart } from "./controllers-part.ts";
import { createJsonLogger } from "./json-logger.ts";
import { installLastResort } from "./last-resort.ts";
import { startMetricsServer } from "./metrics-server.ts";
import { parseFlags, parseGrace, parseListen, usage } from "./options.ts";
import { processMetrics } from "./process-metrics.ts";
import { queueMetrics } from "./queue-metrics.ts";
import { readSchedulerConfig } from "./scheduler-config.ts";
import { untilSignal } from "./signals.ts";

const FLAGS = {
  kubeconfig: { type: "string" },
  ca: { type: "string" },
  "service-account-key": { type: "string" },
  "legacy-service-account-tokens": { type: "boolean" },
  "scheduler-config": { type: "string" },
  "cluster-cidr": { type: "string", default: "10.244.0.0/16" },
  metrics: { type: "string" },
  "node-monitor-grace-period": { type: "string" },
} as const;

/**
 * `nephos controllers`: our controllers and scheduler, in the foreground, for any API server that a
 * kubeconfig names; all of them act as its user.
 */
export async function controllers(args: readonly string[]): Promise<number> {
  const { values } = parseFlags(args, FLAGS);
  const file = values["kubeconfig"];
  if (typeof file !== "string") throw usage("controllers needs --kubeconfig FILE");
  const target = loadKubeconfig(read(file), { directory: path.dirname(file) });
  const caPem = typeof values["ca"] === "string" ? read(values["ca"]) : target.caPem;
  if (!caPem) throw usage("the kubeconfig names no authority for pods to trust: give --ca FILE");
  const cidr = String(values["cluster-cidr"]);
  requireRange(cidr);
  const schedulerFile = values["scheduler-config"];
  const schedulerConfiguration = readSchedulerConfig(
    typeof schedulerFile === "string" ? schedulerFile : undefined,
  );
  const listen = values["metrics"];
  const metricsAt = typeof listen === "string" ? parseListen(listen, "--metrics") : undefined;
  const logger = createJsonLogger("info");
  installLastResort(logger);
  using https = createHttpsTransport(target);
  const transport = measured(https, { clock: systemClock, host: new URL(target.server).host });
  const client = createClient(transport);
  const sources = { clock: systemClock, random: systemRandom };
  await using informers = createInformerFactory({ ...sources, client, logger });
  const podAddresses = { cidr, nodePrefix: 24 };
  const credentials = credentialsOf(values);
  const nodeGraceMs = parseGrace(values["node-monitor-grace-period"]);
  const of = { client, caPem, podAddresses, nodeGraceMs, ...credentials };
  const definitions = builtInControllers(of);
  const parts = { client, informers, logger };
  const scheduling = new SchedulerMetrics();
  const running: RunningController[] = [];
  await using _controllers = startControllersPart(definitions, {
    ...parts,
    clientOf: () => client,
    started: (controller) => running.push(controller),
  });
  await using _scheduler = startSchedulerPart({
    ...parts,
    schedulerConfiguration,
    metrics: scheduling,
  });
  await using _metrics =
    metricsAt &&
    (await startMetricsServer(metricsAt, [
      processMetrics,
      () => [...queueMetrics(running), ...scheduling.families(), ...transport.metrics()],
    ]));
  process.stdout.write(`Controllers and scheduler work for ${target.server}\n`);
  await untilSignal();
  return 0;
}

function requireRange(cidr: string): void {
  try {
    parseCidr(cidr);
  } catch (error) {
    throw usage(`--cluster-cidr: ${(error as Error).message}`);
  }
}

/** Without a key nobody signs: Secrets that ask for tokens stay empty. */
function credentialsOf(
  values: Readonly<Record<string, string | boolean | undefined>>,
): Pick<BuiltInOptions, "credentials"> {
  const file = values["service-account-key"];
  const legacyTokens = values["legacy-service-account-tokens"] === true;
  if (typeof file !== "string") {
    if (legacyTokens) throw usage("--legacy-service-account-tokens needs --service-account-key");
    return {};
  }
  const keys = readTokenKeys(read(file));
  return { credentials: { signToken: (of) => issueLegacyToken(keys, of), legacyTokens } };
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new CommandError(`Cannot read "${file}": ${(cause as Error).message}`, { cause });
  }
}
