import assert from "node:assert/strict";
import { test } from "node:test";
import { Cleanup } from "./cleanup.ts";

test("what was opened last is closed first, and a failure does not keep the rest open", async () => {
  const closed: string[] = [];
  const cleanup = new Cleanup();
  cleanup.use({ [Symbol.dispose]: () => void closed.push("sync") });
  cleanup.defer(() => {
    throw new Error("stuck");
  });
  cleanup.use({ [Symbol.asyncDispose]: async () => void closed.push("async") });
  await assert.rejects(cleanup[Symbol.asyncDispose](), /stuck/);
  assert.deepEqual(closed, ["async", "sync"]);
});

test("what was moved is closed by its new owner alone", async () => {
  const closed: string[] = [];
  const cleanup = new Cleanup();
  cleanup.defer(() => closed.push("once"));
  const owner = cleanup.move();
  await cleanup[Symbol.asyncDispose]();
  assert.deepEqual(closed, []);
  await owner[Symbol.asyncDispose]();
  assert.deepEqual(closed, ["once"]);
});
