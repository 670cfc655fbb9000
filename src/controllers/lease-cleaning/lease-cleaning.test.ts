import assert from "node:assert/strict";
import { test } from "node:test";
import { LEASES } from "../../api/generated/resources.ts";
import type { Lease } from "../../api/generated/types/coordination-v1.ts";
import { formatMicroTime } from "../../lib/clock.ts";
import { startControllerBench } from "../controller-bench.ts";
import { leaseCleaningController } from "./lease-cleaning-controller.ts";

const LABELS = { "apiserver.kubernetes.io/identity": "kube-apiserver" };

function lease(name: string, spec: Lease["spec"], labels: Record<string, string> = LABELS): Lease {
  return { metadata: { name, namespace: "kube-system", labels }, spec: spec ?? {} };
}

test("Leases of API servers go when they run out, and no others", async () => {
  await using bench = startControllerBench(leaseCleaningController());
  const { client, clock } = bench;
  const leases = client.for(LEASES);
  const fresh = { renewTime: formatMicroTime(clock.now()), leaseDurationSeconds: 3_600 };
  await leases.create(lease("alive", fresh));
  await leases.create(lease("speechless", {}));
  await leases.create(lease("scheduler", {}, {}));
  const names = async () => {
    const { items } = await leases.list();
    return items.map(({ metadata }) => metadata?.name ?? "").toSorted((a, b) => (a < b ? -1 : 1));
  };
  await bench.settle();
  assert.deepEqual(await names(), ["alive", "scheduler"]);
  assert.deepEqual(await bench.settle(3_000_000), []);
  const renewed = await leases.get({ namespace: "kube-system", name: "alive" });
  const renewTime = formatMicroTime(clock.now());
  await leases.update({ ...renewed, spec: { ...renewed.spec, renewTime } });
  assert.deepEqual(await bench.settle(3_000_000), [], "the renewal counts");
  await bench.settle(3_600_000);
  assert.deepEqual(await names(), ["scheduler"]);
});
