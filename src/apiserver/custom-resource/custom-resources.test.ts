import assert from "node:assert/strict";
import { test } from "node:test";
import { StatusError } from "../../api/errors.ts";
import { settle } from "../../lib/virtual-clock.ts";
import { type AnyObject, type ServerFixture, startServer } from "../api-server-fixture.ts";
import { compilePath } from "./printer-columns.ts";

const DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const WIDGETS = "/apis/example.com/v1/namespaces/default/widgets";

function definition(more: object = {}): object {
  const schema = {
    type: "object",
    properties: {
      spec: {
        type: "object",
        required: ["size"],
        properties: {
          size: { type: "integer", minimum: 1 },
          color: { type: "string", default: "red", enum: ["red", "blue"] },
          sockets: {
            type: "array",
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["port", "protocol"],
            items: {
              type: "object",
              required: ["port"],
              properties: {
                port: { type: "integer" },
                protocol: { type: "string", default: "TCP" },
              },
            },
          },
          ports: {
            type: "array",
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["port"],
            items: {
              type: "object",
              required: ["port"],
              properties: { port: { type: "integer" }, name: { type: "string" } },
            },
          },
        },
      },
      status: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
    },
  };
  const version = {
    name: "v1",
    served: true,
    storage: true,
    schema: { openAPIV3Schema: schema },
    subresources: { status: {} },
    ...more,
  };
  return {
    metadata: { name: "widgets.example.com" },
    spec: {
      group: "example.com",
      scope: "Namespaced",
      names: { plural: "widgets", kind: "Widget", shortNames: ["wd"] },
      versions: [version],
    },
  };
}

async function define(api: ServerFixture, body: object = definition()): Promise<AnyObject> {
  await api.ask("POST", DEFINITIONS, body);
  await settle();
  return api.ask("GET", `${DEFINITIONS}/widgets.example.com`);
}

async function reasonOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => "accepted",
    (error: unknown) => (error instanceof StatusError ? error.reason : String(error)),
  );
}

test("a definition becomes established and its objects are served", async () => {
  await using api = await startServer();
  assert.equal(await reasonOf(api.ask("GET", WIDGETS)), "NotFound");
  const established = await define(api);
  const { conditions } = established["status"] as {
    conditions: { type: string; status: string }[];
  };
  assert.deepEqual(
    conditions.map(({ type, status }) => `${type}=${status}`),
    ["NamesAccepted=True", "Established=True"],
  );
  const made = await api.ask("POST", WIDGETS, {
    metadata: { name: "w" },
    spec: { size: 2, unknown: true },
    status: { x: 1 },
  });
  assert.deepEqual(made["spec"], { size: 2, color: "red" });
  assert.equal(made["status"], undefined);
  assert.equal(made.metadata["generation"], 1);
  const status = { phase: { deep: [1, null] } };
  await api.ask("PUT", `${WIDGETS}/w/status`, { ...made, status });
  assert.deepEqual((await api.ask("GET", `${WIDGETS}/w`))["status"], status);
});

