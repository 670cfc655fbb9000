import type { Container, Pod } from "../../api/generated/types/core-v1.ts";
import { quantityToMilli, quantityToNumber } from "../../lib/quantity.ts";
import type { AgentConfiguration } from "../config/contract.ts";
import type { ContainerResources } from "../runtime/contract.ts";

/** What the node's configuration says about limits. */
export type ResourceRules = Pick<AgentConfiguration, "cpuQuota" | "podPidsMax">;

/** `status.qosClass`. */
export type QosClass = "Guaranteed" | "Burstable" | "BestEffort";

const CPU_QUOTA_MIN_US = 1_000;
const CPU_SHARES_MIN = 2;
const CPU_SHARES_MAX = 262_144;
const OOM_SCORE_GUARANTEED = -997;
const OOM_SCORE_BEST_EFFORT = 1_000;

/** The class that the API server stored, else by the rules of the pod's requests and limits. */
export function qosClassOf(pod: Pod): QosClass {
  const stored = pod.status?.qosClass;
  if (stored === "Guaranteed" || stored === "Burstable" || stored === "BestEffort") return stored;
  const containers = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])];
  let any = false;
  let guaranteed = true;
  for (const { resources } of containers) {
    for (const name of ["cpu", "memory"] as const) {
      const limit = amount(resources?.limits?.[name]);
      const request = amount(resources?.requests?.[name]) || limit;
      if (limit > 0 || request > 0) any = true;
      if (limit === 0 || request !== limit) guaranteed = false;
    }
  }
  if (!any) return "BestEffort";
  return guaranteed ? "Guaranteed" : "Burstable";
}

function amount(quantity: string | undefined): number {
  return quantity === undefined ? 0 : quantityToNumber(quantity);
}

function milli(quantity: string | undefined): number {
  return quantity === undefined ? 0 : quantityToMilli(quantity);
}

function sharesOf(milliCpu: number): number {
  const shares = Math.floor((milliCpu * 1024) / 1000);
  return Math.min(CPU_SHARES_MAX, Math.max(CPU_SHARES_MIN, shares));
}

function quotaOf(
  milliCpu: number,
  { cpuQuota }: ResourceRules,
): Pick<ContainerResources, "cpuQuotaUs" | "cpuPeriodUs"> {
  if (milliCpu <= 0 || !cpuQuota.enforced) return {};
  const { periodUs } = cpuQuota;
  const quota = Math.floor((milliCpu * periodUs) / 1000);
  return { cpuQuotaUs: Math.max(CPU_QUOTA_MIN_US, quota), cpuPeriodUs: periodUs };
}

function memoryOf(bytes: number): Pick<ContainerResources, "memoryLimitBytes"> {
  return bytes > 0 ? { memoryLimitBytes: Math.ceil(bytes) } : {};
}

/** Limits of one container in kernel units. */
export function containerResources(
  pod: Pod,
  options: {
    container: Container;
    nodeMemoryBytes: number;
    rules: ResourceRules;
    /** What the node has of each resource: huge pages that are not asked for are out of reach. */
    allocatable?: Readonly<Record<string, string>>;
  },
): ContainerResources {
  const { limits, requests } = options.container.resources ?? {};
  return {
    cpuShares: sharesOf(milli(requests?.["cpu"] ?? limits?.["cpu"])),
    ...quotaOf(milli(limits?.["cpu"]), options.rules),
    ...memoryOf(amount(limits?.["memory"])),
    ...hugePagesOf({ ...withoutHugePages(options.allocatable), ...limits }),
    oomScoreAdj: oomScore(pod, options),
  };
}

const PAGE_UNITS: Readonly<Record<string, string>> = { Ki: "KB", Mi: "MB", Gi: "GB" };

/** Of the kinds of huge pages that a node has, none. */
function withoutHugePages(
  allocatable: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const none: Record<string, string> = {};
  for (const name of Object.keys(allocatable)) {
    if (name.startsWith("hugepages-") && amount(allocatable[name]) > 0) none[name] = "0";
  }
  return none;
}

