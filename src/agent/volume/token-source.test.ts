import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import type { TokenRequest } from "../../api/generated/types/authentication-v1.ts";
import type { Pod, ServiceAccountTokenProjection } from "../../api/generated/types/core-v1.ts";
import type { Client } from "../../client/client.ts";
import { createInformerFactory } from "../../client/informer-factory.ts";
import { MemoryTransport } from "../../client/memory-transport.ts";
import { createClient } from "../../client/resource-client.ts";
import { silentLogger } from "../../lib/logger.ts";
import { seededRandom } from "../../lib/random.ts";
import { settle, VirtualClock } from "../../lib/virtual-clock.ts";
import { followVolume } from "./live-volume.ts";
import { keepToken } from "./token-source.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const pod: Pod = {
  metadata: { name: "web", namespace: "default", uid: "u" },
  spec: { containers: [] },
};

/** An issuer that numbers its tokens; it fails, or never answers, as it is told to. */
function issuer() {
  const clock = new VirtualClock();
  const of = { issued: 0, asked: 0, fails: false, hold: undefined as Promise<void> | undefined };
  const post = async (_ref: unknown, _sub: string, { spec }: TokenRequest) => {
    of.asked++;
    await of.hold;
    if (of.fails) throw new Error("no answer");
    const lifetimeMs = (spec.expirationSeconds ?? 0) * 1000;
    const expirationTimestamp = new Date(clock.now() + lifetimeMs).toISOString();
    return { spec, status: { token: `token-${++of.issued}`, expirationTimestamp } };
  };
  const client = { for: () => ({ post }) } as unknown as Client;
  let changes = 0;
  const keep = (projection: Partial<ServiceAccountTokenProjection> = {}) =>
    keepToken({
      client,
      clock,
      pod,
      projection: { path: "token", ...projection },
      onChange: () => void changes++,
    });
  return { clock, of, client, keep, changes: () => changes };
}

test("a token is renewed at four fifths of its life, and after a day at the latest", async () => {
  const { clock, keep, changes } = issuer();
  {
    using source = keep();
    await source.first;
    await clock.advance(48 * MINUTE_MS - 1);
    assert.deepEqual([source.value, changes()], ["token-1", 0]);
    await clock.advance(1);
    assert.deepEqual([source.value, changes()], ["token-2", 1]);
    await clock.advance(48 * MINUTE_MS);
    assert.deepEqual([source.value, changes()], ["token-3", 2]);
  }
  using source = keep({ expirationSeconds: 7 * 86_400 });
  await source.first;
  await clock.advance(24 * HOUR_MS - 1);
  assert.equal(source.value, "token-4");
  await clock.advance(1);
  assert.equal(source.value, "token-5");
});

test("a token that cannot be renewed stays, and is asked for again until it can", async () => {
  const { clock, of, keep, changes } = issuer();
  using source = keep();
  await source.first;
  of.fails = true;
  await clock.advance(48 * MINUTE_MS);
  assert.deepEqual([source.value, of.asked], ["token-1", 2]);
  await clock.advance(10 * MINUTE_MS);
  assert.ok(of.asked > 5 && of.asked < 20, `asked ${of.asked} times`);
  assert.deepEqual([source.value, changes()], ["token-1", 0]);
  of.fails = false;
  await clock.advance(5 * MINUTE_MS);
  assert.deepEqual([source.value, changes()], ["token-2", 1]);
});

test("nobody is asked, and nobody told, for a volume that is gone", async () => {
  for (const fails of [true, false]) {
    const { clock, of, keep, changes } = issuer();
    const source = keep();
    await source.first;
    let answer = () => {};
    const hold = new Promise<void>((resolve) => {
      answer = resolve;
    });
    Object.assign(of, { fails, hold });
    await clock.advance(48 * MINUTE_MS);
    source[Symbol.dispose]();
    answer();
    await settle();
    assert.deepEqual([of.asked, changes(), clock.pendingTimers], [2, 0, 0]);
  }
});

test("the file of a token is replaced as a whole, and stays while there is no new one", async () => {
  const { clock, of, client: tokens } = issuer();
  const client = { ...createClient(new MemoryTransport()), for: tokens.for.bind(tokens) } as Client;
  const directory = mkdtempSync(path.join(tmpdir(), "nephos-token-"));
  const sources = { client, clock, logger: silentLogger };
  const informers = createInformerFactory({ ...sources, random: seededRandom(1) });
  try {
    const projection = { serviceAccountToken: { path: "token" } };
    const volume = { name: "api", projected: { sources: [projection] } };
    const facts = { hostIp: "192.0.2.1", allocatable: {} };
    const request = { pod, volume, directory, onChange: () => void live.write() };
    using live = followVolume({ ...sources, informers, facts }, request);
    const read = () => readFileSync(path.join(directory, "token"), "utf8");
    await live.write();
    const before = readlinkSync(path.join(directory, "..data"));
    assert.equal(read(), "token-1");
    of.fails = true;
    await clock.advance(50 * MINUTE_MS);
    await live.write();
    assert.equal(read(), "token-1");
    assert.equal(readlinkSync(path.join(directory, "..data")), before);
    of.fails = false;
    await clock.advance(10 * MINUTE_MS);
    await settle();
    assert.equal(read(), "token-2");
    assert.notEqual(readlinkSync(path.join(directory, "..data")), before);
    assert.equal(readdirSync(directory).length, 3, "nothing of the old one is left");
  } finally {
    await informers[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true });
  }
});
