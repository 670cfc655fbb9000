import type { ClusterRole, PolicyRule } from "../api/generated/types/rbac-v1.ts";
import type { Resource } from "../api/resource.ts";
import type { ControllerDefinition } from "./controller.ts";

/**
 * The role that lets a controller do exactly what it declares: read its inputs and outputs, write
 * its outputs, and record events.
 */
export function roleOf(
  definition: Pick<ControllerDefinition, "name" | "inputs" | "outputs" | "undeclared">,
): ClusterRole {
  const verbs = new Map<string, { group: string; resource: string; verbs: Set<string> }>();
  const grant = ({ group, plural }: Resource, subresource: string, granted: readonly string[]) => {
    const resource = subresource ? `${plural}/${subresource}` : plural;
    const key = `${group}/${resource}`;
    const entry = verbs.get(key) ?? { group, resource, verbs: new Set() };
    for (const verb of granted) entry.verbs.add(verb);
    verbs.set(key, entry);
  };
  for (const { resource } of Object.values(definition.inputs)) {
    grant(resource, "", ["get", "list", "watch"]);
  }
  const named: PolicyRule[] = [];
  for (const output of definition.outputs) {
    if (output.names) {
      named.push({
        apiGroups: [output.resource.group],
        resources: [output.resource.plural],
        verbs: [...output.verbs],
        resourceNames: [...output.names],
      });
      continue;
    }
    grant(output.resource, "", ["get", ...output.verbs]);
    for (const subresource of output.subresources ?? []) {
      grant(output.resource, subresource, output.verbs);
    }
  }
  const rules: PolicyRule[] = [...verbs.values()].map((entry) => ({
    apiGroups: [entry.group],
    resources: [entry.resource],
    verbs: [...entry.verbs].sort(),
  }));
  rules.push(...named, ...(definition.undeclared ?? []), {
    apiGroups: [""],
    resources: ["events"],
    verbs: ["create", "patch"],
  });
  return {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRole",
    metadata: { name: `system:controller:${definition.name}` },
    rules,
  };
}
