import assert from "node:assert/strict";
import { test } from "node:test";
import {
  CERTIFICATE_SIGNING_REQUESTS,
  CSI_DRIVERS,
  ENDPOINT_SLICES,
} from "../../api/generated/resources.ts";
import { startServer } from "../api-server-fixture.ts";
import type { KubeObject } from "../kube-object.ts";
import { builtInStrategy } from "./built-in-strategies.ts";

test("a CSI driver has a generation from its first change on", async () => {
  await using api = await startServer();
  const path = `/apis/storage.k8s.io/v1/${CSI_DRIVERS.plural}`;
  const driver = { metadata: { name: "example.com" }, spec: { podInfoOnMount: false } };
  const made = await api.ask("POST", path, driver);
  assert.equal(made.metadata["generation"], undefined);
  const spec = { ...(made["spec"] as object), podInfoOnMount: true };
  const changed = await api.ask("PUT", `${path}/example.com`, { ...made, spec });
  assert.equal(changed.metadata["generation"], 1);
});

test("labels of a slice move its generation, its annotations do not", async () => {
  await using api = await startServer();
  const path = `/apis/discovery.k8s.io/v1/namespaces/default/${ENDPOINT_SLICES.plural}`;
  const slice = { metadata: { name: "web" }, addressType: "IPv4", endpoints: [] };
  let last = await api.ask("POST", path, slice);
  const put = async (metadata: object) => {
    last = await api.ask("PUT", `${path}/web`, {
      ...last,
      metadata: { ...last.metadata, ...metadata },
    });
    return last.metadata["generation"];
  };
  assert.equal(last.metadata["generation"], 1);
  assert.equal(await put({ annotations: { a: "b" } }), 1);
  assert.equal(await put({ labels: { a: "b" } }), 2);
});

test("the status of a flow schema brings no labels", async () => {
  await using api = await startServer();
  const path = "/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas";
  const spec = { priorityLevelConfiguration: { name: "a" }, matchingPrecedence: 10 };
  const made = await api.ask("POST", path, { metadata: { name: "s" }, spec });
  const condition = { type: "Dangling", status: "True" };
  const told = await api.ask("PUT", `${path}/s/status`, {
    ...made,
    metadata: { ...made.metadata, labels: { a: "b" } },
    status: { conditions: [condition] },
  });
  assert.equal(told.metadata["labels"], undefined);
  assert.deepEqual(told["status"], { conditions: [condition] });
});

test("a namespace keeps its finalizers in their order, ours behind them", async () => {
  await using api = await startServer();
  for (const [name, asked, wanted] of [
    ["plain", [], ["kubernetes"]],
    ["more", ["example.com/a"], ["example.com/a", "kubernetes"]],
    ["first", ["kubernetes", "example.com/a"], ["kubernetes", "example.com/a"]],
  ] as const) {
    const namespace = { metadata: { name }, spec: { finalizers: asked } };
    const made = await api.ask("POST", "/api/v1/namespaces", namespace);
    assert.deepEqual(made["spec"], { finalizers: wanted });
  }
});

test("an APIService that this server answers itself is available from the start", async () => {
  await using api = await startServer();
  const path = "/apis/apiregistration.k8s.io/v1/apiservices";
  const spec = { group: "a.example", version: "v1", groupPriorityMinimum: 1, versionPriority: 1 };
  const made = await api.ask("POST", path, { metadata: { name: "v1.a.example" }, spec });
  const { conditions } = made["status"] as { conditions: Record<string, unknown>[] };
  assert.deepEqual(
    conditions.map(({ type, status, reason }) => ({ type, status, reason })),
    [{ type: "Available", status: "True", reason: "Local" }],
  );
});

test("conditions of a request for a certificate get their times, and verdicts stay", () => {
  const before = "2026-01-01T00:00:00Z";
  const now = "2026-01-02T00:00:00Z";
  const approved = { type: "Approved", status: "True", message: "by me" };
  const old = [{ ...approved, lastUpdateTime: before, lastTransitionTime: before }];
  const told = (subresource: string, conditions: object[]) => {
    const object = (of: object[]) =>
      structuredClone({ metadata: { name: "r" }, status: { conditions: of } }) as KubeObject;
    const request = object(conditions);
    const context = { user: { name: "me", groups: [] }, nowMs: Date.parse(now), subresource };
    builtInStrategy(CERTIFICATE_SIGNING_REQUESTS).prepareStatus?.(request, object(old), context);
    return (request["status"] as { conditions: object[] }).conditions;
  };
  const failed = { type: "Failed", status: "True" };
  const changed = { ...approved, message: "by you" };
  assert.deepEqual(told("status", [changed, failed]), [
    ...old,
    { ...failed, lastUpdateTime: now, lastTransitionTime: now },
  ]);
  assert.deepEqual(told("approval", [changed]), [
    { ...changed, lastUpdateTime: now, lastTransitionTime: before },
  ]);
});
