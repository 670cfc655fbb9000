import path from "node:path";
import type { Taint } from "../../api/generated/types/core-v1.ts";
import { ConfigurationReader } from "../../lib/configuration-reader.ts";
import { quantityToMilli, quantityToNumber } from "../../lib/quantity.ts";
import type { ImageCollectionRules, PullRules } from "../image/contract.ts";
import type { ShutdownStage } from "../shutdown/contract.ts";
import { type ConfigurationFields, configurationInForce } from "./configuration-in-force.ts";
import type { AgentConfiguration, CpuRules, NodeReservation } from "./contract.ts";
import { readEvictionRules } from "./eviction-configuration.ts";
import { FIELDS_WITHOUT_EFFECT, MUST_BE_EMPTY, REFUSALS } from "./known-fields.ts";
import { readTracing } from "./tracing-configuration.ts";

const SUBJECT = "the agent's configuration";
const API_VERSION = "kubelet.config.k8s.io/v1beta1";
const KIND = "KubeletConfiguration";
const INT32 = { min: 0, max: 2 ** 31 - 1 };
const PERCENT = { min: 0, max: 100 };
/** Pods of this priority and above keep the node alive. */
const SYSTEM_CRITICAL = 2_000_000_000;
const DEFAULT_PODS_MAX = 110;
const LOG_LOOKS_MIN_MS = 3_000;
const HOUR_MS = 3_600_000;
const RESERVABLE = ["cpu", "memory", "ephemeral-storage", "pid"];
const EFFECTS = ["NoSchedule", "PreferNoSchedule", "NoExecute"] as const;

/** A configuration, and which of its fields change nothing here. */
export interface ReadConfiguration {
  configuration: AgentConfiguration;
  /** Names of fields that were given and have no effect. */
  withoutEffect: readonly string[];
}

/** What holds without a file. */
export function defaultConfiguration(cpus: number): AgentConfiguration {
  return readKubeletConfiguration({ apiVersion: API_VERSION, kind: KIND }, cpus).configuration;
}

/**
 * Checks a decoded `KubeletConfiguration`, strictly: a field that no kubelet knows, and a value that
 * cannot be honoured, are refused. `cpus` is how many the machine has.
 * @throws ConfigurationFileError, which names the field
 */
export function readKubeletConfiguration(document: unknown, cpus: number): ReadConfiguration {
  const root = new ConfigurationReader(document, { subject: SUBJECT });
  root.requireKind({ apiVersion: API_VERSION, kind: KIND });
  const reservation = readReservation(root);
  const heartbeatMs = root.durationMs("nodeStatusUpdateFrequency");
  const configuration: Omit<AgentConfiguration, "inForce"> = {
    podsMax: readPodsMax(root, cpus),
    podPidsMax: readPodPids(root),
    logLimits: readLogLimits(root),
    eviction: readEvictionRules(root, reservation),
    imageCollection: readImageCollection(root),
    pullRules: readPullRules(root),
    reservation,
    shutdown: readShutdown(root),
    cpus: readCpus(root),
    staticPodPath: root.text("staticPodPath") || undefined,
    podLogsDir: readPodLogsDir(root),
    allowedSysctls: root.texts("allowedUnsafeSysctls"),
    taints: root.list("registerWithTaints").map(readTaint),
    providerId: root.text("providerID") || undefined,
    reporting: {
      heartbeatMs: heartbeatMs || 10_000,
      // Who has the status looked at as often as is said wants it told as often.
      reportMs: root.durationMs("nodeStatusReportFrequency") || heartbeatMs || 300_000,
      leaseSeconds: root.number("nodeLeaseDurationSeconds", INT32) || 40,
      imagesMax: root.number("nodeStatusMaxImages", { ...INT32, min: -1 }) ?? 50,
    },
    cpuQuota: readCpuQuota(root),
    streamIdleMs: root.durationMs("streamingConnectionIdleTimeout") || 4 * HOUR_MS,
    tracing: readTracing(root),
  };
  refuse(root);
  const { used } = root;
  const known = new Set([...used, ...FIELDS_WITHOUT_EFFECT]);
  const unknown = root.names().find((name) => !known.has(name));
  if (unknown !== undefined) throw root.error(unknown, `is no field of a ${KIND}`);
  const withoutEffect = root.names().filter((name) => !used.has(name));
  const inForce = configurationInForce(document as ConfigurationFields, withoutEffect);
  return { configuration: { ...configuration, inForce }, withoutEffect };
}

function refuse(root: ConfigurationReader): void {
  for (const { field, allowed, why } of REFUSALS) {
    const value = root.value(field);
    if (value !== undefined && !allowed.includes(value)) throw root.error(field, why);
  }
  for (const { field, why } of MUST_BE_EMPTY) {
    if (Object.keys(root.value(field) ?? {}).length > 0) throw root.error(field, why);
  }
}

