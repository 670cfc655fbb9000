import assert from "node:assert/strict";
import { test } from "node:test";
import { CONFIG_MAPS, SECRETS } from "../api/generated/resources.ts";
import { dayOf, LAST_USED_LABEL, TRACKING_MAP } from "../api/legacy-tokens.ts";
import { startControllerBench } from "../controllers/controller-bench.ts";
import type { LegacyUse } from "../apiserver/token/token-issuer.ts";
import { silentLogger } from "../lib/logger.ts";
import { LegacyTokenTracking } from "./legacy-token-tracking.ts";

const DAY_MS = 86_400_000;

test("the map tells since when uses are marked, and comes back when it is removed", async () => {
  await using bench = startControllerBench();
  const { client, clock } = bench;
  const maps = client.for(CONFIG_MAPS);
  using tracking = new LegacyTokenTracking({ clock, logger: silentLogger });
  const since = dayOf(clock.now());
  tracking.start(client);
  await bench.settle();
  assert.deepEqual((await maps.get(TRACKING_MAP)).data, { since });
  await bench.settle(DAY_MS);
  assert.deepEqual((await maps.get(TRACKING_MAP)).data, { since }, "the first day stays");
  await maps.patch(TRACKING_MAP, { data: { since: "long ago" } });
  await bench.settle(3_600_000);
  assert.deepEqual((await maps.get(TRACKING_MAP)).data, { since: dayOf(clock.now()) });
  await maps.delete(TRACKING_MAP);
  await bench.settle(3_600_000);
  assert.deepEqual((await maps.get(TRACKING_MAP)).data, { since: dayOf(clock.now()) });
});

test("a token is marked once a day", async () => {
  await using bench = startControllerBench();
  const { client, clock } = bench;
  using tracking = new LegacyTokenTracking({ clock, logger: silentLogger });
  tracking.start(client);
  await bench.settle();
  const ref = { name: "bot-token", namespace: "default" };
  await client.for(SECRETS).create({ metadata: { ...ref } });
  /** How many writes three uses at once bring about. */
  const writesOfUse = async (use: LegacyUse = "manual") => {
    const secret = await client.for(SECRETS).get(ref);
    queueMicrotask(() => {
      for (let i = 0; i < 3; i++) tracking.used(secret, use);
    });
    const writes = await bench.settle();
    return writes.filter(({ path }) => path.includes("/secrets/")).length;
  };
  const lastUsed = async () => {
    return (await client.for(SECRETS).get(ref)).metadata?.labels?.[LAST_USED_LABEL];
  };
  assert.equal(await writesOfUse(), 1);
  assert.equal(await lastUsed(), dayOf(clock.now()));
  assert.equal(await writesOfUse(), 0);
  await bench.settle(DAY_MS);
  assert.equal(await writesOfUse("invalid"), 1);
  assert.equal(await lastUsed(), dayOf(clock.now()));
  const values = tracking.metrics().map(({ samples }) => samples[0]?.value);
  assert.deepEqual(values, [6, 0, 6, 3]);
  await client.for(SECRETS).delete(ref);
  tracking.used({ metadata: { ...ref } }, "manual");
  await bench.settle();
});
