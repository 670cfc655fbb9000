import {
  CLUSTER_ROLE_BINDINGS,
  CLUSTER_ROLES,
  ROLE_BINDINGS,
  ROLES,
} from "../../api/generated/resources.ts";
import type { PolicyRule, RoleBinding } from "../../api/generated/types/rbac-v1.ts";
import type { Authorizer, ObjectReader, UserInfo } from "../contract.ts";
import { type CompiledRule, compileRule, ruleAllows } from "./rule-matcher.ts";
import { type Binding, type SubjectIndex, subjectIndex } from "./subject-index.ts";

const NAMESPACES_MAX = 4096;

/** A role that a user holds, and through which binding. */
export interface Grant {
  binding: Binding;
  bindingKind: "ClusterRoleBinding" | "RoleBinding";
  rules: readonly PolicyRule[];
}

/** RBAC over the live roles and bindings. */
export interface RbacAuthorizer extends Authorizer {
  /** Every rule that holds for the user in `namespace`; "" means only cluster-wide ones. */
  grantsOf(user: UserInfo, namespace: string): Grant[];
  /** The rules of a role; `undefined` when it does not exist. */
  rulesOf(roleRef: Binding["roleRef"], namespace: string): readonly PolicyRule[] | undefined;
}

const NO_RULES: readonly PolicyRule[] = [];

function describe({ binding, bindingKind }: Grant, user: UserInfo): string {
  const { name = "", namespace } = binding.metadata ?? {};
  const qualified = namespace ? `${name}/${namespace}` : name;
  const { kind, name: role } = binding.roleRef;
  return `RBAC: allowed by ${bindingKind} ${JSON.stringify(qualified)} of ${kind} ${JSON.stringify(role)} to User ${JSON.stringify(user.name)}`;
}

/** Reads roles and bindings through `reader`; each role is compiled once per version of it. */
export function createRbacAuthorizer(reader: ObjectReader): RbacAuthorizer {
  const compiled = new WeakMap<readonly PolicyRule[], CompiledRule[]>();
  const clusterIndex = subjectIndex(() => reader.list(CLUSTER_ROLE_BINDINGS));
  const namespaceIndexes = new Map<string, SubjectIndex<RoleBinding>>();

  const compiledRules = (rules: readonly PolicyRule[]): CompiledRule[] => {
    let ready = compiled.get(rules);
    if (!ready) compiled.set(rules, (ready = rules.map(compileRule)));
    return ready;
  };

  const namespaceIndex = (namespace: string): SubjectIndex<RoleBinding> => {
    let index = namespaceIndexes.get(namespace);
    if (!index) {
      if (namespaceIndexes.size >= NAMESPACES_MAX) namespaceIndexes.clear();
      index = subjectIndex(() => reader.list(ROLE_BINDINGS, namespace));
      namespaceIndexes.set(namespace, index);
    }
    return index;
  };

  const rulesOf: RbacAuthorizer["rulesOf"] = ({ kind, name }, namespace) => {
    const role =
      kind === "ClusterRole"
        ? reader.get(CLUSTER_ROLES, { name })
        : reader.get(ROLES, { namespace, name });
    return role && (role.rules ?? NO_RULES);
  };

  function* bindingsOf(user: UserInfo, namespace: string): Generator<Omit<Grant, "rules">> {
    for (const binding of clusterIndex.of(user)) {
      yield { binding, bindingKind: "ClusterRoleBinding" };
    }
    if (!namespace) return;
    for (const binding of namespaceIndex(namespace).of(user)) {
      yield { binding, bindingKind: "RoleBinding" };
    }
  }

  return {
    rulesOf,
    grantsOf: (user, namespace) =>
      [...bindingsOf(user, namespace)].map((grant) => ({
        ...grant,
        rules: rulesOf(grant.binding.roleRef, namespace) ?? NO_RULES,
      })),
    authorize: (request) => {
      const { user, namespace = "" } = request;
      const missing: string[] = [];
      for (const grant of bindingsOf(user, namespace)) {
        const { roleRef } = grant.binding;
        const rules = rulesOf(roleRef, namespace);
        if (!rules) {
          const resource = roleRef.kind === "ClusterRole" ? "clusterrole" : "role";
          const name = JSON.stringify(roleRef.name);
          missing.push(`${resource}.rbac.authorization.k8s.io ${name} not found`);
        } else if (compiledRules(rules).some((rule) => ruleAllows(rule, request))) {
          return { allowed: true, reason: describe({ ...grant, rules }, user) };
        }
      }
      const list = missing.length > 1 ? `[${missing.join(", ")}]` : (missing[0] ?? "");
      return { allowed: false, reason: list && `RBAC: ${list}` };
    },
  };
}