/** Its path becomes a part of what others read, so that it has to be as plain as upstream wants. */
function readPodLogsDir(root: ConfigurationReader): string | undefined {
  const directory = root.text("podLogsDir");
  if (!directory) return undefined;
  const isPlain = path.isAbsolute(directory) && path.resolve(directory) === directory;
  if (isPlain && directory !== "/" && /^\p{ASCII}*$/u.test(directory)) return directory;
  throw root.error("podLogsDir", "must be an absolute, normalized path of ASCII characters");
}

function readPodsMax(root: ConfigurationReader, cpus: number): number {
  const podsMax = root.number("maxPods", INT32) || DEFAULT_PODS_MAX;
  const perCore = root.number("podsPerCore", INT32) ?? 0;
  return perCore === 0 ? podsMax : Math.min(podsMax, perCore * cpus);
}

function readPodPids(root: ConfigurationReader): number | undefined {
  const most = root.number("podPidsLimit", { min: -1, max: Number.MAX_SAFE_INTEGER }) ?? -1;
  return most > 0 ? most : undefined;
}

function readLogLimits(root: ConfigurationReader): AgentConfiguration["logLimits"] {
  const size = root.text("containerLogMaxSize") || "10Mi";
  const maxFiles = root.number("containerLogMaxFiles", INT32) ?? 5;
  if (maxFiles < 2) throw root.error("containerLogMaxFiles", "must be at least 2");
  const everyMs = root.durationMs("containerLogMonitorInterval") ?? 10_000;
  if (everyMs < LOG_LOOKS_MIN_MS) {
    throw root.error("containerLogMonitorInterval", "must be at least 3 seconds");
  }
  // Less than nothing keeps all.
  if (/^-\d*[1-9]/.test(size)) return { maxBytes: Infinity, maxFiles, everyMs };
  const maxBytes = amountOf(root, { field: "containerLogMaxSize", name: "memory", text: size });
  return { maxBytes, maxFiles, everyMs };
}

function readImageCollection(root: ConfigurationReader): ImageCollectionRules {
  const highPercent = root.number("imageGCHighThresholdPercent", PERCENT) ?? 85;
  const lowPercent = root.number("imageGCLowThresholdPercent", PERCENT) ?? 80;
  if (lowPercent >= highPercent) {
    const high = `imageGCHighThresholdPercent (${highPercent})`;
    throw root.error("imageGCLowThresholdPercent", `(${lowPercent}) must be less than ${high}`);
  }
  const minimumAgeMs = root.durationMs("imageMinimumGCAge") || 120_000;
  const maximumAgeMs = root.durationMs("imageMaximumGCAge") ?? 0;
  if (maximumAgeMs > 0 && maximumAgeMs <= minimumAgeMs) {
    throw root.error("imageMaximumGCAge", "must be more than imageMinimumGCAge");
  }
  return { highPercent, lowPercent, minimumAgeMs, maximumAgeMs };
}

function readPullRules(root: ConfigurationReader): PullRules {
  const most = root.number("maxParallelImagePulls", { ...INT32, min: 1 });
  const isSerial =
    root.value("serializeImagePulls") === undefined
      ? (most ?? 1) < 2
      : root.boolean("serializeImagePulls");
  if (isSerial && most !== undefined && most > 1) {
    const why = "must be 1 unless serializeImagePulls is false";
    throw root.error("maxParallelImagePulls", why);
  }
  return {
    atOnceMax: isSerial ? 1 : (most ?? Infinity),
    rate: {
      perSecond: root.number("registryPullQPS", INT32) ?? 5,
      burst: root.number("registryBurst", INT32) || 10,
    },
  };
}

function readReservation(root: ConfigurationReader): NodeReservation {
  const enforce = root.value("enforceNodeAllocatable") ? root.texts("enforceNodeAllocatable") : [];
  const given = root.value("enforceNodeAllocatable") !== undefined;
  for (const field of ["kubeReservedCgroup", "systemReservedCgroup"]) {
    if (root.text(field)) throw root.error(field, "must be empty: only pods are held to limits");
  }
  const wrong = enforce.find((one) => one !== "pods" && one !== "none" && one !== "");
  if (wrong !== undefined) {
    throw root.error("enforceNodeAllocatable", `may hold "pods" or "none", not "${wrong}"`);
  }
  if (enforce.includes("none") && enforce.length > 1) {
    throw root.error("enforceNodeAllocatable", 'must not hold anything beside "none"');
  }
  const cpus = root.text("reservedSystemCPUs") ?? "";
  if (cpus && !/^\d+(-\d+)?(,\d+(-\d+)?)*$/.test(cpus)) {
    throw root.error("reservedSystemCPUs", 'must be a list of CPUs such as "0-1,4"');
  }
  return {
    kube: readAmounts(root, "kubeReserved"),
    system: readAmounts(root, "systemReserved"),
    cpus,
    enforced: !given || enforce.includes("pods"),
  };
}

