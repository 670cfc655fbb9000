import assert from "node:assert/strict";
import { test } from "node:test";
import { startHttpsServer } from "../api-server-fixture.ts";

const COLLECTION = "/api/v1/namespaces/default/configmaps";
const SCALE = "/apis/apps/v1/namespaces/default/deployments/none/scale";

/** Samples of a page by their name and their labels, these in the order of the alphabet. */
function samplesOf(text: string): Map<string, number> {
  const lines = text.split("\n").filter((line) => line && !line.startsWith("#"));
  return new Map(
    lines.map((line) => {
      const [, name = "", labels = "", value = ""] =
        /^([a-z_]+)(?:\{(.*)\})? ([^ ]+)$/.exec(line) ?? assert.fail(line);
      const pairs = [...labels.matchAll(/([a-z_]+)="([^"]*)"/g)]
        .filter(([, , text]) => text !== "")
        .map(([, key, text]) => `${key}=${text}`);
      return [[name, ...pairs.toSorted()].join(" "), Number(value)];
    }),
  );
}

const COMMON = "component=apiserver";
const ITEM = `resource=configmaps scope=resource`;

test("requests are counted by what they are for, and by the code of their answer", async () => {
  await using fixture = await startHttpsServer(Date.now(), { flowControl: true });
  const body = { metadata: { name: "a" } };
  const json = { "content-type": "application/json" };
  const post = { method: "POST", body: JSON.stringify(body), headers: json };
  for (const status of [201, 409]) {
    assert.equal((await fixture.http(COLLECTION, post)).status, status);
  }
  await fixture.http(`${COLLECTION}/a?dryRun=All&fieldManager=m`, {
    method: "PATCH",
    body: JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", data: { a: "b" } }),
    headers: { "content-type": "application/apply-patch+yaml" },
  });
  await fixture.http(COLLECTION);
  await fixture.http(`${COLLECTION}/a`);
  await fixture.http(`${COLLECTION}/a/nothing`);
  await fixture.http(SCALE);
  await fixture.ask("GET", `${COLLECTION}/a`);
  await fixture.http("/readyz");
  const page = await fixture.http("/metrics");
  assert.equal(page.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8");
  const samples = samplesOf(page.text);
  const total = (labels: string) => samples.get(`apiserver_request_total ${labels}`);
  assert.equal(total(`code=201 ${COMMON} ${ITEM} verb=POST version=v1`), 1);
  assert.equal(total(`code=409 ${COMMON} ${ITEM} verb=POST version=v1`), 1);
  assert.equal(total(`code=200 ${COMMON} dry_run=All ${ITEM} verb=APPLY version=v1`), 1);
  const namespaced = "resource=configmaps scope=namespace";
  assert.equal(total(`code=200 ${COMMON} ${namespaced} verb=LIST version=v1`), 1);
  assert.equal(total(`code=200 ${COMMON} ${ITEM} verb=GET version=v1`), 2);
  const scale = "group=apps resource=deployments scope=resource subresource=scale";
  assert.equal(total(`code=404 ${COMMON} ${scale} verb=GET version=v1`), 1);
  assert.equal(total(`code=200 ${COMMON} subresource=/readyz verb=GET`), 1);
  assert.ok(![...samples.keys()].some((key) => key.includes("nothing")));
  const duration = (suffix: string) => `apiserver_request_duration_seconds_${suffix} ${COMMON}`;
  assert.equal(samples.get(`${duration("count")} ${ITEM} verb=GET version=v1`), 2);
  assert.equal(samples.get(`${duration("bucket")} le=+Inf ${ITEM} verb=GET version=v1`), 2);
  assert.equal(samples.get("apiserver_storage_objects resource=configmaps"), 1);
  assert.equal(samples.get("apiserver_current_inflight_requests request_kind=mutating"), 0);
  assert.equal(samples.get("kubernetes_healthcheck name=shutdown type=readyz"), 1);
});

test("watches are counted while they last, of callers in the process too", async () => {
  await using fixture = await startHttpsServer(Date.now());
  const open = async () => {
    const samples = samplesOf((await fixture.http("/metrics")).text);
    const labels = `${COMMON} resource=configmaps scope=namespace verb=WATCH version=v1`;
    return samples.get(`apiserver_longrunning_requests ${labels}`);
  };
  const sink = { event: () => {}, closed: () => {} };
  const watch = await fixture.transport.watch({ method: "GET", path: COLLECTION }, sink);
  assert.equal(await open(), 1);
  watch[Symbol.dispose]();
  assert.equal(await open(), 0);
});

test("who is known to a server is told the name of every request", async () => {
  await using fixture = await startHttpsServer(Date.now());
  const idOf = async (path: string, headers = {}) =>
    (await fixture.http(path, { headers })).headers["audit-id"];
  const paths = [COLLECTION, `${COLLECTION}/none`, "/readyz", "/apis", "/none", "/apis/x/v1/y"];
  const ids = await Promise.all(paths.map((path) => idOf(path)));
  for (const id of ids) assert.match(String(id), /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/);
  assert.equal(new Set(ids).size, paths.length);
  assert.equal(await idOf(COLLECTION, { "audit-id": "mine-1" }), "mine-1");
});
