import assert from "node:assert/strict";
import { test } from "node:test";
import {
  CERTIFICATE_SIGNING_REQUESTS,
  ENDPOINT_SLICES,
  NODES,
  PERSISTENT_VOLUME_CLAIMS,
  PERSISTENT_VOLUMES,
  SERVICE_ACCOUNTS,
} from "../../api/generated/resources.ts";
import type { Resource } from "../../api/resource.ts";
import type { KubeObject } from "../kube-object.ts";
import { builtInStrategy } from "./built-in-strategies.ts";

const CONTEXT = { user: { name: "me", groups: [] }, nowMs: Date.UTC(2026, 0, 2) };

const objectOf = (fields: object) =>
  structuredClone({ metadata: { name: "x" }, ...fields }) as unknown as KubeObject;

test("who asks for a certificate is who sends the request", () => {
  const claimed = { username: "admin", uid: "1", groups: ["system:masters"], extra: { a: ["b"] } };
  const spec = { request: "LQ==", signerName: "example.com/a", usages: ["client auth"] };
  const { spec: kept } = prepared(CERTIFICATE_SIGNING_REQUESTS, { spec: { ...spec, ...claimed } });
  assert.deepEqual(kept, { ...spec, username: "me", groups: [] });
});

/** The object as it is stored, made new or from `old`. */
function prepared(resource: Resource, fields: object, old?: object): KubeObject {
  const object = objectOf(fields);
  const strategy = builtInStrategy(resource);
  if (old) strategy.prepareUpdate?.(object, objectOf(old), CONTEXT);
  else strategy.prepareCreate?.(object, CONTEXT);
  return object;
}

test("either source of a claim fills the other, for clients that know but one", () => {
  const claim = { kind: "PersistentVolumeClaim", name: "a" };
  const thing = { apiGroup: "example.com", kind: "Thing", name: "a" };
  const cases: [spec: object, kept: object, old?: object][] = [
    [{ dataSource: claim }, { dataSource: claim, dataSourceRef: claim }],
    [{ dataSourceRef: thing }, { dataSource: thing, dataSourceRef: thing }],
    [{ dataSource: thing }, {}],
    [{}, {}],
    [
      { dataSource: claim },
      { dataSource: claim, dataSourceRef: claim },
      { dataSource: claim, dataSourceRef: claim },
    ],
    // Stored before the second field was filled.
    [{ dataSource: claim }, { dataSource: claim }, { dataSource: claim }],
  ];
  for (const [spec, kept, old] of cases) {
    const stored = prepared(PERSISTENT_VOLUME_CLAIMS, { spec }, old && { spec: old });
    assert.deepEqual(stored["spec"], kept, JSON.stringify(spec));
  }
});

test("a volume tells since when it is in its phase", () => {
  const since = "2026-01-02T00:00:00Z";
  const before = "2026-01-01T00:00:00Z";
  const made = prepared(PERSISTENT_VOLUMES, { spec: {}, status: { phase: "Bound" } });
  assert.deepEqual(made["status"], { phase: "Pending", lastPhaseTransitionTime: since });
  const told = (status: object) => {
    const volume = objectOf({ status });
    const old = objectOf({ status: { phase: "Available", lastPhaseTransitionTime: before } });
    builtInStrategy(PERSISTENT_VOLUMES).prepareStatus?.(volume, old, CONTEXT);
    return (volume["status"] as Record<string, unknown>)["lastPhaseTransitionTime"];
  };
  assert.equal(told({ phase: "Bound", lastPhaseTransitionTime: before }), since);
  assert.equal(told({ phase: "Bound" }), since);
  assert.equal(told({ phase: "Available", lastPhaseTransitionTime: before }), before);
  const own = "2020-01-01T00:00:00Z";
  assert.equal(told({ phase: "Bound", lastPhaseTransitionTime: own }), own);
});

test("of an account's Secrets the names are kept", () => {
  const secrets = [{ kind: "Secret", namespace: "b", name: "a", uid: "1" }];
  assert.deepEqual(prepared(SERVICE_ACCOUNTS, { secrets })["secrets"], [{ name: "a" }]);
  assert.deepEqual(prepared(SERVICE_ACCOUNTS, { secrets }, {})["secrets"], [{ name: "a" }]);
});

test("a node names no ConfigMap for its configuration, unless it did", () => {
  const spec = { configSource: { configMap: { name: "a" } }, podCIDR: "10.0.0.0/24" };
  assert.deepEqual(prepared(NODES, { spec })["spec"], { podCIDR: spec.podCIDR });
  assert.deepEqual(prepared(NODES, { spec }, { spec: {} })["spec"], { podCIDR: spec.podCIDR });
  assert.deepEqual(prepared(NODES, { spec }, { spec })["spec"], spec);
});

test("topology of old versions goes from slices, but for a node's name that was there", () => {
  const deprecatedTopology = { "kubernetes.io/hostname": "n", zone: "z" };
  const endpoints = [{ addresses: ["10.0.0.1"], deprecatedTopology }];
  const bare = [{ addresses: ["10.0.0.1"] }];
  assert.deepEqual(prepared(ENDPOINT_SLICES, { endpoints })["endpoints"], bare);
  const same = prepared(ENDPOINT_SLICES, { endpoints }, { endpoints });
  assert.deepEqual(same["endpoints"], endpoints);
  const more = [...endpoints, { addresses: ["10.0.0.2"] }];
  const changed = prepared(ENDPOINT_SLICES, { endpoints: more }, { endpoints });
  assert.deepEqual(changed["endpoints"], [
    { addresses: ["10.0.0.1"], nodeName: "n" },
    { addresses: ["10.0.0.2"] },
  ]);
});
