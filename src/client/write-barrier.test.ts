import assert from "node:assert/strict";
import { test } from "node:test";
import { REPLICA_SETS } from "../api/generated/resources.ts";
import type { ReplicaSet } from "../api/generated/types/apps-v1.ts";
import { VirtualClock } from "../lib/virtual-clock.ts";
import type { Informer } from "./informer.ts";
import { WriteBarrier } from "./write-barrier.ts";

const REF = { name: "web", namespace: "default" };
const at = (resourceVersion: string): ReplicaSet => ({
  metadata: { ...REF, uid: "u1", resourceVersion },
});

/** A barrier over a cache of one object, and how long a key has been held back by it. */
function benchOf(cached: ReplicaSet | undefined) {
  const clock = new VirtualClock();
  const cache = { object: cached, revision: "5" };
  const informer = {
    resource: REPLICA_SETS,
    get: () => cache.object,
    get revision() {
      return cache.revision;
    },
  };
  const barrier = new WriteBarrier([informer as unknown as Informer<unknown>], clock);
  const hold = async (whileHeld: (afterMs: number) => void): Promise<number> => {
    let heldMs: number | undefined;
    const startMs = clock.monotonicMs();
    void barrier.wait("default/web", new AbortController().signal).then(() => {
      heldMs = clock.monotonicMs() - startMs;
    });
    for (let afterMs = 0; heldMs === undefined && afterMs < 60_000; afterMs += 100) {
      whileHeld(afterMs);
      await clock.advance(100);
    }
    return heldMs ?? Infinity;
  };
  return { cache, barrier, hold };
}

test("a key waits until the caches show what was written for it", async () => {
  const { barrier, cache, hold } = benchOf(undefined);
  assert.equal(await hold(() => {}), 0);
  barrier.wrote("default/web", REPLICA_SETS, at("9"));
  const heldMs = await hold((afterMs) => {
    if (afterMs === 1_000) cache.revision = "9";
  });
  assert.ok(heldMs >= 1_000 && heldMs < 1_200, `${heldMs} ms`);
});

test("a key waits while its cache shows what the server refused to change", async () => {
  const { barrier, cache, hold } = benchOf(at("5"));
  barrier.refused("default/web", REPLICA_SETS, { ...REF, resourceVersion: "5" });
  const heldMs = await hold((afterMs) => {
    if (afterMs === 1_000) cache.object = undefined;
  });
  assert.ok(heldMs >= 1_000 && heldMs < 1_200, `${heldMs} ms`);
});

test("a refusal of what the cache no longer shows holds nothing back", async () => {
  const { barrier, hold } = benchOf(at("6"));
  barrier.refused("default/web", REPLICA_SETS, { ...REF, resourceVersion: "5" });
  barrier.refused("default/web", REPLICA_SETS, { ...REF, uid: "another" });
  assert.equal(await hold(() => {}), 0);
});

test("a cache that never catches up holds a key back for five seconds", async () => {
  const { barrier, hold } = benchOf(at("5"));
  barrier.refused("default/web", REPLICA_SETS, { ...REF, uid: "u1" });
  const heldMs = await hold(() => {});
  assert.ok(heldMs >= 5_000 && heldMs < 5_200, `${heldMs} ms`);
});
