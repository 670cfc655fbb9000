import assert from "node:assert/strict";
import { test } from "node:test";
import { startHttpsServer, startServer } from "../api-server-fixture.ts";

const JOBS = "/apis/batch/v1beta1/namespaces/default/cronjobs";
const BUDGETS = "/apis/policy/v1beta1/namespaces/default/poddisruptionbudgets";
const SLICES = "/apis/discovery.k8s.io/v1beta1/namespaces/default/endpointslices";
const now = (path: string): string => path.replace("v1beta1", "v1");

test("an object is the same under its older version", async () => {
  await using api = await startServer();
  const template = {
    spec: {
      template: {
        spec: { restartPolicy: "Never", containers: [{ name: "c", image: "i" }] },
      },
    },
  };
  const made = await api.ask("POST", JOBS, {
    apiVersion: "batch/v1beta1",
    kind: "CronJob",
    metadata: { name: "c" },
    spec: { schedule: "0 0 * * *", jobTemplate: template },
  });
  assert.equal(made["apiVersion"], "batch/v1beta1");
  const current = await api.ask("GET", `${now(JOBS)}/c`);
  assert.equal(current["apiVersion"], "batch/v1");
  assert.equal((current["spec"] as { concurrencyPolicy: string }).concurrencyPolicy, "Allow");
  const suspended = await api.patch(`${JOBS}/c`, {
    body: { spec: { suspend: true } },
    type: "strategic-merge-patch+json",
  });
  assert.equal(suspended["apiVersion"], "batch/v1beta1");
  const list = await api.ask("GET", JOBS);
  assert.deepEqual(
    (list["items"] as { apiVersion: string; spec: { suspend: boolean } }[]).map((item) => [
      item.apiVersion,
      item.spec.suspend,
    ]),
    [["batch/v1beta1", true]],
  );
  await assert.rejects(
    api.ask("POST", JOBS, { metadata: { name: "d" }, spec: { jobTemplate: template } }),
    /spec.schedule: Required value/,
  );
  await api.ask("DELETE", `${JOBS}/c`);
  await assert.rejects(api.ask("GET", `${now(JOBS)}/c`), { code: 404 });
});

test("an empty selector of a budget keeps its meaning", async () => {
  await using api = await startServer();
  const budget = (name: string) => ({
    metadata: { name },
    spec: { minAvailable: 1, selector: {} },
  });
  await api.ask("POST", BUDGETS, budget("none"));
  await api.ask("POST", now(BUDGETS), budget("all"));
  const selectorOf = async (path: string) =>
    (await api.ask("GET", path))["spec"] as { selector: object };
  const operator = async (path: string) =>
    ((await selectorOf(path)).selector as { matchExpressions?: { operator: string }[] })
      .matchExpressions?.[0]?.operator;
  assert.equal(await operator(`${now(BUDGETS)}/none`), "Exists");
  assert.equal(await operator(`${BUDGETS}/all`), "DoesNotExist");
  assert.equal(await operator(`${BUDGETS}/none`), undefined);
});

test("node and zone of an endpoint are labels in the older version", async () => {
  await using api = await startServer();
  const endpoint = { addresses: ["10.0.0.1"], nodeName: "n", zone: "z" };
  const slice = { addressType: "IPv4", ports: [], endpoints: [endpoint] };
  await api.ask("POST", now(SLICES), { metadata: { name: "s" }, ...slice });
  const old = await api.ask("GET", `${SLICES}/s`);
  assert.deepEqual((old["endpoints"] as { topology: object }[])[0]?.topology, {
    "kubernetes.io/hostname": "n",
    "topology.kubernetes.io/zone": "z",
  });
  await api.ask("PUT", `${SLICES}/s`, old);
  const [again] = (await api.ask("GET", `${now(SLICES)}/s`))["endpoints"] as object[];
  assert.deepEqual({ ...again, conditions: {} }, { ...endpoint, conditions: {} });
});

test("discovery and OpenAPI tell of an older version only where that is wanted", async () => {
  const listed = async (api: Awaited<ReturnType<typeof startHttpsServer>>) => {
    const group = (await api.http("/apis/policy")).json();
    const index = (await api.http("/openapi/v3")).json();
    return [
      (group["versions"] as { version: string }[]).map(({ version }) => version),
      Object.keys(index["paths"] as object).filter((path) => path.startsWith("apis/policy")),
    ];
  };
  await using plain = await startHttpsServer(Date.now());
  assert.deepEqual(await listed(plain), [["v1"], ["apis/policy/v1"]]);
  assert.equal((await plain.http("/apis/policy/v1beta1")).status, 404);
  assert.equal((await plain.http(BUDGETS)).status, 200);
  await using old = await startHttpsServer(Date.now(), { legacyApis: true });
  const both = [
    ["v1", "v1beta1"],
    ["apis/policy/v1", "apis/policy/v1beta1"],
  ];
  assert.deepEqual(await listed(old), both);
});
