import assert from "node:assert/strict";
import { test } from "node:test";
import { type AnyObject, startServer } from "./api-server-fixture.ts";
import type { AdmissionPlugin } from "./contract.ts";

type Json = Record<string, unknown>;

const SECRET = {
  path: "/api/v1/namespaces/default/secrets/a",
  object: { apiVersion: "v1", kind: "Secret", metadata: { name: "a" }, stringData: { a: "b" } },
};
const WEBHOOKS = {
  path: "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/a",
  object: {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "ValidatingWebhookConfiguration",
    metadata: { name: "a" },
    webhooks: [
      {
        name: "a.example.com",
        sideEffects: "None",
        admissionReviewVersions: ["v1"],
        clientConfig: { url: "https://example.com" },
        rules: [
          { apiGroups: [""], apiVersions: ["v1"], resources: ["pods"], operations: ["CREATE"] },
        ],
      },
    ],
  },
};

for (const { path, object } of [SECRET, WEBHOOKS]) {
  test(`what is applied again without its defaults is not written: ${object.kind}`, async () => {
    await using api = await startServer();
    const apply = (manager: string) =>
      api.patch(`${path}?force=true&fieldManager=${manager}`, {
        body: object,
        type: "apply-patch+yaml",
      });
    const first = await apply("one");
    await api.clock.advance(5_000);
    assert.deepEqual(await apply("one"), first);
    const second = await apply("two");
    assert.notEqual(second.metadata["resourceVersion"], first.metadata["resourceVersion"]);
    const owners = second.metadata["managedFields"] as { manager: string }[];
    assert.ok(owners.some(({ manager }) => manager === "two"));
  });
}

test("a limit beyond what a float can count is the same when it is applied again", async () => {
  await using api = await startServer();
  const path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.example.com";
  const body = {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: "widgets.example.com" },
    spec: {
      group: "example.com",
      scope: "Namespaced",
      names: { plural: "widgets", kind: "Widget" },
      versions: [
        {
          name: "v1",
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: "object", maximum: 9223372036854775000 } },
        },
      ],
    },
  };
  const apply = () => api.patch(`${path}?fieldManager=one`, { body, type: "apply-patch+yaml" });
  await apply();
  assert.equal((await apply()).metadata["generation"], 1);
});

const MAPS = "/api/v1/namespaces/default/configmaps";
const POD = { metadata: { name: "a" }, spec: { containers: [{ name: "c", image: "i" }] } };

/** A server whose admission adds to each object, and sometimes spoils its managers. */
function withAdmission(): ReturnType<typeof startServer> {
  const plugin: AdmissionPlugin = {
    name: "Adds",
    handles: () => true,
    mutate: ({ object }) => {
      const { metadata, spec, data } = object as AnyObject & { spec?: Json; data?: Json };
      metadata["annotations"] = { added: String(Object.keys(data ?? {}).length) };
      if (spec) spec["priority"] = 7;
      if (data?.["spoils"]) metadata["managedFields"] = [{ manager: "x", operation: "Update" }];
      return "changed";
    },
  };
  return startServer({
    security: () => ({
      authenticators: [],
      authorizer: { authorize: () => ({ allowed: true, reason: "" }) },
      admission: [plugin],
    }),
  });
}

function ownedBy({ metadata }: AnyObject, manager: string): Json {
  const entries = metadata["managedFields"] as { manager: string; fieldsV1: Json }[];
  return entries.find((entry) => entry.manager === manager)?.fieldsV1 ?? {};
}

test("nobody owns what admission and the kind itself add to what a client asked for", async () => {
  await using api = await withAdmission();
  for (const name of ["a", "b"]) {
    const pods = "/api/v1/namespaces/default/pods?fieldManager=me";
    const pod = await api.ask("POST", pods, { ...POD, metadata: { name } });
    assert.equal((pod["spec"] as Json)["priority"], 7);
    const { "f:spec": spec, ...others } = ownedBy(pod, "me");
    assert.deepEqual(others, {});
    assert.equal("f:priority" in (spec as Json), false);
    assert.equal("f:dnsPolicy" in (spec as Json), true);
  }
  const jobs = "/apis/batch/v1/namespaces/default/jobs?fieldManager=me";
  const { spec } = POD;
  const template = {
    metadata: { labels: { app: "a" } },
    spec: { ...spec, restartPolicy: "Never" },
  };
  const job = await api.ask("POST", jobs, { metadata: { name: "a" }, spec: { template } });
  const owned = ownedBy(job, "me")["f:spec"] as Json;
  assert.equal("f:selector" in owned, false);
  assert.deepEqual((owned["f:template"] as Json)["f:metadata"], {
    "f:labels": { ".": {}, "f:app": {} },
  });
});

