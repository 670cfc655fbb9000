import type { PolicyRule } from "../../api/generated/types/rbac-v1.ts";

function holds(owned: readonly string[] | undefined, wanted: string): boolean {
  return owned !== undefined && (owned.includes("*") || owned.includes(wanted));
}

function holdsResource(owned: readonly string[] | undefined, wanted: string): boolean {
  if (holds(owned, wanted)) return true;
  const slash = wanted.indexOf("/");
  return slash >= 0 && owned !== undefined && owned.includes(`*${wanted.slice(slash)}`);
}

function holdsPath(owned: readonly string[] | undefined, wanted: string): boolean {
  return (owned ?? []).some(
    (pattern) =>
      pattern === "*" ||
      pattern === wanted ||
      (pattern.endsWith("*") && wanted.startsWith(pattern.slice(0, -1))),
  );
}

/** One verb on one resource (and one name) at a time, so that several owners can add up. */
function* breakDown(rule: PolicyRule): Generator<PolicyRule> {
  for (const verb of rule.verbs ?? []) {
    for (const url of rule.nonResourceURLs ?? []) yield { verbs: [verb], nonResourceURLs: [url] };
    for (const group of rule.apiGroups ?? []) {
      for (const resource of rule.resources ?? []) {
        const one = { verbs: [verb], apiGroups: [group], resources: [resource] };
        if (!rule.resourceNames?.length) yield one;
        for (const name of rule.resourceNames ?? []) yield { ...one, resourceNames: [name] };
      }
    }
  }
}

function covers(owner: PolicyRule, wanted: PolicyRule): boolean {
  const [verb = ""] = wanted.verbs;
  if (!holds(owner.verbs, verb)) return false;
  const [url] = wanted.nonResourceURLs ?? [];
  if (url !== undefined) return holdsPath(owner.nonResourceURLs, url);
  const [group = ""] = wanted.apiGroups ?? [];
  const [resource = ""] = wanted.resources ?? [];
  const [name] = wanted.resourceNames ?? [];
  if (!holds(owner.apiGroups, group) || !holdsResource(owner.resources, resource)) return false;
  if (!owner.resourceNames?.length) return true;
  return name !== undefined && owner.resourceNames.includes(name);
}

/** The parts of `wanted` that nothing in `owned` allows; empty when all of it is held. */
export function uncoveredRules(
  owned: readonly PolicyRule[],
  wanted: readonly PolicyRule[],
): PolicyRule[] {
  return wanted
    .flatMap((rule) => [...breakDown(rule)])
    .filter((one) => !owned.some((owner) => covers(owner, one)));
}

function quoted(values: readonly string[]): string {
  return `[${values.map((value) => JSON.stringify(value)).join(" ")}]`;
}

/** One line per rule in upstream's notation: `{APIGroups:[""], Resources:["pods"], Verbs:["get"]}`. */
export function describeRules(rules: readonly PolicyRule[]): string {
  const merged = new Map<string, PolicyRule>();
  for (const rule of rules) {
    const { verbs, ...what } = rule;
    const key = JSON.stringify(what);
    const known = merged.get(key);
    if (known) known.verbs.push(...verbs);
    else merged.set(key, { ...what, verbs: [...verbs] });
  }
  return [...merged.values()]
    .map(({ apiGroups, resources, resourceNames, nonResourceURLs, verbs }) => {
      const parts = [
        ...(apiGroups ? [`APIGroups:${quoted(apiGroups)}`] : []),
        ...(resources ? [`Resources:${quoted(resources)}`] : []),
        ...(resourceNames ? [`ResourceNames:${quoted(resourceNames)}`] : []),
        ...(nonResourceURLs ? [`NonResourceURLs:${quoted(nonResourceURLs)}`] : []),
        `Verbs:${quoted([...new Set(verbs)])}`,
      ];
      return `{${parts.join(", ")}}`;
    })
    .join("\n");
}
