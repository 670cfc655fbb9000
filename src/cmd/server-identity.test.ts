import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { LEASES } from "../api/generated/resources.ts";
import { startControllerBench } from "../controllers/controller-bench.ts";
import { leaseCleaningController } from "../controllers/lease-cleaning/lease-cleaning-controller.ts";
import { silentLogger } from "../lib/logger.ts";
import { seededRandom } from "../lib/random.ts";
import { keepServerIdentity, serverIdOf } from "./server-identity.ts";

test("an API server says every ten seconds that it lives, and its Lease goes an hour after it", async () => {
  await using bench = startControllerBench(leaseCleaningController());
  const { client, clock } = bench;
  const leases = client.for(LEASES);
  const place = { name: serverIdOf("host"), namespace: "kube-system" };
  const options = { client, clock, random: seededRandom(1), logger: silentLogger };
  const identity = keepServerIdentity({ ...options, hostname: "host" });
  await bench.settle(1_000);
  const first = await leases.get(place);
  assert.deepEqual(first.metadata?.labels, {
    "apiserver.kubernetes.io/identity": "kube-apiserver",
    "kubernetes.io/hostname": "host",
  });
  assert.match(first.spec?.holderIdentity ?? "", new RegExp(`^${place.name}_[0-9a-f-]{36}$`));
  assert.equal(first.spec?.leaseDurationSeconds, 3_600);
  await bench.settle(10_000);
  const second = await leases.get(place);
  assert.ok((second.spec?.renewTime ?? "") > (first.spec?.renewTime ?? ""));
  // Somebody else's change, and even a removal, is no end.
  await leases.patch(place, { metadata: { annotations: { a: "b" } } });
  await leases.delete(place);
  await bench.settle(30_000);
  assert.equal((await leases.get(place)).spec?.holderIdentity, first.spec?.holderIdentity);
  identity[Symbol.dispose]();
  await bench.settle(3_700_000);
  assert.deepEqual((await leases.list()).items, []);
});

test("the name follows from the host's name, in base32", () => {
  const digits = serverIdOf("node-1").slice("apiserver-".length);
  assert.equal(digits.length, 26);
  const bits = Array.from(digits)
    .map((digit) => "abcdefghijklmnopqrstuvwxyz234567".indexOf(digit).toString(2).padStart(5, "0"))
    .join("");
  const hash = createHash("sha256").update("node-1").digest().subarray(0, 16);
  const wanted = [...hash].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  assert.equal(bits.slice(0, 128), wanted);
});
