import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock } from "./clock.ts";
import { systemRandom } from "./random.ts";

test("a cancelled timer does not fire, another one does", async () => {
  let fired = "";
  const keepAlive = setInterval(() => {}, 1_000);
  await new Promise<void>((done) => {
    systemClock.setTimer(0, () => (fired += "cancelled")).cancel();
    systemClock.setTimer(1, () => done());
  });
  clearInterval(keepAlive);
  assert.equal(fired, "");
});

test("a delay beyond 32 bits waits instead of firing at once", async () => {
  let fired = false;
  const timer = systemClock.setTimer(2 ** 40, () => (fired = true));
  await new Promise((done) => setImmediate(done));
  timer.cancel();
  assert.equal(fired, false);
});

test("random bytes have the asked size and floats stay below one", () => {
  assert.equal(systemRandom.bytes(24).length, 24);
  assert.ok(systemRandom.float() < 1);
});
