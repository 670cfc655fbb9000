import type { BootstrapBody } from "./bootstrap-object.ts";
import assert from "node:assert/strict";
import { test } from "node:test";
import { alreadyExists, notFound } from "../../api/errors.ts";
import { CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES } from "../../api/generated/resources.ts";
import type { PriorityLevelConfigurationSpec } from "../../api/generated/types/flowcontrol-v1.ts";
import { pathOf } from "../../api/resource.ts";
import type { ApiRequest, Transport } from "../../api/transport.ts";
import { createAuthorizer } from "../authorization/authorization.ts";
import { memoryReader } from "../authorization/memory-reader.ts";
import type { UserInfo } from "../contract.ts";
import { bootstrapObjects } from "./bootstrap-objects.ts";
import { reconcileBootstrap } from "./reconcile-bootstrap.ts";

function recordingTransport() {
  const objects = new Map<string, BootstrapBody>();
  const transport: Transport = {
    request: async ({ method, path, body }: ApiRequest) => {
      const object = body as BootstrapBody;
      if (method === "GET") {
        const found = objects.get(path);
        if (!found) throw notFound({ group: "", plural: "x" }, path);
        return { status: 200, body: found };
      }
      const key = method === "POST" ? `${path}/${encodeURIComponent(object.metadata.name)}` : path;
      if (method === "POST" && objects.has(key))
        throw alreadyExists({ group: "", plural: "x" }, key);
      objects.set(key, structuredClone(object));
      return { status: 201, body: object };
    },
    watch: () => Promise.reject(new Error("no watch here")),
  };
  return { objects, transport };
}

test("a new cluster gets everything, a second start changes nothing", async () => {
  const { transport } = recordingTransport();
  const wanted = bootstrapObjects({ clientCaPem: "a", frontProxyCaPem: "b" });
  assert.deepEqual(await reconcileBootstrap(transport, wanted), {
    created: wanted.length,
    updated: 0,
  });
  assert.deepEqual(await reconcileBootstrap(transport, wanted), { created: 0, updated: 0 });
});

test("a lost rule comes back, an added one stays, autoupdate=false is obeyed", async () => {
  const { objects, transport } = recordingTransport();
  const wanted = bootstrapObjects();
  await reconcileBootstrap(transport, wanted);
  const path = pathOf(CLUSTER_ROLES, { name: "system:basic-user" });
  const role = objects.get(path);
  assert.ok(role?.rules);
  const added = { verbs: ["get"], apiGroups: [""], resources: ["nodes"] };
  role.rules = [added];
  assert.equal((await reconcileBootstrap(transport, wanted)).updated, 1);
  const repaired = objects.get(path);
  assert.deepEqual(repaired?.rules?.[0], added);
  assert.ok((repaired?.rules?.length ?? 0) > 1);
  objects.set(path, {
    ...role,
    rules: [],
    metadata: {
      ...role.metadata,
      annotations: { "rbac.authorization.kubernetes.io/autoupdate": "false" },
    },
  });
  assert.equal((await reconcileBootstrap(transport, wanted)).updated, 0);
});

test("the bundled roles draw the lines where they belong", () => {
  const reader = memoryReader();
  for (const { resource, object } of bootstrapObjects()) reader.put(resource, object);
  for (const role of ["view", "edit", "admin"]) {
    reader.put(CLUSTER_ROLE_BINDINGS, {
      metadata: { name: `to-${role}` },
      subjects: [{ kind: "User", name: role }],
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: role },
    });
  }
  const { authorize } = createAuthorizer(reader);
  const may = (name: string, verb: string, resource: string, group = "") => {
    const user: UserInfo = { name, groups: ["system:authenticated"] };
    const [plural = "", subresource] = resource.split("/");
    const request = { user, verb, group, resource: plural, namespace: "a", name: "x" };
    return authorize({ ...request, ...(subresource ? { subresource } : {}) }).allowed;
  };
  assert.equal(may("view", "get", "pods/log"), true);
  assert.equal(may("view", "get", "secrets"), false);
  assert.equal(may("view", "create", "pods"), false);
  assert.equal(may("edit", "create", "pods/exec"), true);
  assert.equal(may("edit", "get", "secrets"), true);
  assert.equal(may("edit", "create", "roles", "rbac.authorization.k8s.io"), false);
  assert.equal(may("admin", "create", "roles", "rbac.authorization.k8s.io"), true);
  assert.equal(may("admin", "patch", "nodes"), false);
  assert.equal(may("system:kube-scheduler", "create", "pods/binding"), true);
  const visit = (user: UserInfo, path: string) => authorize({ user, verb: "get", path }).allowed;
  const anonymous = { name: "system:anonymous", groups: ["system:unauthenticated"] };
  assert.equal(visit(anonymous, "/readyz"), true);
  assert.equal(visit(anonymous, "/apis"), false);
  assert.equal(visit({ name: "x", groups: ["system:authenticated"] }, "/openapi/v3"), true);
});

test("priority levels have upstream's shares", () => {
  const levels = bootstrapObjects().flatMap(({ object }) =>
    object.kind === "PriorityLevelConfiguration" ? [object] : [],
  );
  const shares = levels.map(({ metadata, spec }) => {
    const { limited, exempt } = spec as PriorityLevelConfigurationSpec;
    return [metadata?.name, (limited ?? exempt)?.nominalConcurrencyShares];
  });
  assert.deepEqual(Object.fromEntries(shares), {
    exempt: 0,
    "catch-all": 5,
    system: 30,
    "node-high": 40,
    "leader-election": 10,
    "workload-high": 40,
    "workload-low": 100,
    "global-default": 20,
  });
});
