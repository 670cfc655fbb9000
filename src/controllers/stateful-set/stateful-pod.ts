import type { ControllerRevision, StatefulSet } from "../../api/generated/types/apps-v1.ts";
import type { PersistentVolumeClaim, Pod } from "../../api/generated/types/core-v1.ts";
import type { OwnerReference } from "../../api/generated/types/meta-v1.ts";
import { REVISION_HASH } from "../controller-revisions.ts";
import { podFromTemplate } from "../pod-state.ts";

export const POD_NAME = "statefulset.kubernetes.io/pod-name";
const POD_INDEX = "apps.kubernetes.io/pod-index";

/** The ordinal of a set's pod; -1 for a name that is none of the set's. */
export function ordinalOf(set: StatefulSet, pod: Pod): number {
  const prefix = `${set.metadata?.name}-`;
  const name = pod.metadata?.name ?? "";
  const digits = name.startsWith(prefix) ? name.slice(prefix.length) : "";
  return /^(0|[1-9]\d*)$/.test(digits) ? Number(digits) : -1;
}

/** Whether the set wants a pod of that ordinal. */
export function isMember(set: StatefulSet, pod: Pod): boolean {
  const start = set.spec?.ordinals?.start ?? 0;
  const ordinal = ordinalOf(set, pod);
  return ordinal >= start && ordinal < start + (set.spec?.replicas ?? 1);
}

/** What tells a member apart from the others, for Services that select a single one. */
export function identityLabels(name: string, ordinal: number): Record<string, string> {
  return { [POD_NAME]: name, [POD_INDEX]: String(ordinal) };
}

function claimName(set: StatefulSet, of: { template: string; ordinal: number }): string {
  return `${of.template}-${set.metadata?.name}-${of.ordinal}`;
}

/** Whether a claim of that name belongs to one of the set's pods, by the names alone. */
export function isClaimName(set: StatefulSet, name: string): boolean {
  return (set.spec?.volumeClaimTemplates ?? []).some(({ metadata }) => {
    const prefix = `${metadata?.name}-${set.metadata?.name}-`;
    return name.startsWith(prefix) && /^(0|[1-9]\d*)$/.test(name.slice(prefix.length));
  });
}

/** The claims of one pod; they outlive it, unless the set's policy gives them an owner. */
export function claimsOf(set: StatefulSet, ordinal: number): PersistentVolumeClaim[] {
  return (set.spec?.volumeClaimTemplates ?? []).map((template) => ({
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: {
      ...template.metadata,
      name: claimName(set, { template: template.metadata?.name ?? "", ordinal }),
      namespace: set.metadata?.namespace ?? "",
      labels: { ...template.metadata?.labels, ...set.spec?.selector?.matchLabels },
    },
    ...(template.spec ? { spec: template.spec } : {}),
  }));
}

/** The pod with that ordinal: its name, its place in DNS and its volumes never change. */
export function statefulPod(
  set: StatefulSet,
  of: { ordinal: number; owner: OwnerReference; revision: ControllerRevision },
): Pod {
  const { ordinal, revision } = of;
  const name = `${set.metadata?.name}-${ordinal}`;
  const template = templateOf(revision) ?? set.spec?.template;
  const pod = podFromTemplate(template, {
    namespace: set.metadata?.namespace ?? "",
    generateName: `${set.metadata?.name}-`,
    owner: of.owner,
  });
  const claimed = (set.spec?.volumeClaimTemplates ?? []).map(({ metadata }) => ({
    name: metadata?.name ?? "",
    persistentVolumeClaim: {
      claimName: claimName(set, { template: metadata?.name ?? "", ordinal }),
    },
  }));
  const names = new Set(claimed.map((volume) => volume.name));
  const others = (pod.spec?.volumes ?? []).filter((volume) => !names.has(volume.name));
  const volumes = [...claimed, ...others];
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      name,
      labels: {
        ...pod.metadata?.labels,
        ...identityLabels(name, ordinal),
        [REVISION_HASH]: revision.metadata?.name ?? "",
      },
    },
    spec: {
      containers: [],
      ...pod.spec,
      hostname: name,
      ...(set.spec?.serviceName ? { subdomain: set.spec.serviceName } : {}),
      ...(volumes.length > 0 ? { volumes } : {}),
    },
  };
}

/** The template that a revision remembers. */
function templateOf(
  revision: ControllerRevision,
): NonNullable<StatefulSet["spec"]>["template"] | undefined {
  const data = revision.data as
    | { spec?: { template?: NonNullable<StatefulSet["spec"]>["template"] & { $patch?: string } } }
    | undefined;
  if (!data?.spec?.template) return undefined;
  const { $patch: _, ...template } = data.spec.template;
  return template;
}
