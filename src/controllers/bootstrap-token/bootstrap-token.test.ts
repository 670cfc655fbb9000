import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import { StatusError } from "../../api/errors.ts";
import { CONFIG_MAPS, SECRETS } from "../../api/generated/resources.ts";
import { runController } from "../../client/controller-runner.ts";
import { createInformerFactory } from "../../client/informer-factory.ts";
import { MemoryTransport } from "../../client/memory-transport.ts";
import { createClient } from "../../client/resource-client.ts";
import { silentLogger } from "../../lib/logger.ts";
import { seededRandom } from "../../lib/random.ts";
import { settle, VirtualClock } from "../../lib/virtual-clock.ts";
import { TOKEN_TYPE } from "./bootstrap-token.ts";
import {
  bootstrapSignerController,
  bootstrapTokenCleanerController,
} from "./bootstrap-token-controller.ts";

test("a token signs the cluster's address until its time is over, then it goes", async () => {
  const clock = new VirtualClock();
  const memory = new MemoryTransport();
  const client = createClient(memory);
  const random = seededRandom(5);
  const logger = silentLogger;
  await using informers = createInformerFactory({ client, clock, random, logger });
  const deps = { client, informers, clock, random, logger, events: { record: () => {} } };
  await using _signer = runController(bootstrapSignerController(), deps);
  await using _cleaner = runController(bootstrapTokenCleanerController(), deps);
  const where = { name: "cluster-info", namespace: "kube-public" };
  await client.for(CONFIG_MAPS).create({ metadata: where, data: { kubeconfig: "{}" } });
  const values = {
    "token-id": "abcdef",
    "token-secret": "0123456789abcdef",
    "usage-bootstrap-signing": "true",
    expiration: new Date(clock.now() + 60_000).toISOString(),
  };
  const data = Object.fromEntries(
    Object.entries(values).map(([key, text]) => [key, Buffer.from(text).toString("base64")]),
  );
  const metadata = { name: "bootstrap-token-abcdef", namespace: "kube-system" };
  await client.for(SECRETS).create({ metadata, type: TOKEN_TYPE, data });
  await settle();
  await clock.advance(1_000);
  const signed = (await client.for(CONFIG_MAPS).get(where)).data?.["jws-kubeconfig-abcdef"] ?? "";
  const [head = "", body, signature] = signed.split(".");
  assert.equal(Buffer.from(head, "base64url").toString(), '{"alg":"HS256","kid":"abcdef"}');
  assert.equal(body, "");
  const text = `${head}.${Buffer.from("{}").toString("base64url")}`;
  const wanted = createHmac("sha256", "0123456789abcdef").update(text).digest("base64url");
  assert.equal(signature, wanted);
  let refusals = 1;
  memory.fail = ({ method }) =>
    method === "DELETE" && refusals-- > 0
      ? new StatusError("Conflict", "the object has been modified")
      : undefined;
  await clock.advance(60_000);
  await settle();
  await clock.advance(10_000);
  await assert.rejects(client.for(SECRETS).get(metadata), { reason: "NotFound" });
  assert.deepEqual((await client.for(CONFIG_MAPS).get(where)).data, { kubeconfig: "{}" });
});
