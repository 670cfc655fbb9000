import assert from "node:assert/strict";
import { test } from "node:test";
import type { StatusError } from "../../api/errors.ts";
import { settle } from "../../lib/virtual-clock.ts";
import { type AnyObject, type ServerFixture, startServer } from "../api-server-fixture.ts";

const DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const FLEETS = "/apis/example.com/v1/namespaces/default/fleets";
const FREE = { type: "object", "x-kubernetes-preserve-unknown-fields": true };
const INNER = {
  type: "object",
  "x-kubernetes-embedded-resource": true,
  properties: { spec: { type: "object", properties: { a: { type: "string" } } } },
};

/** Its replicas stand where its author wants them, and it holds objects of other kinds. */
async function startFleets(): Promise<ServerFixture> {
  const api = await startServer();
  const schema = {
    type: "object",
    properties: {
      spec: FREE,
      status: FREE,
      inner: INNER,
      maybe: { type: "string", nullable: true },
    },
  };
  const scale = {
    specReplicasPath: ".spec.size.wanted",
    statusReplicasPath: ".status.ships",
    labelSelectorPath: ".status.selector",
  };
  const version = { name: "v1", served: true, storage: true, schema: { openAPIV3Schema: schema } };
  await api.ask("POST", DEFINITIONS, {
    metadata: { name: "fleets.example.com" },
    spec: {
      group: "example.com",
      scope: "Namespaced",
      names: { plural: "fleets", kind: "Fleet" },
      versions: [{ ...version, subresources: { status: {}, scale } }],
    },
  });
  await settle();
  return api;
}

function refusal(asked: Promise<unknown>): Promise<StatusError["status"]> {
  return asked.then(
    () => assert.fail("the request was not refused"),
    ({ status }: StatusError) => status,
  );
}

function merge(api: ServerFixture, path: string, body: object): Promise<AnyObject> {
  return api.patch(path, { body, type: "merge-patch+json" });
}

test("a scale shows and sets what the definition names", async () => {
  await using api = await startFleets();
  await api.ask("POST", FLEETS, { metadata: { name: "f" }, spec: {} });
  assert.equal((await refusal(api.ask("GET", `${FLEETS}/f/scale`))).reason, "InternalError");
  await merge(api, `${FLEETS}/f/scale`, { spec: { replicas: 3 } });
  await merge(api, `${FLEETS}/f/status`, { status: { ships: 2, selector: "a=b" } });
  const fleet = await api.ask("GET", `${FLEETS}/f`);
  assert.deepEqual(fleet["spec"], { size: { wanted: 3 } });
  const scale = await api.ask("GET", `${FLEETS}/f/scale`);
  assert.deepEqual(scale["spec"], { replicas: 3 });
  assert.deepEqual(scale["status"], { replicas: 2, selector: "a=b" });
});

test("what a scale could not show is refused", async () => {
  await using api = await startFleets();
  const create = (size: unknown) =>
    refusal(api.ask("POST", FLEETS, { metadata: { name: "f" }, spec: { size } }));
  const cases: readonly (readonly [unknown, string])[] = [
    [{ wanted: -1 }, "Invalid value: -1: should be a non-negative integer"],
    [{ wanted: 2 ** 31 }, "Invalid value: 2147483648: should be less than or equal to 2147483647"],
    [
      { wanted: "1" },
      "Invalid value: 0: .spec.size.wanted accessor error: 1 is of the type string, expected int64",
    ],
    [
      [],
      "Invalid value: 0: .spec.size.wanted accessor error: [] is of the type []interface {}, " +
        "expected map[string]interface{}",
    ],
  ];
  for (const [size, message] of cases) {
    const { details } = await create(size);
    assert.deepEqual(details?.causes?.[0], {
      reason: "FieldValueInvalid",
      message,
      field: ".spec.size.wanted",
    });
  }
});

test("objects within objects keep what their schema names, and their metadata", async () => {
  await using api = await startFleets();
  const inner = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "p", labels: { a: "b" }, bogus: 1 },
    spec: { a: "x", b: "y" },
    extra: true,
  };
  const made = await api.ask("POST", FLEETS, { metadata: { name: "f" }, spec: {}, inner });
  assert.deepEqual(made["inner"], {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "p", labels: { a: "b" } },
    spec: { a: "x" },
  });
});

test("an applied null stays where the schema takes it", async () => {
  await using api = await startFleets();
  const body = {
    apiVersion: "example.com/v1",
    kind: "Fleet",
    metadata: { name: "f" },
    maybe: null,
  };
  const type = "apply-patch+yaml";
  const made = await api.patch(`${FLEETS}/f?fieldManager=m`, { body, type });
  assert.equal(made["maybe"], null);
});

test("objects of another version or kind are told apart", async () => {
  await using api = await startFleets();
  const fleet = { metadata: { name: "f" }, spec: {} };
  const other = await refusal(api.ask("POST", FLEETS, { ...fleet, apiVersion: "example.com/v9" }));
  assert.equal(
    other.message,
    "the API version in the data (example.com/v9) does not match the expected API version " +
      "(example.com/v1)",
  );
  const ship = await refusal(api.ask("POST", FLEETS, { ...fleet, kind: "Ship" }));
  assert.equal(
    ship.message,
    'Ship.example.com "f" is invalid: kind: Invalid value: "Ship": must be Fleet',
  );
});