test("an update, a patch and an apply own what was asked for, and not what was added", async () => {
  await using api = await withAdmission();
  await api.ask("POST", `${MAPS}?fieldManager=one`, { metadata: { name: "a" }, data: { a: "b" } });
  const path = `${MAPS}/a?fieldManager=`;
  const put = { metadata: { name: "a" }, data: { a: "b", c: "d" } };
  const updated = await api.ask("PUT", `${path}two`, put);
  assert.deepEqual(updated.metadata["annotations"], { added: "2" });
  assert.deepEqual(ownedBy(updated, "two"), { "f:data": { "f:c": {} } });
  const body = { data: { e: "f" } };
  const patched = await api.patch(`${path}three`, { body, type: "merge-patch+json" });
  assert.deepEqual(patched.metadata["annotations"], { added: "3" });
  assert.deepEqual(ownedBy(patched, "three"), { "f:data": { "f:e": {} } });
  const applied = await api.patch(`${path}four`, {
    body: { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a" }, data: { g: "h" } },
    type: "apply-patch+yaml",
  });
  assert.deepEqual(applied.metadata["annotations"], { added: "4" });
  assert.deepEqual(ownedBy(applied, "four"), { "f:data": { "f:g": {} } });
});

test("managers that admission made unreadable are put back", async () => {
  await using api = await withAdmission();
  const data = { spoils: "yes" };
  const made = await api.ask("POST", `${MAPS}?fieldManager=me`, { metadata: { name: "a" }, data });
  assert.deepEqual(ownedBy(made, "me"), { "f:data": { ".": {}, "f:spoils": {} } });
  const body = { data: { b: "c" } };
  const patched = await api.patch(`${MAPS}/a?fieldManager=you`, { body, type: "merge-patch+json" });
  assert.deepEqual(ownedBy(patched, "you"), { "f:data": { "f:b": {} } });
});

test("what a secret is told in plain text is owned as data", async () => {
  await using api = await startServer();
  const secrets = "/api/v1/namespaces/default/secrets?fieldManager=me";
  const secret = await api.ask("POST", secrets, {
    metadata: { name: "a" },
    stringData: { a: "b" },
  });
  assert.deepEqual(ownedBy(secret, "me"), { "f:data": { ".": {}, "f:a": {} }, "f:type": {} });
});

const APPLY = "apply-patch+yaml";

test("what is applied is compared as it was said: a number is not the text that is stored", async () => {
  await using api = await startServer();
  const path = "/api/v1/namespaces/default/resourcequotas/a";
  const body = {
    apiVersion: "v1",
    kind: "ResourceQuota",
    metadata: { name: "a" },
    spec: { hard: { pods: 5 } },
  };
  const first = await api.patch(`${path}?fieldManager=one`, { body, type: APPLY });
  assert.deepEqual(first["spec"], { hard: { pods: "5" } });
  assert.deepEqual(await api.patch(`${path}?fieldManager=one`, { body, type: APPLY }), first);
  const second = api.patch(`${path}?fieldManager=two`, { body, type: APPLY });
  await assert.rejects(second, /conflict with "one": \.spec\.hard\.pods/);
});

test("who applies what is there already has written nothing, and has no time", async () => {
  await using api = await startServer();
  await api.ask("POST", `${MAPS}?fieldManager=one`, { metadata: { name: "a" }, data: { a: "b" } });
  const body = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a" }, data: { a: "b" } };
  const { metadata } = await api.patch(`${MAPS}/a?fieldManager=two`, { body, type: APPLY });
  const entries = metadata["managedFields"] as { manager: string; time?: string }[];
  assert.deepEqual(
    entries.map(({ manager, time }) => [manager, time === undefined]),
    [
      ["two", true],
      ["one", false],
    ],
  );
});

test("nobody owns what an endpoint leaves as it is", async () => {
  await using api = await startServer();
  const path = "/apis/storage.k8s.io/v1/volumeattachments";
  const spec = { attacher: "a.b", nodeName: "n", source: { persistentVolumeName: "v" } };
  const object = { metadata: { name: "a" }, spec };
  await api.ask("POST", `${path}?fieldManager=me`, object);
  const body = {
    apiVersion: "storage.k8s.io/v1",
    kind: "VolumeAttachment",
    metadata: { name: "a", labels: { a: "b" } },
    status: { attached: true },
  };
  const applied = await api.patch(`${path}/a/status?fieldManager=you`, { body, type: APPLY });
  assert.deepEqual(ownedBy(applied, "you"), { "f:status": { "f:attached": {} } });
  assert.equal(applied.metadata["labels"], undefined);
});

test("the claim of a volume is owned field by field, and repeated elements as one", async () => {
  await using api = await startServer();
  const claimRef = { namespace: "a", name: "b" };
  const volume = await api.ask("POST", "/api/v1/persistentvolumes?fieldManager=me", {
    metadata: { name: "a" },
    spec: {
      capacity: { storage: "1Gi" },
      accessModes: ["ReadWriteOnce"],
      hostPath: { path: "/a" },
      claimRef,
    },
  });
  const owned = ownedBy(volume, "me")["f:spec"] as Json;
  assert.deepEqual(owned["f:claimRef"], { ".": {}, "f:name": {}, "f:namespace": {} });
  const env = ["1", "2"].map((value) => ({ name: "A", value }));
  const pod = await api.ask("POST", "/api/v1/namespaces/default/pods?fieldManager=me", {
    ...POD,
    spec: { containers: [{ name: "c", image: "i", env }] },
  });
  const fields = ownedBy(pod, "me")["f:spec"] as { "f:containers": Record<string, Json> };
  const container = fields["f:containers"]['k:{"name":"c"}'];
  assert.deepEqual(container?.["f:env"], { ".": {}, 'k:{"name":"A"}': {} });
});

test("an element without its key has the empty one: what is wrong with it is said of the object", async () => {
  await using api = await startServer();
  const path = "/api/v1/namespaces/default/pods/a";
  const body = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "a" },
    spec: { containers: [{ image: "i" }] },
  };
  const applied = api.patch(`${path}?fieldManager=me`, { body, type: APPLY });
  await assert.rejects(applied, /spec\.containers\[0\]\.name: Required value/);
});

