import assert from "node:assert/strict";
import { test } from "node:test";
import { PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES } from "../../api/generated/resources.ts";
import { MemoryTransport } from "../../client/memory-transport.ts";
import { createClient } from "../../client/resource-client.ts";
import { LOCAL_PROVISIONER } from "./contract.ts";
import { PROVISIONED_BY } from "./local-volume.ts";
import { volumeController } from "./volume-controller.ts";

test("a volume whose claim the cache does not know yet is not deleted", async () => {
  const client = createClient(new MemoryTransport());
  const ref = { namespace: "default", name: "data" };
  const claim = await client.for(PERSISTENT_VOLUME_CLAIMS).create({ metadata: ref });
  const uid = claim.metadata?.uid ?? "";
  const volume = await client.for(PERSISTENT_VOLUMES).create({
    metadata: { name: "v", annotations: { [PROVISIONED_BY]: LOCAL_PROVISIONER } },
    spec: { persistentVolumeReclaimPolicy: "Delete", claimRef: { ...ref, uid } },
  });
  const inputs = { volumes: { get: () => volume }, claims: { get: () => undefined } };
  const reconcile = () => volumeController().reconcile({ inputs, client } as never, { name: "v" });
  await assert.rejects(Promise.resolve().then(reconcile), /its claim is there/);
  const names = async () =>
    (await client.for(PERSISTENT_VOLUMES).list()).items.map(({ metadata }) => metadata?.name);
  assert.deepEqual(await names(), ["v"]);
  await client.for(PERSISTENT_VOLUME_CLAIMS).delete(ref);
  await reconcile();
  assert.deepEqual(await names(), []);
});
