import assert from "node:assert/strict";
import { test } from "node:test";
import { StatusError } from "../api/errors.ts";
import { type AnyObject, startServer } from "./api-server-fixture.ts";

const MAPS = "/api/v1/namespaces/default/configmaps";
const PODS = "/api/v1/namespaces/default/pods";

type Json = Record<string, unknown>;

async function refusal(promise: Promise<unknown>): Promise<StatusError> {
  try {
    await promise;
  } catch (error) {
    assert.ok(error instanceof StatusError, String(error));
    return error;
  }
  throw new assert.AssertionError({ message: "the request was not refused" });
}

function podBody(name: string, more: Json = {}): Json {
  return { metadata: { name }, spec: { containers: [{ name: "c", image: "i" }], ...more } };
}

test("a created object has what only the server knows", async () => {
  await using api = await startServer();
  const created = await api.ask("POST", MAPS, { metadata: { name: "a" }, data: { x: "1" } });
  assert.equal(created["kind"], "ConfigMap");
  assert.equal(created["apiVersion"], "v1");
  assert.equal(created.metadata["namespace"], "default");
  assert.match(String(created.metadata["uid"]), /^[0-9a-f-]{36}$/);
  assert.equal(created.metadata["creationTimestamp"], "2025-01-01T00:00:00Z");
  assert.deepEqual(await api.ask("GET", `${MAPS}/a`), created);
  assert.ok(Object.isFrozen(created));
});

test("a create of a name that exists is refused, generated names do not collide", async () => {
  await using api = await startServer();
  await api.ask("POST", MAPS, { metadata: { name: "a" } });
  const error = await refusal(api.ask("POST", MAPS, { metadata: { name: "a" } }));
  assert.equal(error.reason, "AlreadyExists");
  const names = new Set<unknown>();
  for (let i = 0; i < 20; i++) {
    const made = await api.ask("POST", MAPS, { metadata: { generateName: "web-" } });
    names.add(made.metadata["name"]);
  }
  assert.equal(names.size, 20);
});

test("a stale update is refused, one without resourceVersion is not", async () => {
  await using api = await startServer();
  const first = await api.ask("POST", MAPS, { metadata: { name: "a" }, data: { x: "1" } });
  const second = await api.ask("PUT", `${MAPS}/a`, { ...first, data: { x: "2" } });
  assert.notEqual(second.metadata["resourceVersion"], first.metadata["resourceVersion"]);
  const error = await refusal(api.ask("PUT", `${MAPS}/a`, { ...first, data: { x: "3" } }));
  assert.equal(error.code, 409);
  const third = await api.ask("PUT", `${MAPS}/a`, { metadata: { name: "a" }, data: { x: "4" } });
  assert.deepEqual(third["data"], { x: "4" });
  assert.equal(third.metadata["uid"], first.metadata["uid"]);
});

test("an update that changes nothing writes nothing", async () => {
  await using api = await startServer();
  const first = await api.ask("POST", MAPS, { metadata: { name: "a" }, data: { x: "1", y: "2" } });
  await api.clock.advance(5_000);
  const same = await api.ask("PUT", `${MAPS}/a`, {
    data: { y: "2", x: "1" },
    metadata: { name: "a" },
  });
  assert.equal(same.metadata["resourceVersion"], first.metadata["resourceVersion"]);
});

test("PUT creates the kinds that upstream lets it create", async () => {
  await using api = await startServer();
  const leases = "/apis/coordination.k8s.io/v1/namespaces/default/leases";
  const lease = { metadata: { name: "l", resourceVersion: "" } };
  const map = { metadata: { name: "a" } };
  assert.equal((await refusal(api.ask("PUT", `${MAPS}/a`, map))).reason, "NotFound");
  assert.equal((await refusal(api.ask("PUT", `${MAPS}/a`, {}))).reason, "BadRequest");
  const withUid = { metadata: { ...lease.metadata, uid: "u" } };
  assert.equal((await refusal(api.ask("PUT", `${leases}/l`, withUid))).reason, "Conflict");
  assert.equal((await api.ask("PUT", `${leases}/l`, lease))["kind"], "Lease");
  assert.equal((await refusal(api.ask("PUT", `${leases}/l`, lease))).reason, "Invalid");
  const roles = "/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles";
  const made = await api.ask("PUT", `${roles}/r`, { metadata: { name: "r" }, rules: [] });
  assert.equal(made["kind"], "Role");
});

