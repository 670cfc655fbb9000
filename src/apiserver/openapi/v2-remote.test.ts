import assert from "node:assert/strict";
import { test } from "node:test";
import type { SwaggerDocument } from "./v2.ts";
import { withRemote } from "./v2-remote.ts";

const own: SwaggerDocument = {
  swagger: "2.0",
  info: { title: "Kubernetes", version: "v1" },
  paths: { "/api/v1/pods": {} },
  definitions: { Meta: { description: "ours" } },
};

const body = (name: string) => ({ get: { schema: { $ref: `#/definitions/${name}` } } });
const document = {
  paths: {
    "/apis/wardle.example.com/v1/": body("Resources"),
    "/apis/wardle.example.com/v1/flunders": body("Flunder"),
    "/apis/wardle.example.com/v10/flunders": body("Other"),
    "/apis/apps/v1/deployments": body("Other"),
  },
  definitions: {
    Resources: { type: "object" },
    Flunder: { properties: { metadata: { $ref: "#/definitions/Meta" }, next: body("Flunder") } },
    Meta: { description: "theirs" },
    Other: { type: "object" },
  },
};

test("of another server come the paths it answers for, and the types that they mention", () => {
  const all = withRemote(own, { group: "wardle.example.com", version: "v1", document });
  assert.deepEqual(Object.keys(all.paths), [
    "/api/v1/pods",
    "/apis/wardle.example.com/v1/",
    "/apis/wardle.example.com/v1/flunders",
  ]);
  assert.deepEqual(Object.keys(all.definitions), ["Meta", "Resources", "Flunder"]);
  assert.equal(all.definitions["Meta"]?.["description"], "ours");
});

test("a server that says something else changes nothing", () => {
  for (const nonsense of [undefined, null, 7, [], { paths: [] }, { paths: { "/apis": 1 } }]) {
    const remote = { group: "wardle.example.com", version: "v1", document: nonsense };
    assert.equal(withRemote(own, remote), own);
  }
});
