import assert from "node:assert/strict";
import { test } from "node:test";
import { SECRETS, SERVICE_ACCOUNTS } from "../../api/generated/resources.ts";
import type { ControllerDefinition } from "../../client/controller.ts";
import { runController } from "../../client/controller-runner.ts";
import { createInformerFactory } from "../../client/informer-factory.ts";
import { MemoryTransport } from "../../client/memory-transport.ts";
import { createClient } from "../../client/resource-client.ts";
import { silentLogger } from "../../lib/logger.ts";
import { seededRandom } from "../../lib/random.ts";
import { settle, VirtualClock } from "../../lib/virtual-clock.ts";
import { legacyTokenController, tokenSecretController } from "./token-secret-controller.ts";
import { ACCOUNT_NAME, TOKEN_TYPE, type TokenSecretFacts } from "./token-secret-plan.ts";

const FACTS: TokenSecretFacts = {
  caPem: "CA",
  signToken: ({ namespace, name, secretName }) => `token of ${namespace}/${name} in ${secretName}`,
};

function start(...definitions: ControllerDefinition[]) {
  const clock = new VirtualClock();
  const client = createClient(new MemoryTransport());
  const random = seededRandom(5);
  const informers = createInformerFactory({ client, clock, random, logger: silentLogger });
  const events = { record: () => {} };
  const deps = { client, informers, clock, random, logger: silentLogger, events };
  const running = definitions.map((definition) => runController(definition, deps));
  return {
    client,
    settled: async () => {
      await settle();
      await clock.advance(1_000);
    },
    async [Symbol.asyncDispose]() {
      for (const controller of running) await controller[Symbol.asyncDispose]();
      await informers[Symbol.asyncDispose]();
    },
  };
}

const account = (name: string) => ({ metadata: { name, namespace: "a" } });
const text = (data: string | undefined) => Buffer.from(data ?? "", "base64").toString();

test("a Secret that asks for the token of an account gets it", async () => {
  await using bench = start(tokenSecretController(FACTS));
  const metadata = { name: "s", namespace: "a", annotations: { [ACCOUNT_NAME]: "bot" } };
  await bench.client.for(SECRETS).create({ metadata, type: TOKEN_TYPE });
  await bench.settled();
  const ref = { name: "s", namespace: "a" };
  assert.equal((await bench.client.for(SECRETS).get(ref)).data, undefined);
  await bench.client.for(SERVICE_ACCOUNTS).create(account("bot"));
  await bench.settled();
  const { data } = await bench.client.for(SECRETS).get(ref);
  assert.equal(text(data?.["token"]), "token of a/bot in s");
  assert.equal(text(data?.["ca.crt"]), "CA");
  assert.equal(text(data?.["namespace"]), "a");
});

test("each account has one token Secret, again when it or its reference goes", async () => {
  await using bench = start(legacyTokenController(FACTS));
  await bench.client.for(SERVICE_ACCOUNTS).create(account("bot"));
  await bench.settled();
  const read = () => bench.client.for(SERVICE_ACCOUNTS).get({ name: "bot", namespace: "a" });
  const { secrets: first = [] } = await read();
  assert.equal(first.length, 1);
  assert.match(first[0]?.name ?? "", /^bot-token-/);
  await bench.client.for(SECRETS).delete({ name: first[0]?.name ?? "", namespace: "a" });
  await bench.settled();
  const { secrets: second = [] } = await read();
  assert.equal(second.length, 1);
  assert.notDeepEqual(second, first);
  const { secrets: _, ...bare } = await read();
  await bench.client.for(SERVICE_ACCOUNTS).update(bare);
  await bench.settled();
  const { secrets: third = [] } = await read();
  assert.equal(third.length, 1);
  const secret = await bench.client
    .for(SECRETS)
    .get({ name: third[0]?.name ?? "", namespace: "a" });
  assert.equal(secret.type, TOKEN_TYPE);
  assert.ok(secret.data?.["token"]);
});
