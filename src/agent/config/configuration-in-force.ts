import { parseDuration } from "../../lib/cel/functions/time-text.ts";

/** Fields of a `KubeletConfiguration`, by name. */
export type ConfigurationFields = Readonly<Record<string, unknown>>;

/** What holds where a file says nothing, or zero; how the agent works whatever it says. */
const DEFAULTS: ConfigurationFields = {
  enableServer: true,
  authentication: {
    x509: {},
    webhook: { enabled: true },
    anonymous: { enabled: false },
  },
  authorization: { mode: "Webhook", webhook: {} },
  registryPullQPS: 5,
  registryBurst: 10,
  streamingConnectionIdleTimeout: "4h0m0s",
  nodeStatusUpdateFrequency: "10s",
  nodeStatusReportFrequency: "5m0s",
  nodeLeaseDurationSeconds: 40,
  imageMinimumGCAge: "2m0s",
  imageMaximumGCAge: "0s",
  imageGCHighThresholdPercent: 85,
  imageGCLowThresholdPercent: 80,
  cgroupsPerQOS: true,
  cgroupDriver: "cgroupfs",
  cpuManagerPolicy: "none",
  memoryManagerPolicy: "None",
  topologyManagerPolicy: "none",
  topologyManagerScope: "container",
  maxPods: 110,
  podPidsLimit: -1,
  cpuCFSQuota: true,
  cpuCFSQuotaPeriod: "100ms",
  nodeStatusMaxImages: 50,
  serializeImagePulls: true,
  evictionHard: {
    "memory.available": "100Mi",
    "nodefs.available": "10%",
    "nodefs.inodesFree": "5%",
    "imagefs.available": "15%",
    "imagefs.inodesFree": "5%",
  },
  evictionPressureTransitionPeriod: "5m0s",
  containerLogMaxSize: "10Mi",
  containerLogMaxFiles: 5,
  containerLogMonitorInterval: "10s",
  enforceNodeAllocatable: ["pods"],
  shutdownGracePeriod: "0s",
  shutdownGracePeriodCriticalPods: "0s",
  registerNode: true,
};

/** Where zero is a value of its own; elsewhere it stands for the default. */
const ZERO_COUNTS: ReadonlySet<string> = new Set([
  "registryPullQPS",
  "imageGCHighThresholdPercent",
  "imageGCLowThresholdPercent",
  "nodeStatusMaxImages",
]);
const ZERO: readonly unknown[] = [undefined, null, 0, "", "0", "0s"];
const DURATION = /(?:Frequency|Timeout|Age|Period|PeriodCriticalPods|Interval)$/;
const ABOUT_THE_FILE: readonly string[] = ["apiVersion", "kind"];

/**
 * What a checked file comes to, with its defaults, as `/configz` tells it: without the fields
 * that have no effect here, and with durations as Go writes them.
 */
export function configurationInForce(
  given: ConfigurationFields,
  withoutEffect: readonly string[],
): ConfigurationFields {
  const fields: Record<string, unknown> = { ...DEFAULTS };
  const { nodeStatusUpdateFrequency, maxParallelImagePulls } = given;
  if (!isZero(nodeStatusUpdateFrequency)) fields["nodeStatusReportFrequency"] = "";
  if (Number(maxParallelImagePulls ?? 0) > 1) fields["serializeImagePulls"] = false;
  for (const [name, value] of Object.entries(given)) {
    if (withoutEffect.includes(name) || ABOUT_THE_FILE.includes(name)) continue;
    const isOwn = ZERO_COUNTS.has(name) ? value !== undefined && value !== null : !isZero(value);
    if (isOwn) fields[name] = DURATION.test(name) ? inGo(String(value)) : value;
  }
  fields["nodeStatusReportFrequency"] ||= fields["nodeStatusUpdateFrequency"];
  return fields;
}

function isZero(value: unknown): boolean {
  return ZERO.includes(value);
}

/** "90s" is "1m30s" there. A text that is no duration stays as it is. */
function inGo(text: string): string {
  const nanos = parseDuration(text);
  if (nanos === undefined) return text;
  if (nanos < 1_000_000_000n) return `${Number(nanos) / 1e6}ms`;
  const minutes = nanos / 60_000_000_000n;
  const seconds = `${Number(nanos % 60_000_000_000n) / 1e9}s`;
  if (minutes === 0n) return seconds;
  const hours = minutes / 60n;
  return `${hours > 0n ? `${hours}h` : ""}${minutes % 60n}m${seconds}`;
}