test("the template of a DaemonSet has a generation, which clients do not count", async () => {
  await using api = await startServer();
  const name = "deprecated.daemonset.template.generation";
  const path = "/apis/apps/v1/namespaces/default/daemonsets";
  const setOf = (image: string, annotations: object) => ({
    metadata: { name: "a", annotations },
    spec: {
      selector: { matchLabels: { a: "b" } },
      template: {
        metadata: { labels: { a: "b" } },
        spec: { containers: [{ name: "c", image }] },
      },
    },
  });
  const counted = ({ metadata }: AnyObject) => (metadata["annotations"] as Json)[name];
  assert.equal(counted(await api.ask("POST", path, setOf("i", {}))), "1");
  assert.equal(counted(await api.ask("PUT", `${path}/a`, setOf("i", { [name]: "7" }))), "1");
  assert.equal(counted(await api.ask("PUT", `${path}/a`, setOf("j", {}))), "2");
  const status = { ...setOf("k", {}), status: {} };
  assert.equal(counted(await api.ask("PUT", `${path}/a/status`, status)), "2");
});

test("replicas that nobody owns conflict with who applies a scale", async () => {
  await using api = await startServer();
  const path = "/apis/apps/v1/namespaces/default/statefulsets/a";
  const apply = (at: string, body: Json) => api.patch(at, { body, type: APPLY });
  const scale = { apiVersion: "autoscaling/v1", kind: "Scale", metadata: { name: "a" } };
  await apply(`${path}?fieldManager=me`, {
    apiVersion: "apps/v1",
    kind: "StatefulSet",
    metadata: { name: "a" },
    spec: {
      serviceName: "a",
      selector: { matchLabels: { a: "b" } },
      template: {
        metadata: { labels: { a: "b" } },
        spec: { containers: [{ name: "c", image: "i" }] },
      },
    },
  });
  const scaled = { ...scale, spec: { replicas: 3 } };
  await assert.rejects(apply(`${path}/scale?fieldManager=other`, scaled), {
    message:
      'Apply failed with 1 conflict: conflict with "before-first-apply" with subresource ' +
      '"scale" using autoscaling/v1: .spec.replicas',
  });
  await apply(`${path}/scale?fieldManager=other&force=true`, scaled);
  const owners = (await api.ask("GET", path)).metadata["managedFields"] as Json[];
  assert.deepEqual(owners.map(({ manager }) => String(manager)).toSorted(), ["me", "other"]);
  await api.ask("POST", "/apis/apps/v1/namespaces/default/statefulsets?fieldManager=me", {
    metadata: { name: "b" },
    spec: (await api.ask("GET", path))["spec"],
  });
  const other = { ...scaled, metadata: { name: "b" }, spec: { replicas: 4 } };
  await assert.rejects(apply(path.replace(/a$/, "b/scale?fieldManager=other"), other), {
    message:
      'Apply failed with 1 conflict: conflict with "me" using autoscaling/v1: .spec.replicas',
  });
});

test("what null empties in an applied configuration is not there at all", async () => {
  await using api = await startServer();
  const path = "/api/v1/namespaces/default/configmaps/a?fieldManager=me";
  const apply = (data: unknown) => {
    const body = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a" }, data };
    return api.patch(path, { body, type: APPLY });
  };
  await apply({ x: "1" });
  const emptied = await apply(null);
  assert.ok(!("data" in emptied));
  assert.deepEqual(ownedBy(emptied, "me"), { "f:data": {} });
});
