import assert from "node:assert/strict";
import { test } from "node:test";
import { type HttpsFixture, startHttpsServer } from "../api-server-fixture.ts";

/** What kube-apiserver 1.32 serves without flags, in the order of its aggregator, and metrics. */
const SERVED = [
  "apiregistration.k8s.io/v1",
  "apps/v1",
  "events.k8s.io/v1",
  "authentication.k8s.io/v1",
  "authorization.k8s.io/v1",
  "autoscaling/v2",
  "autoscaling/v1",
  "batch/v1",
  "certificates.k8s.io/v1",
  "networking.k8s.io/v1",
  "policy/v1",
  "rbac.authorization.k8s.io/v1",
  "storage.k8s.io/v1",
  "admissionregistration.k8s.io/v1",
  "apiextensions.k8s.io/v1",
  "scheduling.k8s.io/v1",
  "coordination.k8s.io/v1",
  "node.k8s.io/v1",
  "discovery.k8s.io/v1",
  "flowcontrol.apiserver.k8s.io/v1",
  // What a metrics server would register.
  "metrics.k8s.io/v1beta1",
];

interface Entry {
  name: string;
  storageVersionHash?: string;
}

interface Group {
  versions: { groupVersion: string }[];
}

interface AggregatedGroup {
  metadata: { name: string };
  versions: { version: string }[];
}

async function entriesOf(api: HttpsFixture, path: string): Promise<Map<string, Entry>> {
  const { resources } = (await api.http(path)).json();
  return new Map((resources as Entry[]).map((entry) => [entry.name, entry]));
}

test("the groups and versions of 1.32 are served, in its order and both forms", async () => {
  await using api = await startHttpsServer(Date.now());
  const { groups } = (await api.http("/apis")).json();
  const listed = (groups as Group[]).flatMap(({ versions }) =>
    versions.map((each) => each.groupVersion),
  );
  assert.deepEqual(listed, SERVED);
  const accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
  const { items } = (await api.http("/apis", { headers: { accept } })).json();
  const aggregated = (items as AggregatedGroup[]).flatMap(({ metadata, versions }) =>
    versions.map(({ version }) => `${metadata.name}/${version}`),
  );
  assert.deepEqual(aggregated, SERVED);
});

test("resources and their subresources stand in the order of their names", async () => {
  await using api = await startHttpsServer(Date.now());
  for (const path of ["/api/v1", "/apis/apps/v1", "/apis/batch/v1"]) {
    const names = [...(await entriesOf(api, path)).keys()];
    assert.deepEqual(names, names.toSorted(), path);
  }
});

test("a version that a group does not have is no resource, a group of nobody no page", async () => {
  await using api = await startHttpsServer(Date.now());
  for (const path of ["/api/v2", "/apis/apps/v9", "/apis/apps/v1/x"]) {
    const { status, headers } = await api.http(path);
    assert.deepEqual([status, headers["content-type"]], [404, "application/json"], path);
  }
  assert.equal((await api.http("/apis/none.example")).text, "404 page not found\n");
});

test("the hash of what is stored is upstream's, and the same in all versions", async () => {
  await using api = await startHttpsServer(Date.now());
  const hashes = async (path: string, ...names: readonly string[]) => {
    const entries = await entriesOf(api, path);
    return names.map((name) => entries.get(name)?.storageVersionHash);
  };
  const core = await hashes("/api/v1", "namespaces", "pods", "events");
  assert.deepEqual(core, ["Q3oi5N2YM8M=", "xPOwRZ+Yhw8=", "r2yiGXH7wu8="]);
  const none = await hashes("/api/v1", "pods/status", "bindings", "componentstatuses");
  assert.deepEqual(none, [undefined, undefined, undefined]);
  assert.deepEqual(await hashes("/apis/events.k8s.io/v1", "events"), ["r2yiGXH7wu8="]);
  for (const version of ["v1", "v2"]) {
    const path = `/apis/autoscaling/${version}`;
    assert.deepEqual(await hashes(path, "horizontalpodautoscalers"), ["qwQve8ut294="]);
  }
});
