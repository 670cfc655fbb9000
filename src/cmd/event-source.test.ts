import assert from "node:assert/strict";
import { test } from "node:test";
import { eventSourceOf } from "./event-source.ts";

test("events are signed with upstream's names of the controllers", () => {
  assert.equal(eventSourceOf("deployment"), "deployment-controller");
  assert.equal(eventSourceOf("replica-set"), "replicaset-controller");
  assert.equal(eventSourceOf("node-lifecycle"), "node-controller");
});
