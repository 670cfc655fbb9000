import { test } from "node:test";
import {
  CLUSTER_ROLE_BINDINGS,
  CLUSTER_ROLES,
  ROLE_BINDINGS,
  ROLES,
} from "../generated/resources.ts";
import { checkRuleCases } from "./rule-cases.ts";

const GROUP = "rbac.authorization.k8s.io";
const URLS = 'rules[0].nonResourceURLs: Invalid value: []string{"/healthz"}';
const MIXED = "rules cannot apply to both regular resources and non-resource URLs";

test("rules of roles", () => {
  const rule = { verbs: ["get"], apiGroups: [""], resources: ["pods"] };
  const urls = { verbs: ["get"], nonResourceURLs: ["/healthz"] };
  const shared = [
    [{ rules: [rule], "metadata.name": "system:any.name" }],
    [{ rules: [{}] }, ...["verbs", "apiGroups", "resources"].map(required)],
  ] as [Record<string, unknown>, ...string[]][];
  checkRuleCases(ROLES, {
    base: {},
    create: [
      ...shared,
      [{ rules: [urls] }, `${URLS}: namespaced rules cannot apply to non-resource URLs`],
      [
        { rules: [{ ...urls, resourceNames: ["a"] }] },
        `${URLS}: namespaced rules cannot apply to non-resource URLs`,
        `${URLS}: ${MIXED}`,
      ],
    ],
  });
  checkRuleCases(CLUSTER_ROLES, {
    base: {},
    create: [
      ...shared,
      [{ rules: [urls] }],
      [{ rules: [{ ...urls, apiGroups: [""] }] }, `${URLS}: ${MIXED}`],
      [
        { aggregationRule: {} },
        "aggregationRule.clusterRoleSelectors: Required value: at least one clusterRoleSelector required if aggregationRule is non-nil",
      ],
    ],
  });
});

function required(part: string): string {
  const details: Record<string, string> = {
    verbs: "verbs must contain at least one value",
    apiGroups: "resource rules must supply at least one api group",
    resources: "resource rules must supply at least one resource",
  };
  return `rules[0].${part}: Required value: ${details[part]}`;
}

test("rules of bindings of roles", () => {
  const roleRef = { apiGroup: GROUP, kind: "ClusterRole", name: "view" };
  const user = { kind: "User", apiGroup: GROUP, name: "jane" };
  const shown = `rbac.RoleRef{APIGroup:"${GROUP}", Kind:"ClusterRole", Name:"edit"}`;
  const changed = [
    { "roleRef.name": "edit" },
    `roleRef: Invalid value: ${shown}: cannot change roleRef`,
  ] as const;
  const shared = [
    [
      { "roleRef.apiGroup": "x" },
      `roleRef.apiGroup: Unsupported value: "x": supported values: "${GROUP}"`,
    ],
    [{ "roleRef.name": "" }, "roleRef.name: Required value"],
    [{ "roleRef.name": "a/b" }, `roleRef.name: Invalid value: "a/b": may not contain '/'`],
    [
      { subjects: [{ kind: "Pod", name: "" }] },
      "subjects[0].name: Required value",
      'subjects[0].kind: Unsupported value: "Pod": supported values: "ServiceAccount", "User", "Group"',
    ],
    [
      { subjects: [{ ...user, apiGroup: "x" }] },
      `subjects[0].apiGroup: Unsupported value: "x": supported values: "${GROUP}"`,
    ],
    [
      { subjects: [{ kind: "ServiceAccount", name: "a", namespace: "b", apiGroup: "x" }] },
      'subjects[0].apiGroup: Unsupported value: "x": supported values: ""',
    ],
  ] as [Record<string, unknown>, ...string[]][];
  checkRuleCases(ROLE_BINDINGS, {
    base: { roleRef, subjects: [user] },
    create: [
      ...shared,
      [{ subjects: [{ kind: "ServiceAccount", name: "a" }] }],
      [
        { "roleRef.kind": "x" },
        'roleRef.kind: Unsupported value: "x": supported values: "Role", "ClusterRole"',
      ],
    ],
    update: [changed],
  });
  checkRuleCases(CLUSTER_ROLE_BINDINGS, {
    base: { roleRef, subjects: [user] },
    create: [
      ...shared,
      [
        { subjects: [{ kind: "ServiceAccount", name: "a" }] },
        "subjects[0].namespace: Required value",
      ],
      [
        { "roleRef.kind": "Role" },
        'roleRef.kind: Unsupported value: "Role": supported values: "ClusterRole"',
      ],
    ],
    update: [changed],
  });
});
