import assert from "node:assert/strict";
import { test } from "node:test";
import {
  CLUSTER_ROLE_BINDINGS,
  CLUSTER_ROLES,
  ROLE_BINDINGS,
  ROLES,
} from "../../api/generated/resources.ts";
import type { PolicyRule, Subject } from "../../api/generated/types/rbac-v1.ts";
import type { AccessRequest, UserInfo } from "../contract.ts";
import { reviewSelfAccess, reviewSelfRules, reviewSubjectAccess } from "./access-reviews.ts";
import { forbiddenAccess } from "./access-refusal.ts";
import { createAuthorizer } from "./authorization.ts";
import { memoryReader } from "./memory-reader.ts";
import { describeRules, uncoveredRules } from "./rule-coverage.ts";

const JANE: UserInfo = { name: "jane", groups: ["dev", "system:authenticated"] };
const RBAC = "rbac.authorization.k8s.io";
const janeSubject: Subject = { kind: "User", apiGroup: RBAC, name: "jane" };

function cluster(rules: PolicyRule[], subject: Subject = janeSubject) {
  const reader = memoryReader();
  reader.put(CLUSTER_ROLES, { metadata: { name: "role" }, rules });
  reader.put(CLUSTER_ROLE_BINDINGS, {
    metadata: { name: "binding" },
    subjects: [subject],
    roleRef: { apiGroup: RBAC, kind: "ClusterRole", name: "role" },
  });
  return { reader, authorizer: createAuthorizer(reader) };
}

const pods = { user: JANE, verb: "get", group: "", resource: "pods", namespace: "a", name: "web" };
const POD_RULE: PolicyRule = { verbs: ["get"], apiGroups: [""], resources: ["pods"] };

const TABLE: [title: string, rule: PolicyRule, request: AccessRequest, allowed: boolean][] = [
  ["an exact rule allows", POD_RULE, pods, true],
  ["another verb is refused", POD_RULE, { ...pods, verb: "delete" }, false],
  ["another group is refused", POD_RULE, { ...pods, group: "apps" }, false],
  ["a subresource needs its own rule", POD_RULE, { ...pods, subresource: "log" }, false],
  [
    "a subresource is named with its parent",
    { ...POD_RULE, resources: ["pods/log"] },
    { ...pods, subresource: "log" },
    true,
  ],
  [
    "a star before a subresource means every parent",
    { ...POD_RULE, resources: ["*/scale"] },
    { ...pods, subresource: "scale" },
    true,
  ],
  [
    "a star before a subresource does not mean the parent itself",
    { ...POD_RULE, resources: ["*/scale"] },
    pods,
    false,
  ],
  [
    "a star means every resource",
    { ...POD_RULE, resources: ["*"] },
    { ...pods, subresource: "exec" },
    true,
  ],
  ["a named rule allows that name", { ...POD_RULE, resourceNames: ["web"] }, pods, true],
  ["a named rule refuses another name", { ...POD_RULE, resourceNames: ["db"] }, pods, false],
  [
    "a named rule refuses a request without name",
    { ...POD_RULE, resourceNames: ["web"] },
    { ...pods, name: "" },
    false,
  ],
  [
    "a path with a star means all below",
    { verbs: ["get"], nonResourceURLs: ["/healthz/*"] },
    { user: JANE, verb: "get", path: "/healthz/ping" },
    true,
  ],
  ["a path rule does not allow resources", { verbs: ["*"], nonResourceURLs: ["*"] }, pods, false],
  [
    "a resource rule does not allow paths",
    { verbs: ["*"], apiGroups: ["*"], resources: ["*"] },
    { user: JANE, verb: "get", path: "/metrics" },
    false,
  ],
];

for (const [title, rule, request, allowed] of TABLE) {
  test(title, () => {
    assert.equal(cluster([rule]).authorizer.authorize(request).allowed, allowed);
  });
}

test("a binding names users, groups and service accounts", () => {
  const through = (subject: Subject, user: UserInfo) =>
    cluster([POD_RULE], subject).authorizer.authorize({ ...pods, user }).allowed;
  const account = { name: "system:serviceaccount:ci:bot", groups: [] };
  assert.equal(through({ kind: "Group", name: "dev" }, JANE), true);
  assert.equal(through({ kind: "Group", name: "ops" }, JANE), false);
  assert.equal(through({ kind: "User", name: "dev" }, JANE), false);
  assert.equal(through({ kind: "ServiceAccount", name: "bot", namespace: "ci" }, account), true);
  assert.equal(through({ kind: "ServiceAccount", name: "bot", namespace: "qa" }, account), false);
});

