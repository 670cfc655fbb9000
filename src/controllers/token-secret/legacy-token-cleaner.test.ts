import assert from "node:assert/strict";
import { test } from "node:test";
import { CONFIG_MAPS, PODS, SECRETS, SERVICE_ACCOUNTS } from "../../api/generated/resources.ts";
import type { Secret } from "../../api/generated/types/core-v1.ts";
import {
  dayOf,
  INVALID_SINCE_LABEL,
  LAST_USED_LABEL,
  TRACKING_MAP,
} from "../../api/legacy-tokens.ts";
import { startControllerBench } from "../controller-bench.ts";
import { legacyTokenCleanerController, planToken } from "./legacy-token-cleaner-controller.ts";
import { ACCOUNT_NAME, TOKEN_TYPE } from "./token-secret-plan.ts";

const DAY_MS = 86_400_000;
const NOW = Date.UTC(2030, 0, 31, 12);
const ago = (days: number) => dayOf(NOW - days * DAY_MS);
const account = { metadata: { name: "bot", uid: "u" }, secrets: [{ name: "bot-token" }] };

function secret(labels: Record<string, string> = {}, more: object = {}): Secret {
  return {
    type: TOKEN_TYPE,
    metadata: {
      name: "bot-token",
      creationTimestamp: "2020-01-01T00:00:00Z",
      annotations: { [ACCOUNT_NAME]: "bot" },
      labels,
      ...more,
    },
  };
}

test("only tokens that were made for accounts and that nobody used for a year are given up", () => {
  const use = { account, trackedSince: "2020-01-01", isMounted: false, nowMs: NOW };
  const cases: [string, ReturnType<typeof planToken>, Secret, Partial<typeof use>?][] = [
    ["never used", "refuse", secret()],
    ["used long ago", "refuse", secret({ [LAST_USED_LABEL]: ago(366) })],
    ["used within a year", "keep", secret({ [LAST_USED_LABEL]: ago(365) })],
    ["a day that is none", "keep", secret({ [LAST_USED_LABEL]: "lately" })],
    ["new", "keep", secret({}, { creationTimestamp: `${ago(364)}T00:00:00Z` })],
    ["going", "keep", secret({}, { deletionTimestamp: "2029-12-31T00:00:00Z" })],
    ["mounted", "keep", secret(), { isMounted: true }],
    ["made by hand", "keep", secret(), { account: { ...account, secrets: [] } }],
    ["not tracked for long", "keep", secret(), { trackedSince: ago(365) }],
    ["tracked for a year and a day", "refuse", secret(), { trackedSince: ago(366) }],
    ["refused lately", "keep", secret({ [INVALID_SINCE_LABEL]: ago(365) })],
    ["refused for a year", "remove", secret({ [INVALID_SINCE_LABEL]: ago(366) })],
    ["refused since no day", "refuse", secret({ [INVALID_SINCE_LABEL]: "x" })],
  ];
  for (const [title, plan, of, more] of cases) {
    assert.equal(planToken(of, { ...use, ...more }), plan, title);
  }
});

test("an unused token is refused after a year and goes after another; one in use stays", async () => {
  await using bench = startControllerBench(legacyTokenCleanerController());
  const { client, clock } = bench;
  const namespace = "default";
  const since = dayOf(clock.now());
  await client.for(CONFIG_MAPS).create({ metadata: { ...TRACKING_MAP }, data: { since } });
  const secrets = [{ name: "bot-token" }, { name: "mounted" }];
  await client
    .for(SERVICE_ACCOUNTS)
    .create({ metadata: { name: "bot", namespace, uid: "u" }, secrets });
  const creationTimestamp = new Date(clock.now()).toISOString();
  for (const name of ["bot-token", "mounted"]) {
    await client.for(SECRETS).create(secret({}, { name, namespace, creationTimestamp }));
  }
  const volumes = [{ name: "v", secret: { secretName: "mounted" } }];
  const spec = { containers: [], volumes };
  await client.for(PODS).create({ metadata: { name: "p", namespace }, spec });
  const labelsOf = async () => {
    const { items } = await client.for(SECRETS).list();
    return items.map(({ metadata }) => [metadata?.name, Object.keys(metadata?.labels ?? {})]);
  };
  const fresh = [
    ["bot-token", []],
    ["mounted", []],
  ];
  await bench.settle(365 * DAY_MS);
  assert.deepEqual(await labelsOf(), fresh);
  await bench.settle(3 * DAY_MS);
  assert.deepEqual(await labelsOf(), [
    ["bot-token", [INVALID_SINCE_LABEL]],
    ["mounted", []],
  ]);
  await bench.settle(368 * DAY_MS);
  assert.deepEqual(await labelsOf(), [["mounted", []]]);
});
