import type { RuleWithOperations } from "../generated/types/admissionregistration-v1.ts";
import type { FieldErrors } from "./field-errors.ts";
import { goStrings } from "./go-text.ts";

const OPERATIONS = ["*", "CONNECT", "CREATE", "DELETE", "UPDATE"];

/** What a rule of a webhook or policy is about: operations on resources. */
export function validateAdmissionRule(
  errors: FieldErrors,
  field: string,
  rule: RuleWithOperations,
): void {
  const { operations = [], apiGroups = [], apiVersions = [], resources = [] } = rule;
  const alone = (name: string, items: readonly string[], what: string, type?: string) => {
    if (items.length === 0) errors.required(`${field}.${name}`);
    if (items.length > 1 && items.includes("*")) {
      const why = `if '*' is present, must not specify other ${what}`;
      errors.invalid(`${field}.${name}`, goStrings(items, type), why);
    }
  };
  alone("operations", operations, "operations", "admissionregistration.OperationType");
  for (const [at, operation] of operations.entries()) {
    errors.oneOf(`${field}.operations[${at}]`, operation, OPERATIONS);
  }
  alone("apiGroups", apiGroups, "API groups");
  alone("apiVersions", apiVersions, "API versions");
  for (const [at, version] of apiVersions.entries()) {
    errors.present(`${field}.apiVersions[${at}]`, version);
  }
  validateResources(errors, `${field}.resources`, resources);
  errors.oneOf(`${field}.scope`, rule.scope, ["*", "Cluster", "Namespaced"]);
}

function validateResources(errors: FieldErrors, field: string, resources: readonly string[]): void {
  if (resources.length === 0) errors.required(field);
  const wholeResources = new Set<string>();
  const wholeSubresources = new Set<string>();
  for (const [at, text] of resources.entries()) {
    const place = `${field}[${at}]`;
    if (!errors.present(place, text)) continue;
    const slash = text.indexOf("/");
    if (slash < 0) continue;
    const [resource, below] = [text.slice(0, slash), text.slice(slash + 1)];
    if (wholeResources.has(resource)) {
      errors.invalid(place, text, `if '${resource}/*' is present, must not specify ${text}`);
    }
    if (wholeSubresources.has(below)) {
      errors.invalid(place, text, `if '*/${below}' is present, must not specify ${text}`);
    }
    if (below === "*") wholeResources.add(resource);
    if (resource === "*") wholeSubresources.add(below);
  }
  const shown = goStrings(resources);
  if (resources.length > 1 && resources.includes("*/*")) {
    errors.invalid(field, shown, "if '*/*' is present, must not specify other resources");
  }
  // Upstream looks at the last one only.
  const lastWhole = resources.findLast((text) => text !== "" && !text.includes("/"));
  if (resources.includes("*") && lastWhole !== "*") {
    const why = "if '*' is present, must not specify other resources without subresources";
    errors.invalid(field, shown, why);
  }
}
