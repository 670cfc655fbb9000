import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLogger } from "../lib/logger.ts";
import { VirtualClock } from "../lib/virtual-clock.ts";
import { startCompactor } from "./compactor.ts";
import { isStoreError } from "./errors.ts";
import { createMemoryStore } from "./memory/memory-store.ts";

test("history is kept for one interval at least and two at most", async () => {
  const clock = new VirtualClock();
  const store = createMemoryStore();
  const compactor = startCompactor(store, { clock, logger: silentLogger, intervalMs: 100 });
  const old = await store.create("core/pods", "a", Buffer.from("1"));
  const update = { bytes: Buffer.from("2"), expectedRevision: old.revision };
  const recent = await store.update("core/pods", "a", update);
  await clock.advance(199);
  await store.list("core/pods", { revision: old.revision });
  await clock.advance(1);
  await assert.rejects(store.list("core/pods", { revision: old.revision }), (error) =>
    isStoreError(error, "compacted"),
  );
  await store.list("core/pods", { revision: recent.revision });
  await store[Symbol.asyncDispose]();
  await clock.advance(100);
  assert.equal(clock.pendingTimers, 0);
  compactor[Symbol.dispose]();
});