test("each kind of patch changes what it says", async () => {
  await using api = await startServer();
  await api.ask("POST", PODS, podBody("p"));
  const labels = { metadata: { labels: { a: "1" } } };
  const merged = await api.patch(`${PODS}/p`, { body: labels, type: "merge-patch+json" });
  assert.deepEqual(merged.metadata["labels"], { a: "1" });
  const strategic = await api.patch(`${PODS}/p`, {
    body: { spec: { containers: [{ name: "c", image: "j" }] } },
    type: "strategic-merge-patch+json",
  });
  const [container] = (strategic["spec"] as { containers: Json[] }).containers;
  assert.equal(container?.["image"], "j");
  const json = await api.patch(`${PODS}/p`, {
    body: [{ op: "remove", path: "/metadata/labels/a" }],
    type: "json-patch+json",
  });
  assert.equal(json.metadata["labels"], undefined);
  const error = await refusal(
    api.patch(`${PODS}/p`, {
      body: { metadata: { resourceVersion: "1" } },
      type: "merge-patch+json",
    }),
  );
  assert.equal(error.reason, "Conflict");
});

test("server-side apply creates, owns, conflicts and is idempotent", async () => {
  await using api = await startServer();
  const apply = (manager: string, data: Json, more = "") =>
    api.patch(`${MAPS}/a?fieldManager=${manager}${more}`, {
      body: { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a" }, data },
      type: "apply-patch+yaml",
    });
  const first = await apply("one", { x: "1" });
  const again = await apply("one", { x: "1" });
  assert.equal(again.metadata["resourceVersion"], first.metadata["resourceVersion"]);
  const error = await refusal(apply("two", { x: "2" }));
  assert.equal(error.status.details?.causes?.[0]?.reason, "FieldManagerConflict");
  const forced = await apply("two", { x: "2" }, "&force=true");
  assert.deepEqual(forced["data"], { x: "2" });
});

test("status and spec are written apart, and only spec moves the generation", async () => {
  await using api = await startServer();
  const path = "/apis/apps/v1/namespaces/default/deployments";
  const spec = {
    replicas: 1,
    selector: { matchLabels: { a: "b" } },
    template: {
      metadata: { labels: { a: "b" } },
      spec: { containers: [{ name: "c", image: "i" }] },
    },
  };
  const made = await api.ask("POST", path, {
    metadata: { name: "d" },
    spec,
    status: { replicas: 7 },
  });
  assert.equal(made.metadata["generation"], 1);
  assert.deepEqual(made["status"], {});
  const status = { replicas: 2, observedGeneration: 1 };
  const observed = await api.ask("PUT", `${path}/d/status`, {
    metadata: { name: "d" },
    spec: { ...spec, replicas: 9 },
    status,
  });
  assert.deepEqual(observed["status"], { observedGeneration: 1, replicas: 2 });
  assert.equal((observed["spec"] as Json)["replicas"], 1);
  assert.equal(observed.metadata["generation"], 1);
  const scaled = await api.patch(`${path}/d/scale`, {
    body: { spec: { replicas: 3 } },
    type: "merge-patch+json",
  });
  assert.deepEqual(scaled["spec"], { replicas: 3 });
  const after = await api.ask("GET", `${path}/d`);
  assert.equal(after.metadata["generation"], 2);
  assert.deepEqual(after["status"], observed["status"]);
});

/** A signed request for the name "r", in PEM, in base64. */
const CERTIFICATE_REQUEST =
  "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlIR01HNENBUUF3RERFS01BZ0dBMVVFQXd3" +
  "QmNqQlpNQk1HQnlxR1NNNDlBZ0VHQ0NxR1NNNDlBd0VIQTBJQQpCRmxmUE03QTlWcHNMTVF4Ri9lay95STZy" +
  "MVcrSTNkVEFZZDNsQjFqSzBhblJTK04xOVVnMWJjSmVoazU1eXNLCmZMeVpoZEw2NHBFcmdsN1lBL2FTMWM2" +
  "Z0FEQUtCZ2dxaGtqT1BRUURBZ05JQURCRkFpQm5WU2ZPbzRtdnREaTgKak9ZUGlYYnhERnl6ZG5zRlBIc2Fj" +
  "SlA3eHBEWWxRSWhBTG1wOWFyN2FRcVAxTHFIUHVRc0Z5WllSYnZLZzJGMQp0U01WV3dKQWhXZlYKLS0tLS1F" +
  "TkQgQ0VSVElGSUNBVEUgUkVRVUVTVC0tLS0tCg==";

test("approval and status of built-in kinds carry annotations", async () => {
  await using api = await startServer();
  const path = "/apis/batch/v1/namespaces/default/jobs";
  const template = { spec: { restartPolicy: "Never", containers: [{ name: "c", image: "i" }] } };
  await api.ask("POST", path, { metadata: { name: "j" }, spec: { template } });
  const body = { metadata: { annotations: { seen: "yes" } }, status: { failed: 0 } };
  const patched = await api.patch(`${path}/j/status`, { body, type: "merge-patch+json" });
  assert.deepEqual(patched.metadata.annotations, { seen: "yes" });

  const requests = "/apis/certificates.k8s.io/v1/certificatesigningrequests";
  const spec = {
    request: CERTIFICATE_REQUEST,
    signerName: "example.com/one",
    usages: ["digital signature"],
  };
  await api.ask("POST", requests, { metadata: { name: "r" }, spec });
  const condition = { type: "Approved", status: "True", reason: "test" };
  const approved = await api.patch(`${requests}/r/approval`, {
    body: { metadata: { annotations: { seen: "yes" } }, status: { conditions: [condition] } },
    type: "merge-patch+json",
  });
  assert.deepEqual(approved.metadata.annotations, { seen: "yes" });
});

test("a scheduled pod is deleted with grace, an unscheduled one at once", async () => {
  await using api = await startServer();
  await api.ask("POST", PODS, podBody("waiting"));
  await api.ask("DELETE", `${PODS}/waiting`);
  assert.equal((await refusal(api.ask("GET", `${PODS}/waiting`))).code, 404);

  await api.ask("POST", PODS, podBody("bound", { terminationGracePeriodSeconds: 7 }));
  const metadata = { name: "bound", uid: "another" };
  const stale = { metadata, target: { kind: "Node", name: "n" } };
  await assert.rejects(api.ask("POST", `${PODS}/bound/binding`, stale), /UID in precondition/);
  await api.ask("POST", `${PODS}/bound/binding`, {
    metadata: { name: "bound" },
    target: { kind: "Node", name: "n" },
  });
  const again = await refusal(
    api.ask("POST", `${PODS}/bound/binding`, {
      metadata: { name: "bound" },
      target: { kind: "Node", name: "m" },
    }),
  );
  assert.equal(again.reason, "Conflict");
  const deleting = await api.ask("DELETE", `${PODS}/bound`);
  assert.equal(deleting.metadata["deletionGracePeriodSeconds"], 7);
  assert.equal(deleting.metadata["deletionTimestamp"], "2025-01-01T00:00:07Z");
  const uid = String(deleting.metadata["uid"]);
  const wrong = await refusal(
    api.ask("DELETE", `${PODS}/bound`, { preconditions: { uid: "x" }, gracePeriodSeconds: 0 }),
  );
  assert.equal(wrong.reason, "Conflict");
  await api.ask("DELETE", `${PODS}/bound`, { gracePeriodSeconds: 0, preconditions: { uid } });
  assert.equal((await refusal(api.ask("GET", `${PODS}/bound`))).code, 404);
});

test("finalizers keep an object until the last one goes", async () => {
  await using api = await startServer();
  await api.ask("POST", MAPS, { metadata: { name: "a", finalizers: ["x/y"] } });
  const deleting = await api.ask("DELETE", `${MAPS}/a`);
  assert.ok(deleting.metadata["deletionTimestamp"]);
  await api.patch(`${MAPS}/a`, {
    body: { metadata: { finalizers: null } },
    type: "merge-patch+json",
  });
  assert.equal((await refusal(api.ask("GET", `${MAPS}/a`))).code, 404);
  await api.ask("POST", MAPS, { metadata: { name: "b" } });
  const foreground = await api.ask("DELETE", `${MAPS}/b`, { propagationPolicy: "Foreground" });
  assert.deepEqual(foreground.metadata["finalizers"], ["foregroundDeletion"]);
});

test("a namespace terminates until its content was finalized", async () => {
  await using api = await startServer();
  await api.ask("POST", "/api/v1/namespaces", { metadata: { name: "n" } });
  const deleting = await api.ask("DELETE", "/api/v1/namespaces/n");
  assert.deepEqual(deleting["status"], { phase: "Terminating" });
  await api.ask("PUT", "/api/v1/namespaces/n/finalize", {
    metadata: { name: "n" },
    spec: { finalizers: [] },
  });
  assert.equal((await refusal(api.ask("GET", "/api/v1/namespaces/n"))).code, 404);
});

test("services get addresses and ports, keep them, and give them back", async () => {
  await using api = await startServer();
  const path = "/api/v1/namespaces/default/services";
  const ports = [{ port: 80, protocol: "TCP" }];
  const spec = { ports, type: "NodePort", selector: { a: "b" } };
  const made = await api.ask("POST", path, { metadata: { name: "s" }, spec });
  const made2 = made["spec"] as { clusterIP: string; ports: { nodePort: number }[] };
  assert.match(made2.clusterIP, /^10\.96\./);
  const nodePort = made2.ports[0]?.nodePort ?? 0;
  assert.ok(nodePort >= 30_000 && nodePort <= 32_767);
  const updated = await api.ask("PUT", `${path}/s`, { metadata: { name: "s" }, spec });
  assert.deepEqual(updated["spec"], made["spec"]);
  const taken = await refusal(
    api.ask("POST", path, { metadata: { name: "t" }, spec: { ports, clusterIP: made2.clusterIP } }),
  );
  assert.equal(taken.reason, "Invalid");
  await api.ask("DELETE", `${path}/s`);
  await api.ask("POST", path, {
    metadata: { name: "t" },
    spec: { type: "NodePort", ports: [{ port: 80, nodePort }], clusterIP: made2.clusterIP },
  });
  const headless = await api.ask("POST", path, {
    metadata: { name: "h" },
    spec: { ports, clusterIP: "None" },
  });
  assert.equal((headless["spec"] as Json)["clusterIP"], "None");
});

test("a dry run stores nothing", async () => {
  await using api = await startServer();
  await api.ask("POST", `${MAPS}?dryRun=All`, { metadata: { name: "a" } });
  assert.equal((await refusal(api.ask("GET", `${MAPS}/a`))).code, 404);
});

test("a dry run is told of a name that is taken", async () => {
  await using api = await startServer();
  await api.ask("POST", MAPS, { metadata: { name: "a" } });
  const again = await refusal(api.ask("POST", `${MAPS}?dryRun=All`, { metadata: { name: "a" } }));
  assert.equal(again.reason, "AlreadyExists");
});

test("unknown fields are refused when the client is strict", async () => {
  await using api = await startServer();
  const body = { metadata: { name: "a" }, dat: {} };
  const error = await refusal(api.ask("POST", `${MAPS}?fieldValidation=Strict`, body));
  assert.equal(error.reason, "BadRequest");
  assert.match(error.message, /strict decoding error: unknown field "dat"/);
  await api.ask("POST", `${MAPS}?fieldValidation=Ignore`, body);
});

test("pages are one consistent list", async () => {
  await using api = await startServer();
  for (const name of ["a", "b", "c", "d", "e"]) await api.ask("POST", MAPS, { metadata: { name } });
  const first = await api.ask("GET", `${MAPS}?limit=2`);
  assert.equal(first.metadata["remainingItemCount"], 3);
  await api.ask("DELETE", `${MAPS}/c`);
  const names: unknown[] = [];
  let token = first.metadata["continue"] as string | undefined;
  while (token) {
    const page = await api.ask("GET", `${MAPS}?limit=2&continue=${token}`);
    assert.equal(page.metadata["resourceVersion"], first.metadata["resourceVersion"]);
    for (const item of page["items"] as AnyObject[]) names.push(item.metadata["name"]);
    token = page.metadata["continue"] as string | undefined;
  }
  assert.deepEqual(names, ["c", "d", "e"]);
});

test("selectors choose by labels and fields", async () => {
  await using api = await startServer();
  for (const [name, tier] of [
    ["a", "web"],
    ["b", "db"],
  ]) {
    await api.ask("POST", PODS, { ...podBody(name ?? ""), metadata: { name, labels: { tier } } });
  }
  await api.ask("POST", `${PODS}/a/binding`, {
    metadata: { name: "a" },
    target: { kind: "Node", name: "n1" },
  });
  const namesOf = async (query: string) =>
    ((await api.ask("GET", `${PODS}?${query}`))["items"] as AnyObject[]).map(
      (item) => item.metadata["name"],
    );
  assert.deepEqual(await namesOf("labelSelector=tier%3Ddb"), ["b"]);
  assert.deepEqual(await namesOf("fieldSelector=spec.nodeName%3Dn1"), ["a"]);
  assert.deepEqual(await namesOf("fieldSelector=metadata.name%3Db"), ["b"]);
  assert.equal((await refusal(namesOf("fieldSelector=spec.foo%3D1"))).reason, "BadRequest");
});

test("a resourceVersion of the future times out, an old watch expires", async () => {
  await using api = await startServer();
  const late = refusal(api.ask("GET", `${MAPS}?resourceVersion=999999`));
  await api.clock.advance(3_000);
  assert.equal((await late).reason, "Timeout");
  const bad = await refusal(api.ask("GET", `${MAPS}?resourceVersionMatch=Exact`));
  assert.equal(bad.reason, "Invalid");
});

test("a watch tells what a selector sees come and go", async () => {
  await using api = await startServer();
  const list = await api.ask("GET", PODS);
  const seen: string[] = [];
  const since = String(list.metadata["resourceVersion"]);
  using _watch = await api.transport.watch(
    { method: "GET", path: `${PODS}?labelSelector=a%3D1&resourceVersion=${since}` },
    {
      event: (type, object) => seen.push(`${type} ${(object as AnyObject).metadata["name"]}`),
      closed: () => seen.push("closed"),
    },
  );
  await api.ask("POST", PODS, podBody("p"));
  const label = (value: string | null) =>
    api.patch(`${PODS}/p`, {
      body: { metadata: { labels: { a: value } } },
      type: "merge-patch+json",
    });
  await label("1");
  await api.patch(`${PODS}/p`, {
    body: { metadata: { annotations: { x: "y" } } },
    type: "merge-patch+json",
  });
  await label(null);
  await label("1");
  await api.ask("DELETE", `${PODS}/p`);
  assert.deepEqual(seen, ["ADDED p", "MODIFIED p", "DELETED p", "ADDED p", "DELETED p"]);
});
