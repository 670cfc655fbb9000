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
import {
  DEFAULT_CONFIGURATION,
  type SchedulerConfiguration,
} from "../scheduler/config/scheduler-configuration.ts";
import { SchedulerMetrics } from "../scheduler/scheduler-metrics.ts";
import { systemClock } from "../sys/clock.ts";
import { systemRandom } from "../sys/random.ts";
import { CommandError } from "./command-error.ts";
import { startControllersPart, startSchedulerPart } from "./controllers-part.ts";
import { componentPages } from "./component-pages.ts";
import { createJsonLogger } from "./json-logger.ts";
import { installLastResort } from "./last-resort.ts";
import { startPlainPort } from "./metrics-server.ts";
import { parseFlags, parseGrace, parseListen, usage } from "./options.ts";
import { processMetrics } from "./process-metrics.ts";
import { queueMetrics } from "./queue-metrics.ts";
import { readSchedulerConfig } from "./scheduler-config.ts";
import { openSecurePort, readSecurePortFlags, SECURE_PORT_FLAGS } from "./secure-port.ts";
import { untilSignal } from "./signals.ts";

const FLAGS = {
  kubeconfig: { type: "string" },
  ca: { type: "string" },
  "service-account-key": { type: "string" },
  "legacy-service-account-tokens": { type: "boolean" },
  "scheduler-config": { type: "string" },
  "cluster-cidr": { type: "string", default: "10.244.0.0/16" },
  metrics: { type: "string" },
  ...SECURE_PORT_FLAGS,
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
  const metricsAt = typeof listen === "string" ? parseMetricsAddress(listen) : undefined;
  const securePort = readSecurePortFlags(values);
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
  const figures = () => [
    ...queueMetrics(running),
    ...scheduling.families(),
    ...transport.metrics(),
  ];
  const settings = settingsOf({ cidr, nodeGraceMs, schedulerConfiguration });
  const pages = componentPages([processMetrics, figures], settings);
  await using _metrics = metricsAt && (await startPlainPort(metricsAt, pages));
  await using _secure = securePort && (await openSecurePort(securePort, { client, pages, logger }));
  process.stdout.write(`Controllers and scheduler work for ${target.server}\n`);
  await untilSignal();
  return 0;
}

/** Plain HTTP asks nobody who they are. @throws CommandError with exit code 2 */
function parseMetricsAddress(text: string): { host: string; port: number } {
  const address = parseListen(text, "--metrics");
  if (address.host.startsWith("127.")) return address;
  throw usage(
    `--metrics ${text}: plain HTTP is for loopback addresses, use --secure-port for others`,
  );
}

/** `/configz`, as far as upstream's components have the same settings. */
function settingsOf(of: {
  cidr: string;
  nodeGraceMs: number | undefined;
  schedulerConfiguration: SchedulerConfiguration | undefined;
}): object {
  const { podInitialBackoffMs, podMaxBackoffMs, percentageOfNodesToScore, profiles } =
    of.schedulerConfiguration ?? DEFAULT_CONFIGURATION;
  const { cidr, nodeGraceMs } = of;
  return {
    "kubecontrollermanager.config.k8s.io": {
      KubeCloudShared: { AllocateNodeCIDRs: true, ClusterCIDR: cidr },
      ...(nodeGraceMs === undefined
        ? {}
        : { NodeLifecycleController: { NodeMonitorGracePeriod: `${nodeGraceMs / 1000}s` } }),
    },
    "kubescheduler.config.k8s.io": {
      PodInitialBackoffSeconds: podInitialBackoffMs / 1000,
      PodMaxBackoffSeconds: podMaxBackoffMs / 1000,
      PercentageOfNodesToScore: percentageOfNodesToScore,
      Profiles: profiles.map(({ schedulerName }) => ({ SchedulerName: schedulerName })),
    },
  };
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
