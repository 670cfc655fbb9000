type Labels = Readonly<Record<string, string>>;

/** Labels of the reserved domains that a node may say of itself. */
const OWN_LABELS = new Set([
  "beta.kubernetes.io/arch",
  "beta.kubernetes.io/instance-type",
  "beta.kubernetes.io/os",
  "failure-domain.beta.kubernetes.io/region",
  "failure-domain.beta.kubernetes.io/zone",
  "kubernetes.io/arch",
  "kubernetes.io/hostname",
  "kubernetes.io/os",
  "node.kubernetes.io/instance-type",
  "topology.kubernetes.io/region",
  "topology.kubernetes.io/zone",
]);
const OWN_DOMAINS = ["kubelet.kubernetes.io", "node.kubernetes.io"];
const RESERVED_DOMAINS = ["kubernetes.io", "k8s.io"];
const RESTRICTION_DOMAIN = "node-restriction.kubernetes.io";

function isWithin(domain: string, parent: string): boolean {
  return domain === parent || domain.endsWith(`.${parent}`);
}

function isForbidden(label: string): boolean {
  const slash = label.indexOf("/");
  if (slash < 0) return false;
  const domain = label.slice(0, slash);
  if (isWithin(domain, RESTRICTION_DOMAIN)) return true;
  if (!RESERVED_DOMAINS.some((reserved) => isWithin(domain, reserved))) return false;
  return !OWN_LABELS.has(label) && !OWN_DOMAINS.some((own) => isWithin(domain, own));
}

/** Labels that a node changes about itself although only administrators may. */
export function forbiddenLabelChanges(old: Labels, next: Labels): string[] {
  const changed = [...new Set([...Object.keys(old), ...Object.keys(next)])].filter(
    (label) => old[label] !== next[label],
  );
  return changed.filter(isForbidden).sort();
}
