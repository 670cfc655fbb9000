import { celTypeOf } from "../../../api/custom-resource/schema-types.ts";
import type {
  ExpressionWarning,
  NamedRuleWithOperations,
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicySpec,
} from "../../../api/generated/types/admissionregistration-v1.ts";
import { policyEnvironment } from "../../../api/policy/policy-environment.ts";
import { celTypeOfStruct } from "../../../api/policy/struct-types.ts";
import type { Environment } from "../../../lib/cel/environment.ts";
import { DYN, type ObjectField, type ObjectType, type Type } from "../../../lib/cel/types.ts";
import type { ResourceRegistry, ServedResource } from "../../resource-registry.ts";
import { tryCompile } from "./contract.ts";

/** Kinds that a policy is checked against. */
const KINDS_MAX = 10;

/** What the expressions of a policy get wrong about the kinds that its rules name. */
export function typeWarnings(
  policy: ValidatingAdmissionPolicy,
  of: { registry: ResourceRegistry; base: Environment },
): ExpressionWarning[] {
  const { spec = {} } = policy;
  const { registry, base } = of;
  const kinds = kindsOf(spec, registry);
  const params = paramType(spec, registry);
  const environments = kinds.map(({ name, type }) => {
    const variables = { ...params, object: type, oldObject: type };
    return { name, environment: withComposition(spec, { base, variables }) };
  });
  const warnings: ExpressionWarning[] = [];
  const check = (fieldRef: string, source: string): void => {
    const texts = environments.flatMap(({ name, environment }) => {
      const program = tryCompile(source, environment);
      return program instanceof Error ? [`${name}: ${program.message}\n`] : [];
    });
    if (texts.length > 0) warnings.push({ fieldRef, warning: texts.join("\n") });
  };
  for (const [at, { expression, messageExpression }] of (spec.validations ?? []).entries()) {
    check(`spec.validations[${at}].expression`, expression);
    if (messageExpression) check(`spec.validations[${at}].messageExpression`, messageExpression);
  }
  return warnings;
}

function withComposition(
  spec: ValidatingAdmissionPolicySpec,
  of: { base: Environment; variables: Readonly<Record<string, Type>> },
): Environment {
  const fields = new Map<string, ObjectField>();
  const composed: ObjectType = { kind: "object", name: "kubernetes.variables", fields };
  const variables = { ...of.variables, variables: composed };
  const environment = policyEnvironment(of.base, { variables });
  for (const { name, expression } of spec.variables ?? []) {
    const program = tryCompile(expression, environment);
    fields.set(name, { name, type: program instanceof Error ? DYN : program.type });
  }
  return environment;
}

function paramType(
  { paramKind }: ValidatingAdmissionPolicySpec,
  registry: ResourceRegistry,
): Readonly<Record<string, Type>> {
  if (!paramKind) return {};
  const served = registry.all().find(({ resource, apiVersion }) => {
    return resource.kind === paramKind.kind && apiVersion === paramKind.apiVersion;
  });
  return { params: served ? typeOf(served) : DYN };
}

function typeOf({ schema, model, struct }: ServedResource): Type {
  if (schema) return celTypeOf(schema, true) ?? DYN;
  return model && struct ? celTypeOfStruct(model, struct) : DYN;
}

/** Kinds behind rules without wildcards, sorted as upstream sorts them. */
function kindsOf(
  spec: ValidatingAdmissionPolicySpec,
  registry: ResourceRegistry,
): { name: string; type: Type }[] {
  const found = new Map<string, ServedResource>();
  for (const rule of spec.matchConstraints?.resourceRules ?? []) {
    for (const served of servedBy(rule, registry)) {
      const { group, version, kind } = served.resource;
      // The core group has no name, and the slash all the same.
      if (found.size < KINDS_MAX) found.set(`${group}/${version}, Kind=${kind}`, served);
    }
  }
  return [...found]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, served]) => ({ name, type: typeOf(served) }));
}

function servedBy(rule: NamedRuleWithOperations, registry: ResourceRegistry): ServedResource[] {
  const { apiGroups = [], apiVersions = [], resources = [] } = rule;
  if ([...apiGroups, ...apiVersions].some((name) => name.includes("*"))) return [];
  return apiGroups.flatMap((group) =>
    apiVersions.flatMap((version) =>
      resources
        .filter((plural) => !/[*/]/.test(plural))
        .flatMap((plural) => registry.find(group, version, plural) ?? []),
    ),
  );
}
