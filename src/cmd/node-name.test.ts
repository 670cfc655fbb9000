import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { nodeNameOf } from "./node-name.ts";

test("a host name becomes a node name", () => {
  const table: readonly [string, string][] = [
    ["vm", "vm"],
    ["Build-Box.example.ORG", "build-box.example.org"],
    ["my_laptop", "my-laptop"],
    ["-edge-", "edge"],
    ["a..b.", "a.b"],
    ["_._", "node"],
    ["", "node"],
    ["日本", "node"],
    [`${"x".repeat(59)}-y`, "x".repeat(59)],
  ];
  for (const [hostname, name] of table) assert.equal(nodeNameOf(hostname), name);
});

test("every host name becomes a valid one", () => {
  const valid = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 100 }), (hostname) => {
      const name = nodeNameOf(hostname);
      assert.match(name, valid);
      assert.ok(name.length <= 60);
    }),
  );
});
