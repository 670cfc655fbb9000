import assert from "node:assert/strict";
import { test } from "node:test";
import { StatusError } from "../../api/errors.ts";
import { type ServerFixture, startServer } from "../api-server-fixture.ts";

const PODS = "/api/v1/namespaces/default/pods";

async function outcome(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "made";
  } catch (error) {
    if (error instanceof StatusError) return `${error.code}: ${error.message}`;
    throw error;
  }
}

async function makePod(api: ServerFixture): Promise<Record<string, string>> {
  const spec = { containers: [{ name: "c", image: "i" }] };
  const { metadata } = await api.ask("POST", PODS, { metadata: { name: "a" }, spec });
  return metadata as unknown as Record<string, string>;
}

test("a binding is of the pod, the state and the node that it names", async () => {
  await using api = await startServer();
  const { uid, resourceVersion } = await makePod(api);
  const target = { kind: "Node", name: "n1" };
  const precondition = (what: string, asked: string, found = "") =>
    `409: Operation cannot be fulfilled on pods "a": Precondition failed: ${what} in ` +
    `precondition: ${asked}, ${what} in object meta: ${found}`;
  // What is refused, in turn; the last one is taken.
  const rows: [object, string][] = [
    [
      { metadata: { name: "a" }, target: { kind: "Nodes", name: "n1" } },
      '400: target.kind: Unsupported value: "Nodes": supported values: "Node"',
    ],
    [
      { metadata: { name: "a" }, target: { kind: "Node" } },
      "400: a binding needs target.name, the name of a node",
    ],
    [{ metadata: { name: "b" }, target }, "400: name in URL does not match name in Binding object"],
    [
      { metadata: { name: "a", namespace: "other" }, target },
      "400: the namespace of the provided object does not match the namespace sent on the request",
    ],
    [{ metadata: {}, target }, "400: name in URL does not match name in Binding object"],
    [{ metadata: { name: "a", uid: "u" }, target }, precondition("UID", "u", uid)],
    [
      { metadata: { name: "a", resourceVersion: "1" }, target },
      precondition("ResourceVersion", "1", resourceVersion),
    ],
    [
      { metadata: { name: "a", uid, resourceVersion: "1" }, target },
      precondition("ResourceVersion", "1", resourceVersion),
    ],
    [{ metadata: { name: "a", uid, resourceVersion }, target: { name: "n1" } }, "made"],
  ];
  const found: [object, string][] = [];
  for (const [binding] of rows) {
    found.push([binding, await outcome(api.ask("POST", `${PODS}/a/binding`, binding))]);
  }
  assert.deepEqual(found, rows);
});

test("an eviction is of the pod that it names", async () => {
  await using api = await startServer();
  await makePod(api);
  const mismatch = "400: name in URL does not match name in Eviction object";
  const evict = (metadata: object) => outcome(api.ask("POST", `${PODS}/a/eviction`, { metadata }));
  assert.equal(await evict({ name: "b" }), mismatch);
  assert.equal(await evict({}), mismatch);
  assert.equal(await evict({ name: "a" }), "made");
});
