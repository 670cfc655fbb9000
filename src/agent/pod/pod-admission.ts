import type { Node, Pod } from "../../api/generated/types/core-v1.ts";
import { requiredNodeTest } from "../../api/node-affinity.ts";
import { isTolerated, untoleratedTaint } from "../../api/taint.ts";
import type { NodePressure } from "../eviction/contract.ts";
import type { Doom } from "./observation.ts";
import { qosClassOf } from "./pod-resources.ts";
import { type Amounts, amountsOf } from "./pod-requests.ts";
import type { ResizeVerdict } from "./resize.ts";
import { forbiddenSysctl } from "./sysctls.ts";

/** What the node has, and whom it has promised it to. */
export interface RoomFacts {
  allocatable: Readonly<Record<string, string>>;
  /** Pods that were admitted and have not ended. */
  others: readonly Pod[];
  /** As `podRequests`. */
  requestsOf: (pod: Pod) => Amounts;
}

/** What a pod that was just bound here meets. */
export interface AdmissionFacts extends RoomFacts {
  /** Undefined as long as the node does not know itself. */
  node: Node | undefined;
  /** Names or patterns ("net.*") beyond the safe ones. */
  allowedSysctls: readonly string[];
  hasAppArmor: boolean;
  pressure: NodePressure;
}

type Check = (pod: Pod, facts: AdmissionFacts) => Doom | undefined;

/**
 * Why a pod cannot be run here although it was bound here; undefined when it can. Whoever binds
 * pods without a scheduler, or with an old view of the node, meets these. Upstream's reasons.
 */
export function admissionRefusal(pod: Pod, facts: AdmissionFacts): Doom | undefined {
  const checks: readonly Check[] = [
    checkOs,
    checkPressure,
    checkNode,
    checkPorts,
    checkResources,
    checkSecurity,
  ];
  for (const check of checks) {
    const refusal = check(pod, facts);
    if (refusal) return { ...refusal, message: `Pod was rejected: ${refusal.message}` };
  }
  return undefined;
}

const checkOs: Check = (pod) => {
  const name = pod.spec?.os?.name ?? "linux";
  if (name === "linux") return undefined;
  const reason = "PodOSNotSupported";
  return { reason, message: `the node's operating system is linux, the pod's is ${name}` };
};

/** A node that evicts pods takes no new ones that would have to go first. */
const checkPressure: Check = (pod, { pressure }) => {
  if ((pod.spec?.priority ?? 0) >= SYSTEM_CRITICAL) return undefined;
  const lean = qosClassOf(pod) === "BestEffort" && !toleratesMemoryPressure(pod);
  const conditions = [
    ...(pressure.memory && lean ? ["MemoryPressure"] : []),
    ...(pressure.disk ? ["DiskPressure"] : []),
    ...(pressure.pids ? ["PIDPressure"] : []),
  ];
  if (conditions.length === 0) return undefined;
  return { reason: "Evicted", message: `The node had condition: [${conditions.join(" ")}]. ` };
};

const SYSTEM_CRITICAL = 2_000_000_000;

function toleratesMemoryPressure({ spec }: Pod): boolean {
  const taint = { key: "node.kubernetes.io/memory-pressure", effect: "NoSchedule" as const };
  return isTolerated(taint, spec?.tolerations ?? []);
}

const checkNode: Check = (pod, { node }) => {
  if (!node) return undefined;
  const { name = "", labels = {} } = node.metadata ?? {};
  const { nodeSelector, affinity } = pod.spec ?? {};
  const required = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  const fits = requiredNodeTest(nodeSelector, required?.nodeSelectorTerms);
  if (fits?.(labels, name) === false) {
    const why = "node(s) didn't match Pod's node affinity/selector";
    return { reason: "NodeAffinity", message: `Predicate NodeAffinity failed: ${why}` };
  }
  const taints = (node.spec?.taints ?? []).filter(({ effect }) => effect === "NoExecute");
  const taint = untoleratedTaint(taints, pod.spec?.tolerations ?? []);
  if (!taint) return undefined;
  const why = `node(s) had untolerated taint {${taint.key}: ${taint.value ?? ""}}`;
  return { reason: "TaintToleration", message: `Predicate TaintToleration failed: ${why}` };
};

const checkPorts: Check = (pod, { others }) => {
  const ports = hostPortsOf(pod);
  if (ports.length === 0) return undefined;
  const taken = others.flatMap(hostPortsOf);
  const clash = ports.some((wanted) =>
    taken.some(
      (other) =>
        other.port === wanted.port &&
        other.protocol === wanted.protocol &&
        (other.ip === wanted.ip || other.ip === ANY || wanted.ip === ANY),
    ),
  );
  if (!clash) return undefined;
  const why = "node(s) didn't have free ports for the requested pod ports";
  return { reason: "NodePorts", message: `Predicate NodePorts failed: ${why}` };
};

const ANY = "0.0.0.0";

function hostPortsOf(pod: Pod): { port: number; protocol: string; ip: string }[] {
  return (pod.spec?.containers ?? []).flatMap(({ ports = [] }) =>
    ports.flatMap(({ hostPort, protocol = "TCP", hostIP }) =>
      hostPort ? [{ port: hostPort, protocol, ip: hostIP || ANY }] : [],
    ),
  );
}

const checkResources: Check = (pod, { allocatable, others, requestsOf }) => {
  const capacity = amountsOf(allocatable);
  const used = usedBy(others, requestsOf);
  for (const [name, requested] of requestsOf(pod)) {
    const limit = capacity.get(name) ?? 0;
    const taken = used(name);
    if (requested === 0 || requested + taken <= limit) continue;
    const why = `requested: ${requested}, used: ${taken}, capacity: ${limit}`;
    const message = `Node didn't have enough resource: ${name}, ${why}`;
    return { reason: `OutOf${name}`, message };
  }
  return undefined;
};

function usedBy(
  others: readonly Pod[],
  requestsOf: AdmissionFacts["requestsOf"],
): (name: string) => number {
  const taken = others.map(requestsOf);
  return (name) => taken.reduce((sum, of) => sum + (of.get(name) ?? 0), 0);
}

/** Whether a pod that runs here may have other resources. */
export function resizeVerdict(
  pod: Pod,
  { allocatable, others, requestsOf }: RoomFacts,
): ResizeVerdict {
  const whole = amountsOf(allocatable);
  const requests = requestsOf(pod);
  const exceeds = (used: (name: string) => number) =>
    ["cpu", "memory"].some(
      (name) => (requests.get(name) ?? 0) + used(name) > (whole.get(name) ?? 0),
    );
  if (exceeds(() => 0)) return "infeasible";
  return exceeds(usedBy(others, requestsOf)) ? "deferred" : "fits";
}

const checkSecurity: Check = (pod, { allowedSysctls, hasAppArmor }) => {
  const sysctl = forbiddenSysctl(pod, allowedSysctls);
  if (sysctl !== undefined) {
    return { reason: "SysctlForbidden", message: `forbidden sysctl: ${sysctl}` };
  }
  const { securityContext, containers = [], initContainers = [] } = pod.spec ?? {};
  const profiles = [
    securityContext,
    ...[...containers, ...initContainers].map((container) => container.securityContext),
  ].map((context) => context?.appArmorProfile?.type);
  const confined = profiles.some((type) => type && type !== "Unconfined");
  if (!confined || hasAppArmor) return undefined;
  const message = "Cannot enforce AppArmor: AppArmor is not enabled on the host";
  return { reason: "AppArmor", message };
};
