import assert from "node:assert/strict";
import { test } from "node:test";
import { LEASES } from "../api/generated/resources.ts";
import type { Transport } from "../api/transport.ts";
import { silentLogger } from "../lib/logger.ts";
import { seededRandom } from "../lib/random.ts";
import { VirtualClock } from "../lib/virtual-clock.ts";
import { createLeaderElector, type LeaderElector } from "./leader-elector.ts";
import { MemoryTransport } from "./memory-transport.ts";
import { createClient } from "./resource-client.ts";

const lease = { namespace: "kube-system", name: "controllers" };

/** Starts a candidate that leads until it may not; `leaders` is who leads right now. */
function candidate(
  identity: string,
  {
    clock,
    transport,
    leaders,
  }: { clock: VirtualClock; transport: Transport; leaders: Set<string> },
): LeaderElector {
  return createLeaderElector({
    client: createClient(transport),
    clock,
    random: seededRandom(identity.charCodeAt(0)),
    logger: silentLogger,
    lease,
    identity,
    async lead(signal) {
      leaders.add(identity);
      assert.equal(leaders.size, 1, `${[...leaders].join(" and ")} lead at once`);
      await new Promise<void>((done) => signal.addEventListener("abort", () => done()));
      leaders.delete(identity);
    },
  });
}

/** A connection that can be cut. */
function cuttable(inner: Transport): Transport & { isCut: boolean } {
  const transport = {
    isCut: false,
    request: async (request: Parameters<Transport["request"]>[0]) => {
      if (transport.isCut) throw new Error("connection refused");
      return inner.request(request);
    },
    watch: inner.watch.bind(inner),
  };
  return transport;
}

test("one of two leads, and gives the lease back when it stops", async () => {
  const clock = new VirtualClock();
  const transport = new MemoryTransport();
  const bench = { clock, transport, leaders: new Set<string>() };
  const a = candidate("a", bench);
  const b = candidate("b", bench);
  await clock.advance(60_000);
  assert.equal(bench.leaders.size, 1);
  assert.notEqual(a.isLeader, b.isLeader);
  const [first, second] = a.isLeader ? [a, b] : [b, a];
  await first[Symbol.asyncDispose]();
  await clock.advance(4_000);
  assert.equal(second.isLeader, true);
  await second[Symbol.asyncDispose]();
  const { spec } = await createClient(transport).for(LEASES).get(lease);
  assert.deepEqual([spec?.holderIdentity, spec?.leaseTransitions], ["", 1]);
  assert.equal(clock.pendingTimers, 0);
});

test("a leader that cannot renew steps down before another can take over", async () => {
  const clock = new VirtualClock();
  const memory = new MemoryTransport();
  const cut = cuttable(memory);
  const leaders = new Set<string>();
  const a = candidate("a", { clock, transport: cut, leaders });
  await clock.advance(1_000);
  const b = candidate("b", { clock, transport: memory, leaders });
  await clock.advance(20_000);
  assert.equal(a.isLeader, true);
  cut.isCut = true;
  await clock.advance(12_000);
  assert.deepEqual([a.isLeader, b.isLeader], [false, false]);
  await clock.advance(10_000);
  assert.deepEqual([a.isLeader, b.isLeader], [false, true]);
  cut.isCut = false;
  await clock.advance(30_000);
  assert.deepEqual([a.isLeader, b.isLeader], [false, true]);
  await a[Symbol.asyncDispose]();
  await b[Symbol.asyncDispose]();
});
