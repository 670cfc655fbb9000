/** Groups that define themselves, in the order of discovery; what is not listed is custom. */
const BUILT_IN_GROUPS: Readonly<Record<string, number>> = {
  "": 18_000,
  apps: 17_800,
  "events.k8s.io": 17_750,
  "authentication.k8s.io": 17_700,
  "authorization.k8s.io": 17_600,
  autoscaling: 17_500,
  batch: 17_400,
  "certificates.k8s.io": 17_300,
  "networking.k8s.io": 17_200,
  policy: 17_100,
  "rbac.authorization.k8s.io": 17_000,
  "storage.k8s.io": 16_800,
  "apiextensions.k8s.io": 16_700,
  "admissionregistration.k8s.io": 16_700,
  "scheduling.k8s.io": 16_600,
  "coordination.k8s.io": 16_500,
  "node.k8s.io": 16_300,
  "discovery.k8s.io": 16_200,
  "flowcontrol.apiserver.k8s.io": 16_100,
  "apiregistration.k8s.io": 20_000,
};
const CUSTOM_GROUP = 1_000;
const CUSTOM_VERSION = 100;
const STABLE_VERSION = 15;

/** Where a group that this server itself answers for stands among all. */
export function groupPriorityOf(group: string): number {
  return BUILT_IN_GROUPS[group] ?? CUSTOM_GROUP;
}

/** Whether a group is part of every server. */
export function isBuiltInGroup(group: string): boolean {
  return Object.hasOwn(BUILT_IN_GROUPS, group);
}

/** Where a version stands in its group; newer stable ones first. */
export function versionPriorityOf(group: string, version: string): number {
  if (!isBuiltInGroup(group)) return CUSTOM_VERSION;
  if (group === "") return 1;
  const major = Number(/^v(\d+)$/.exec(version)?.[1] ?? 0);
  return major > 1 ? STABLE_VERSION * major : STABLE_VERSION;
}