/** Limits such as "hugepages-2Mi", by the kernel's names of the sizes. */
function hugePagesOf(
  limits: Readonly<Record<string, string>> | undefined,
): Pick<ContainerResources, "hugePages"> {
  const pages = Object.entries(limits ?? {}).flatMap(([name, quantity]) => {
    const [, size = "", unit = ""] = /^hugepages-(\d+)([KMG]i)$/.exec(name) ?? [];
    return size ? [[`${size}${PAGE_UNITS[unit]}`, amount(quantity)] as const] : [];
  });
  return pages.length > 0 ? { hugePages: Object.fromEntries(pages) } : {};
}

/** Bytes of memory that a container asks for. */
function memoryRequest({ resources }: Container): number {
  return amount(resources?.requests?.["memory"] ?? resources?.limits?.["memory"]);
}

/**
 * The kernel kills a pod that uses more than it asked for before one that asked for much, and no
 * sidecar before the containers that it serves.
 */
function oomScore(
  pod: Pod,
  { container, nodeMemoryBytes }: { container: Container; nodeMemoryBytes: number },
): number {
  if (pod.spec?.priorityClassName === "system-node-critical") return OOM_SCORE_GUARANTEED;
  const qosClass = qosClassOf(pod);
  if (qosClass === "Guaranteed") return OOM_SCORE_GUARANTEED;
  if (qosClass === "BestEffort") return OOM_SCORE_BEST_EFFORT;
  const isSidecar = container.restartPolicy === "Always";
  const served = isSidecar ? Math.min(...(pod.spec?.containers ?? []).map(memoryRequest)) : 0;
  const requestBytes = Math.max(memoryRequest(container), served);
  const score = 1000 - Math.floor((1000 * requestBytes) / nodeMemoryBytes);
  return Math.min(OOM_SCORE_BEST_EFFORT - 1, Math.max(1000 + OOM_SCORE_GUARANTEED, score));
}

/** Limits of the whole pod: a kind of limit holds only when every container has one. */
export function podResources(pod: Pod, rules: ResourceRules): ContainerResources {
  const cpu = total(pod, (container) => milli(container.resources?.limits?.["cpu"]));
  const memory = total(pod, (container) => amount(container.resources?.limits?.["memory"]));
  const requests = total(
    pod,
    ({ resources }) => milli(resources?.requests?.["cpu"]) || milli(resources?.limits?.["cpu"]),
  );
  return {
    cpuShares: sharesOf(requests.sum + milli(pod.spec?.overhead?.["cpu"])),
    ...(cpu.everywhere ? quotaOf(cpu.sum + milli(pod.spec?.overhead?.["cpu"]), rules) : {}),
    ...(memory.everywhere ? memoryOf(memory.sum + amount(pod.spec?.overhead?.["memory"])) : {}),
    ...hugePagesOf(hugePagesOfPod(pod)),
    ...(rules.podPidsMax === undefined ? {} : { pidsMax: rules.podPidsMax }),
  };
}

/** What all of the pod may have of each size that some container asks for. */
function hugePagesOfPod(pod: Pod): Record<string, string> {
  const { initContainers = [], containers = [] } = pod.spec ?? {};
  const names = [...initContainers, ...containers].flatMap(({ resources }) =>
    Object.keys(resources?.limits ?? {}).filter((name) => name.startsWith("hugepages-")),
  );
  const sums: Record<string, string> = {};
  for (const name of names) {
    sums[name] = `${total(pod, ({ resources }) => amount(resources?.limits?.[name])).sum}`;
  }
  return sums;
}

/**
 * What the pod needs at its busiest: either its containers and sidecars together, or one init
 * container with the sidecars that started before it.
 */
function total(
  pod: Pod,
  of: (container: Container) => number,
): { sum: number; everywhere: boolean } {
  let everywhere = true;
  const measure = (container: Container) => {
    const value = of(container);
    if (value === 0) everywhere = false;
    return value;
  };
  let sidecars = 0;
  let initPeak = 0;
  for (const container of pod.spec?.initContainers ?? []) {
    const value = measure(container);
    if (container.restartPolicy === "Always") sidecars += value;
    else initPeak = Math.max(initPeak, sidecars + value);
  }
  let mains = 0;
  for (const container of pod.spec?.containers ?? []) mains += measure(container);
  return { sum: Math.max(initPeak, mains + sidecars), everywhere };
}
