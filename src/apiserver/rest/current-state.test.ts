import assert from "node:assert/strict";
import { test } from "node:test";
import type { Store, StoreEvent } from "../../store/store.ts";
import { createMemoryStore } from "../../store/memory/memory-store.ts";
import { startServer } from "../api-server-fixture.ts";

/** A store whose watchers hear of nothing while it is `held`. */
function holdingStore(): { store: Store; hold(): void; release(): void } {
  const inner = createMemoryStore();
  const waiting: (() => void)[] = [];
  let held = false;
  const store = new Proxy(inner, {
    get(target, name) {
      if (name !== "watch") {
        const member = Reflect.get(target, name) as unknown;
        return typeof member === "function" ? (member.bind(target) as unknown) : member;
      }
      return (resource: string, from: number, deliver: (events: StoreEvent[]) => void) =>
        target.watch(resource, from, (events) => {
          if (held) waiting.push(() => deliver(events));
          else deliver(events);
        });
    },
  });
  return {
    store,
    hold: () => void (held = true),
    release: () => {
      held = false;
      for (const deliver of waiting.splice(0)) deliver();
    },
  };
}

const MAPS = "/api/v1/namespaces/default/configmaps";

test("what only an old state in the cache refuses is done with the newest one", async () => {
  const { store, hold, release } = holdingStore();
  await using server = await startServer({ store });
  await server.ask("POST", MAPS, { metadata: { name: "a" }, data: { by: "first" } });
  const stored = await store.get("core/configmaps", "default/a");
  assert.ok(stored);
  hold();
  const text = Buffer.from(stored.bytes).toString().replace("first", "other");
  const expectedRevision = stored.revision;
  const { revision } = await store.update("core/configmaps", "default/a", {
    bytes: Buffer.from(text),
    expectedRevision,
  });
  // The cache still has the first revision, whose precondition this is not.
  const body = { metadata: { resourceVersion: String(revision) }, data: { and: "patch" } };
  const patching = server.patch(`${MAPS}/a`, { body, type: "merge-patch+json" });
  for (let turn = 0; turn < 10; turn++) await new Promise((done) => setImmediate(done));
  release();
  const patched = (await patching) as { data?: unknown };
  assert.deepEqual(patched.data, { by: "other", and: "patch" });
});

test("a precondition that the newest state does not meet is refused all the same", async () => {
  await using server = await startServer({});
  await server.ask("POST", MAPS, { metadata: { name: "a" }, data: { by: "first" } });
  const body = { metadata: { resourceVersion: "1" }, data: { and: "patch" } };
  const patching = server.patch(`${MAPS}/a`, { body, type: "merge-patch+json" });
  await assert.rejects(patching, { reason: "Conflict" });
});