test("a RoleBinding holds in its namespace only, also with a ClusterRole", () => {
  const reader = memoryReader();
  const authorizer = createAuthorizer(reader);
  reader.put(CLUSTER_ROLES, { metadata: { name: "role" }, rules: [POD_RULE] });
  reader.put(ROLE_BINDINGS, {
    metadata: { name: "b", namespace: "a" },
    subjects: [janeSubject],
    roleRef: { apiGroup: RBAC, kind: "ClusterRole", name: "role" },
  });
  assert.equal(authorizer.authorize(pods).allowed, true);
  assert.equal(authorizer.authorize({ ...pods, namespace: "b" }).allowed, false);
});

test("a change of a role or binding counts at once", () => {
  const { reader, authorizer } = cluster([POD_RULE]);
  assert.equal(authorizer.authorize(pods).allowed, true);
  reader.put(CLUSTER_ROLES, { metadata: { name: "role" }, rules: [] });
  assert.equal(authorizer.authorize(pods).allowed, false);
  reader.put(CLUSTER_ROLES, { metadata: { name: "role" }, rules: [POD_RULE] });
  reader.remove(CLUSTER_ROLE_BINDINGS, { name: "binding" });
  assert.equal(authorizer.authorize(pods).allowed, false);
});

test("a refusal reads as upstream's, and names a missing role", () => {
  const { reader, authorizer } = cluster([POD_RULE]);
  reader.remove(CLUSTER_ROLES, { name: "role" });
  const { reason } = authorizer.authorize(pods);
  assert.equal(
    forbiddenAccess(pods, reason).message,
    'pods "web" is forbidden: User "jane" cannot get resource "pods" in API group "" in the namespace "a": RBAC: clusterrole.rbac.authorization.k8s.io "role" not found',
  );
  assert.equal(
    forbiddenAccess({ user: JANE, verb: "get", path: "/metrics" }, "").message,
    'forbidden: User "jane" cannot get path "/metrics"',
  );
});

test("system:masters may do everything", () => {
  const admin = { name: "root", groups: ["system:masters"] };
  const { allowed } = createAuthorizer(memoryReader()).authorize({ ...pods, user: admin });
  assert.equal(allowed, true);
});

test("coverage adds up over several rules", () => {
  const wanted = [{ verbs: ["get", "list"], apiGroups: ["", "apps"], resources: ["pods"] }];
  const owned = [
    { verbs: ["*"], apiGroups: [""], resources: ["*"] },
    { verbs: ["get"], apiGroups: ["apps"], resources: ["pods"] },
  ];
  assert.equal(
    describeRules(uncoveredRules(owned, wanted)),
    '{APIGroups:["apps"], Resources:["pods"], Verbs:["list"]}',
  );
  const named = [{ verbs: ["get"], apiGroups: [""], resources: ["pods"], resourceNames: ["x"] }];
  assert.equal(
    uncoveredRules(named, [POD_RULE]).length,
    1,
    "a named rule does not cover all names",
  );
  assert.equal(uncoveredRules([POD_RULE], named).length, 0);
});

test("access reviews answer for others and for oneself", () => {
  const { authorizer } = cluster([POD_RULE]);
  const resourceAttributes = { verb: "get", resource: "pods", namespace: "a" };
  const review = reviewSubjectAccess(authorizer, { spec: { user: "jane", resourceAttributes } });
  assert.equal(review.status?.allowed, true);
  const node: UserInfo = { name: "system:node:n1", groups: ["system:nodes"] };
  const asked = { ...resourceAttributes, resource: "services" };
  const body = { spec: { resourceAttributes: asked } };
  const self = reviewSelfAccess(authorizer, { body, user: node });
  assert.equal(self.status?.allowed, true, "nodes read Services");
  assert.throws(() => reviewSubjectAccess(authorizer, { spec: { resourceAttributes } }), {
    message: /at least one of user or group/,
  });
  const rules = reviewSelfRules(authorizer.rbac, {
    body: { spec: { namespace: "a" } },
    user: JANE,
  });
  assert.deepEqual(rules.status?.resourceRules, [POD_RULE]);
});

test("roles of another namespace do not resolve", () => {
  const reader = memoryReader();
  reader.put(ROLES, { metadata: { name: "r", namespace: "b" }, rules: [POD_RULE] });
  reader.put(ROLE_BINDINGS, {
    metadata: { name: "b", namespace: "a" },
    subjects: [janeSubject],
    roleRef: { apiGroup: RBAC, kind: "Role", name: "r" },
  });
  assert.equal(createAuthorizer(reader).authorize(pods).allowed, false);
});
