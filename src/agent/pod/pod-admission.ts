import type { Node, Pod } from "../../api/generated/types/core-v1.ts";
import { requiredNodeTest } from "../../api/node-affinity.ts";
import { isTolerated, untoleratedTaint } from "../../api/taint.ts";
import type { NodePressure } from "../eviction/contract.ts";
import { isCritical } from "../pod-priority.ts";
import { isStaticPod } from "../static-pod/contract.ts";
import type { Doom } from "./observation.ts";
import { type Amounts, amountsOf } from "./pod-requests.ts";
import { qosClassOf } from "./pod-resources.ts";
import { podsToPreempt } from "./preemption.ts";
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
  /** Sets CPUs apart; see `CpuManager`. */
  cpus: (pod: Pod) => Refusal | undefined;
}

/** Why a pod cannot be run here, as its event has it. */
export type Refusal = Pick<Doom, "reason" | "message">;

/** What becomes of a pod that was bound here. */
export interface Admission {
  /** Undefined for a pod that can be run. */
  refusal?: Refusal;
  preempts?: Preemption;
}

/** Who has to go for a critical pod. */
export interface Preemption {
  pods: readonly Pod[];
  /** The first resource that there was too little of. */
  lacking: string;
}

type Check = (pod: Pod, facts: AdmissionFacts) => Refusal | undefined;

/**
 * Whether a pod can be run here although it was bound here. Whoever binds pods without a
 * scheduler, or with an old view of the node, meets these. Reasons and messages are a kubelet's.
 */
export function admitPod(pod: Pod, facts: AdmissionFacts): Admission {
  const refused = firstRefusal([checkPressure, checkSysctls, facts.cpus, checkOs], pod, facts);
  if (refused) return { refusal: refused };
  const lacks = lacksOf(pod, facts);
  const elsewhere = firstRefusal([checkNode, checkPorts, checkTaints], pod, facts);
  let preempts: Preemption | undefined;
  if (lacks.length > 0 && !isCritical(pod)) return { refusal: insufficient(lacks) };
  if (elsewhere) return { refusal: elsewhere };
  if (lacks.length > 0) {
    const missing = new Map(lacks.map((lack) => [lack.name, lack.missing]));
    const pods = podsToPreempt(pod, missing, facts);
    if (!pods) return { refusal: cannotPreempt(lacks) };
    preempts = { pods, lacking: lacks[0]?.name ?? "" };
  }
  const refusal = checkAppArmor(pod, facts);
  return { ...(refusal ? { refusal } : preempts && { preempts }) };
}

function firstRefusal(
  checks: readonly Check[],
  pod: Pod,
  facts: AdmissionFacts,
): Refusal | undefined {
  for (const check of checks) {
    const refusal = check(pod, facts);
    if (refusal) return refusal;
  }
  return undefined;
}

const OS_LABEL = "kubernetes.io/os";

const checkOs: Check = (pod) => {
  if ((pod.metadata?.labels?.[OS_LABEL] ?? "linux") !== "linux") {
    const message = `Failed to admit pod as the \`${OS_LABEL}\` label doesn't match node label`;
    return { reason: "PodOSSelectorNodeLabelDoesNotMatch", message };
  }
  if ((pod.spec?.os?.name ?? "linux") === "linux") return undefined;
  const message = "Failed to admit pod as the OS field doesn't match node OS";
  return { reason: "PodOSNotSupported", message };
};

/** A node that evicts pods takes no new ones that would have to go first. */
const checkPressure: Check = (pod, { pressure }) => {
  const conditions = [
    ...(pressure.memory ? ["MemoryPressure"] : []),
    ...(pressure.disk ? ["DiskPressure"] : []),
    ...(pressure.pids ? ["PIDPressure"] : []),
  ];
  if (conditions.length === 0 || isCritical(pod)) return undefined;
  const onlyMemory = conditions.length === 1 && pressure.memory;
  if (onlyMemory && (qosClassOf(pod) !== "BestEffort" || toleratesMemoryPressure(pod))) {
    return undefined;
  }
  return { reason: "Evicted", message: `The node had condition: [${conditions.join(" ")}]. ` };
};

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
  return undefined;
};

const checkTaints: Check = (pod, { node }) => {
  const taints = (node?.spec?.taints ?? []).filter(({ effect }) => effect === "NoExecute");
  const taint = untoleratedTaint(taints, pod.spec?.tolerations ?? []);
  if (!taint || isStaticPod(pod)) return undefined;
  const why = "node(s) had taints that the pod didn't tolerate";
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

interface Lack {
  name: string;
  missing: number;
  /** The figures, as a kubelet tells them. */
  figures: string;
}

/** In this order they are looked at; others come after them. */
const FIRST: readonly string[] = ["pods", "cpu", "memory", "ephemeral-storage"];

/** What the node has too little of. What it does not know of at all is the cluster's business. */
function lacksOf(pod: Pod, { allocatable, others, requestsOf }: RoomFacts): Lack[] {
  const capacity = amountsOf(allocatable);
  const used = usedBy(others, requestsOf);
  const lacks: Lack[] = [];
  const requests = requestsOf(pod);
  for (const name of new Set([...FIRST, ...requests.keys()])) {
    const requested = requests.get(name) ?? 0;
    const limit = capacity.get(name) ?? 0;
    const isUnknown = !capacity.has(name) && name.includes("/");
    const taken = requested === 0 || isUnknown ? 0 : used(name);
    if (requested === 0 || isUnknown || requested + taken <= limit) continue;
    const figures = `requested: ${requested}, used: ${taken}, capacity: ${limit}`;
    lacks.push({ name, missing: requested - (limit - taken), figures });
  }
  return lacks;
}

function insufficient([lack]: readonly Lack[]): Refusal {
  const { name = "", figures = "" } = lack ?? {};
  const message = `Node didn't have enough resource: ${name}, ${figures}`;
  return { reason: `OutOf${name}`, message };
}

function cannotPreempt(lacks: readonly Lack[]): Refusal {
  const list = lacks.map(({ name, missing }) => `(res: ${name}, q: ${missing}), `).join("");
  const why = `no set of running pods found to reclaim resources: [${list}]`;
  const message =
    "Unexpected error while attempting to recover from admission failure: " +
    `preemption: error finding a set of pods to preempt: ${why}`;
  return { reason: "UnexpectedAdmissionError", message };
}

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

const checkSysctls: Check = (pod, { allowedSysctls }) => {
  const sysctl = forbiddenSysctl(pod, allowedSysctls);
  if (sysctl === undefined) return undefined;
  return { reason: "SysctlForbidden", message: `forbidden sysctl: ${sysctl}` };
};

const checkAppArmor: Check = (pod, { hasAppArmor }) => {
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