function readCpus(root: ConfigurationReader): CpuRules {
  const policy = root.choice("cpuManagerPolicy", ["none", "static"]);
  if (policy === "static") {
    const { kube, system, cpus } = readReservation(root);
    if (!cpus && !kube.get("cpu") && !system.get("cpu")) {
      const why = "needs CPU in reservedSystemCPUs, kubeReserved or systemReserved";
      throw root.error("cpuManagerPolicy", `"static" ${why}`);
    }
  }
  return {
    policy,
    wholeCores: readWholeCores(root, policy),
    topologyPolicy: root.choice("topologyManagerPolicy", [
      "none",
      "best-effort",
      "restricted",
      "single-numa-node",
    ]),
    scope: root.choice("topologyManagerScope", ["container", "pod"]),
  };
}

const WHOLE_CORES = "full-pcpus-only";

function readWholeCores(root: ConfigurationReader, policy: string): boolean {
  const options = root.object("cpuManagerPolicyOptions");
  for (const name of options.names()) {
    const needs = `has the option ${WHOLE_CORES} only, of the policy "static"`;
    if (name !== WHOLE_CORES || policy !== "static") throw options.error(name, needs);
  }
  if (options.value(WHOLE_CORES) === undefined) return false;
  const text = options.requiredText(WHOLE_CORES);
  if (text !== "true" && text !== "false") {
    throw options.error(WHOLE_CORES, `must be "true" or "false", not "${text}"`);
  }
  return text === "true";
}

function readAmounts(root: ConfigurationReader, field: string): ReadonlyMap<string, number> {
  const map = root.object(field);
  return new Map(
    map.names().map((name) => {
      if (!RESERVABLE.includes(name)) {
        throw map.error(name, `cannot be reserved: known are ${RESERVABLE.join(", ")}`);
      }
      return [name, amountOf(map, { field: name, name, text: map.requiredText(name) })];
    }),
  );
}

function amountOf(
  reader: ConfigurationReader,
  { field, name, text }: { field: string; name: string; text: string },
): number {
  let amount = -1;
  try {
    amount = name === "cpu" ? quantityToMilli(text) : quantityToNumber(text);
  } catch {
    // Refused like a negative one.
  }
  if (amount >= 0) return amount;
  throw reader.error(field, `must be a quantity such as "${name === "cpu" ? "500m" : "1Gi"}"`);
}

/** Stages by falling priority: who is needed longest comes last in time and first here. */
function readShutdown(root: ConfigurationReader): ShutdownStage[] {
  const wholeMs = readGrace(root, "shutdownGracePeriod");
  const criticalMs = readGrace(root, "shutdownGracePeriodCriticalPods");
  if (criticalMs > wholeMs) {
    throw root.error("shutdownGracePeriodCriticalPods", "must not exceed shutdownGracePeriod");
  }
  const byPriority = root.list("shutdownGracePeriodByPodPriority").map((one) => ({
    priority: one.number("priority", { min: -(2 ** 31), max: 2 ** 31 - 1 }) ?? 0,
    graceMs: (one.number("shutdownGracePeriodSeconds", INT32) ?? 0) * 1000,
  }));
  if (byPriority.length > 0) {
    if (wholeMs > 0) {
      const why = "must be left out when shutdownGracePeriod is set";
      throw root.error("shutdownGracePeriodByPodPriority", why);
    }
    return byPriority.toSorted((a, b) => b.priority - a.priority);
  }
  if (wholeMs === 0) return [];
  return [
    { priority: SYSTEM_CRITICAL, graceMs: criticalMs },
    { priority: 0, graceMs: wholeMs - criticalMs },
  ];
}

function readGrace(root: ConfigurationReader, field: string): number {
  const graceMs = root.durationMs(field) ?? 0;
  if (graceMs === 0 || graceMs >= 1000) return graceMs;
  throw root.error(field, "must be zero or at least one second");
}

function readCpuQuota(root: ConfigurationReader): AgentConfiguration["cpuQuota"] {
  const periodUs = (root.durationMs("cpuCFSQuotaPeriod") ?? 100) * 1000;
  if (periodUs < 1_000 || periodUs > 1_000_000) {
    throw root.error("cpuCFSQuotaPeriod", 'must be from "1ms" to "1s"');
  }
  const enforced = root.value("cpuCFSQuota") === undefined || root.boolean("cpuCFSQuota");
  return { enforced, periodUs };
}

function readTaint(taint: ConfigurationReader): Taint {
  const effect = EFFECTS.find((one) => one === taint.text("effect"));
  if (!effect) throw taint.error("effect", `must be one of ${EFFECTS.join(", ")}`);
  const value = taint.text("value");
  return { key: taint.requiredText("key"), ...(value ? { value } : {}), effect };
}
