import { requiredNodeTest } from "../../api/node-affinity.ts";
import type { DaemonSet } from "../../api/generated/types/apps-v1.ts";
import type { Node, Pod, PodSpec, Taint, Toleration } from "../../api/generated/types/core-v1.ts";
import type { OwnerReference } from "../../api/generated/types/meta-v1.ts";
import { isTolerated } from "../../api/taint.ts";
import { REVISION_HASH } from "../controller-revisions.ts";
import { podFromTemplate } from "../pod-state.ts";

const NODE_NAME_FIELD = "metadata.name";

/** What daemons put up with on any node: they are often what repairs it. */
function daemonTolerations(spec: PodSpec | undefined): Toleration[] {
  const tolerate = (key: string, effect: "NoExecute" | "NoSchedule"): Toleration => ({
    key: `node.kubernetes.io/${key}`,
    operator: "Exists",
    effect,
  });
  return [
    tolerate("not-ready", "NoExecute"),
    tolerate("unreachable", "NoExecute"),
    tolerate("disk-pressure", "NoSchedule"),
    tolerate("memory-pressure", "NoSchedule"),
    tolerate("pid-pressure", "NoSchedule"),
    tolerate("unschedulable", "NoSchedule"),
    ...(spec?.hostNetwork ? [tolerate("network-unavailable", "NoSchedule")] : []),
  ];
}

/** Whether a node should get a daemon pod, and whether one that is there may stay. */
export function daemonFit(set: DaemonSet, node: Node): { run: boolean; stay: boolean } {
  const spec = set.spec?.template?.spec;
  const name = node.metadata?.name ?? "";
  if (spec?.nodeName && spec.nodeName !== name) return { run: false, stay: false };
  const required =
    spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  const test = requiredNodeTest(spec?.nodeSelector, required);
  if (test && !test(node.metadata?.labels ?? {}, name)) return { run: false, stay: false };
  const tolerations = [...(spec?.tolerations ?? []), ...daemonTolerations(spec)];
  const repelled = (effects: readonly Taint["effect"][]) =>
    (node.spec?.taints ?? []).some(
      (taint) => effects.includes(taint.effect) && !isTolerated(taint, tolerations),
    );
  const stay = !repelled(["NoExecute"]);
  return { run: stay && !repelled(["NoSchedule"]), stay };
}

/** The node that a daemon pod is meant for, bound to it or not. */
export function targetNode(pod: Pod): string {
  if (pod.spec?.nodeName) return pod.spec.nodeName;
  const terms =
    pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
      ?.nodeSelectorTerms ?? [];
  for (const { matchFields } of terms) {
    const field = matchFields?.find(({ key }) => key === NODE_NAME_FIELD);
    if (field?.values?.[0]) return field.values[0];
  }
  return "";
}

/** The pod for one node: the scheduler binds it, but to no other node. */
export function daemonPod(
  set: DaemonSet,
  of: { node: string; owner: OwnerReference; hash: string },
): Pod {
  const pod = podFromTemplate(set.spec?.template, {
    namespace: set.metadata?.namespace ?? "",
    generateName: `${set.metadata?.name}-`,
    owner: of.owner,
  });
  const spec = pod.spec ?? { containers: [] };
  const affinity = spec.affinity;
  const onlyHere = {
    nodeSelectorTerms: [
      { matchFields: [{ key: NODE_NAME_FIELD, operator: "In" as const, values: [of.node] }] },
    ],
  };
  const nodeAffinity = {
    ...affinity?.nodeAffinity,
    requiredDuringSchedulingIgnoredDuringExecution: onlyHere,
  };
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      labels: { ...pod.metadata?.labels, [REVISION_HASH]: of.hash },
    },
    spec: {
      ...spec,
      affinity: { ...affinity, nodeAffinity },
      tolerations: [...(spec.tolerations ?? []), ...daemonTolerations(spec)],
    },
  };
}