test("fields that a definition has no more are not the patch's", async () => {
  await using api = await startServer();
  await define(api);
  await api.ask("POST", WIDGETS, { metadata: { name: "w" }, spec: { size: 2, color: "blue" } });
  const path = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/color";
  await api.patch(`${DEFINITIONS}/widgets.example.com`, {
    body: [{ op: "remove", path }],
    type: "json-patch+json",
  });
  await settle();
  const patch = (spec: object) =>
    api.patch(`${WIDGETS}/w?fieldValidation=Strict`, { body: { spec }, type: "merge-patch+json" });
  await assert.rejects(patch({ color: "red" }), /unknown field \\*"spec\.color/);
  assert.deepEqual((await patch({ size: 3 }))["spec"], { size: 3 });
});

test("objects are selected by the fields that their definition names", async () => {
  await using api = await startServer();
  await define(api, definition({ selectableFields: [{ jsonPath: ".spec.color" }] }));
  for (const [name, color] of Object.entries({ a: "red", b: "blue" })) {
    await api.ask("POST", WIDGETS, { metadata: { name }, spec: { size: 1, color } });
  }
  const namesOf = async (selector: string) => {
    const { items } = await api.ask("GET", `${WIDGETS}?fieldSelector=${selector}`);
    return (items as AnyObject[]).map(({ metadata }) => metadata["name"]);
  };
  assert.deepEqual(await namesOf("spec.color%3Dblue"), ["b"]);
  assert.deepEqual(await namesOf("spec.color!%3Dblue,metadata.name%3Da"), ["a"]);
  assert.equal(await reasonOf(namesOf("spec.size%3D1")), "BadRequest");
});

test("what breaks the schema is invalid", async () => {
  await using api = await startServer();
  await define(api);
  const create = (spec: object) => api.ask("POST", WIDGETS, { metadata: { name: "w" }, spec });
  for (const spec of [{}, { size: 0 }, { size: "two" }, { size: 1, color: "green" }]) {
    assert.equal(await reasonOf(create(spec)), "Invalid", JSON.stringify(spec));
  }
  assert.equal(
    await reasonOf(api.patch(`${WIDGETS}/w`, { body: {}, type: "strategic-merge-patch+json" })),
    "NotFound",
  );
  await create({ size: 1 });
  assert.equal(
    await reasonOf(api.patch(`${WIDGETS}/w`, { body: {}, type: "strategic-merge-patch+json" })),
    "UnsupportedMediaType",
  );
  const unconditional = { metadata: { name: "w" }, spec: { size: 2 } };
  assert.equal(await reasonOf(api.ask("PUT", `${WIDGETS}/w`, unconditional)), "Invalid");
});

test("null stays where it may stand, and wrong types are told by validation", async () => {
  await using api = await startServer();
  const body = definition() as { spec: { versions: { schema: object }[] } };
  const spec = {
    type: "object",
    properties: {
      maybe: { type: "object", nullable: true, properties: { a: { type: "integer" } } },
      never: { type: "string" },
      list: { type: "array", items: { type: "integer" } },
    },
  };
  const [version] = body.spec.versions;
  assert.ok(version);
  version.schema = { openAPIV3Schema: { type: "object", properties: { spec } } };
  await define(api, body);
  const create = (name: string, value: unknown) =>
    api.ask("POST", WIDGETS, { metadata: { name }, spec: value });
  const made = await create("a", { maybe: null, never: null });
  assert.deepEqual(made["spec"], { maybe: null });
  const pruned = await create("b", { maybe: { a: 1, b: 2 } });
  assert.deepEqual(pruned["spec"], { maybe: { a: 1 } });
  for (const wrong of [{ list: {} }, { maybe: [] }, "text", { list: ["x"] }]) {
    const promise = create("c", wrong);
    assert.equal(await reasonOf(promise), "Invalid", JSON.stringify(wrong));
  }
});

test("server-side apply merges lists by their keys", async () => {
  await using api = await startServer();
  await define(api);
  const apply = (manager: string, ports: object[], size = {}) =>
    api.patch(`${WIDGETS}/w?fieldManager=${manager}`, {
      body: {
        apiVersion: "example.com/v1",
        kind: "Widget",
        metadata: { name: "w" },
        spec: { ...size, ports },
      },
      type: "apply-patch+yaml",
    });
  await apply("one", [{ port: 1 }], { size: 1 });
  const both = await apply("two", [{ port: 2, name: "b" }]);
  assert.deepEqual((both["spec"] as { ports: object[] }).ports, [
    { port: 1 },
    { port: 2, name: "b" },
  ]);
});

test("a key that nobody writes counts as its default when a list is applied again", async () => {
  await using api = await startServer();
  await define(api);
  const apply = (...sockets: object[]) =>
    api.patch(`${WIDGETS}/w?fieldManager=one`, {
      body: {
        apiVersion: "example.com/v1",
        kind: "Widget",
        metadata: { name: "w" },
        spec: { size: 1, sockets },
      },
      type: "apply-patch+yaml",
    });
  const first = await apply({ port: 1 }, { port: 2 });
  const again = await apply({ port: 1 }, { port: 2 });
  assert.deepEqual(again, first);
  const last = await apply({ port: 2 }, { port: 2, protocol: "UDP" });
  assert.deepEqual((last["spec"] as { sockets: object[] }).sockets, [
    { port: 2, protocol: "TCP" },
    { port: 2, protocol: "UDP" },
  ]);
});

test("another version shows the same objects", async () => {
  await using api = await startServer();
  const one = definition() as { spec: { versions: { name: string; storage: boolean }[] } };
  const [first] = one.spec.versions;
  assert.ok(first);
  one.spec.versions.push({ ...first, name: "v2", storage: false });
  await define(api, one);
  await api.ask("POST", WIDGETS, { metadata: { name: "w" }, spec: { size: 1 } });
  const seen = await api.ask("GET", `${WIDGETS.replace("v1", "v2")}/w`);
  assert.equal(seen["apiVersion"], "example.com/v2");
  assert.deepEqual(seen["spec"], { size: 1, color: "red" });
});

test("objects show the defaults that came after them", async () => {
  await using api = await startServer();
  await define(api);
  await api.ask("POST", WIDGETS, { metadata: { name: "w" }, spec: { size: 1 } });
  const path = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties";
  await api.patch(`${DEFINITIONS}/widgets.example.com`, {
    body: [{ op: "add", path: `${path}/shape`, value: { type: "string", default: "round" } }],
    type: "json-patch+json",
  });
  await settle();
  const seen = await api.ask("GET", `${WIDGETS}/w`);
  assert.deepEqual(seen["spec"], { size: 1, color: "red", shape: "round" });
  const [listed] = (await api.ask("GET", WIDGETS))["items"] as AnyObject[];
  assert.deepEqual(listed?.["spec"], seen["spec"]);
});

test("deleting a definition deletes its objects and stops serving them", async () => {
  await using api = await startServer();
  await define(api);
  await api.ask("POST", WIDGETS, { metadata: { name: "w" }, spec: { size: 1 } });
  await api.ask("DELETE", `${DEFINITIONS}/widgets.example.com`);
  await settle();
  assert.equal(await reasonOf(api.ask("GET", `${DEFINITIONS}/widgets.example.com`)), "NotFound");
  assert.equal(await reasonOf(api.ask("GET", WIDGETS)), "NotFound");
  assert.equal((await api.store.list("example.com/widgets")).items.length, 0);
});

test("a definition that is going waits for its objects and takes no new ones", async () => {
  await using api = await startServer();
  await define(api);
  const finalizers = ["example.com/wait"];
  await api.ask("POST", WIDGETS, { metadata: { name: "w", finalizers }, spec: { size: 1 } });
  await api.ask("DELETE", `${DEFINITIONS}/widgets.example.com`);
  await settle();
  const { status } = await api.ask("GET", `${DEFINITIONS}/widgets.example.com`);
  const { conditions } = status as { conditions: { type: string; reason: string }[] };
  assert.equal(conditions.at(-1)?.reason, "InstanceDeletionInProgress");
  const create = api.ask("POST", WIDGETS, { metadata: { name: "x" }, spec: { size: 1 } });
  assert.equal(await reasonOf(create), "MethodNotAllowed");
  await api.patch(`${WIDGETS}/w`, {
    body: { metadata: { finalizers: [] } },
    type: "merge-patch+json",
  });
  await settle();
  assert.equal(await reasonOf(api.ask("GET", `${DEFINITIONS}/widgets.example.com`)), "NotFound");
});

test("a name that is taken is accepted when it is free again", async () => {
  await using api = await startServer();
  await define(api);
  const other = definition() as { metadata: object; spec: { names: object } };
  other.metadata = { name: "gadgets.example.com" };
  other.spec.names = { plural: "gadgets", kind: "Gadget", shortNames: ["wd"] };
  await api.ask("POST", DEFINITIONS, other);
  await settle();
  const conditions = async (): Promise<string[]> => {
    const { status } = await api.ask("GET", `${DEFINITIONS}/gadgets.example.com`);
    const list = (status as { conditions: Record<string, string>[] }).conditions;
    return list.map(({ type, status: is, reason }) => `${type}=${is} ${reason}`);
  };
  assert.deepEqual(await conditions(), [
    "NamesAccepted=False ShortNamesConflict",
    "Established=False NotAccepted",
  ]);
  const gadgets = WIDGETS.replace("widgets", "gadgets");
  assert.equal(await reasonOf(api.ask("GET", gadgets)), "NotFound");
  await api.ask("DELETE", `${DEFINITIONS}/widgets.example.com`);
  await settle();
  assert.deepEqual(await conditions(), [
    "NamesAccepted=True NoConflicts",
    "Established=True InitialNamesAccepted",
  ]);
  assert.equal((await api.ask("GET", gadgets))["kind"], "GadgetList");
});

test("a version that was ever stored is remembered and must stay", async () => {
  await using api = await startServer();
  const body = definition() as { spec: { versions: { name: string; storage: boolean }[] } };
  const [first] = body.spec.versions;
  assert.ok(first);
  const made = await define(api, body);
  const versions = [
    { ...first, storage: false },
    { ...first, name: "v2" },
  ];
  const path = `${DEFINITIONS}/widgets.example.com`;
  const patch = (list: object[]) =>
    api.patch(path, { body: { spec: { versions: list } }, type: "merge-patch+json" });
  const changed = await patch(versions);
  const { storedVersions } = changed["status"] as { storedVersions: string[] };
  assert.deepEqual(storedVersions, ["v1", "v2"]);
  assert.equal(await reasonOf(patch([{ ...first, name: "v2" }])), "Invalid");
  assert.equal(made["kind"], "CustomResourceDefinition");
});

test("definitions are served again after a restart", async () => {
  await using api = await startServer();
  await define(api);
  await api.ask("POST", WIDGETS, { metadata: { name: "w" }, spec: { size: 1 } });
  await api.server[Symbol.asyncDispose]();
  await using again = await startServer({ store: api.store });
  assert.equal((await again.ask("GET", `${WIDGETS}/w`))["kind"], "Widget");
});

test("printer columns read fields, indexes and filters", () => {
  const object = {
    spec: { a: { "b-c": 1 }, list: [{ name: "x" }, { name: "y", v: 2 }] },
    status: { conditions: [{ type: "Ready", status: "True" }] },
  };
  const cases: [string, unknown][] = [
    [".spec.a.b-c", 1],
    [".spec.list[1].v", 2],
    ['.status.conditions[?(@.type=="Ready")].status', "True"],
    [".spec.nope.more", undefined],
    ["{broken", undefined],
  ];
  for (const [path, wanted] of cases) assert.equal(compilePath(path)(object), wanted, path);
});
