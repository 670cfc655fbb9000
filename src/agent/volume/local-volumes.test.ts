import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { PERSISTENT_VOLUMES } from "../../api/generated/resources.ts";
import { createInformerFactory } from "../../client/informer-factory.ts";
import { MemoryTransport } from "../../client/memory-transport.ts";
import { createClient } from "../../client/resource-client.ts";
import { silentLogger } from "../../lib/logger.ts";
import { seededRandom } from "../../lib/random.ts";
import { VirtualClock } from "../../lib/virtual-clock.ts";
import { createLocalVolumes, LOCAL_DRIVER } from "./local-volumes.ts";

test("a volume that somebody else changes meanwhile is opened all the same", async () => {
  const client = createClient(new MemoryTransport());
  const logger = silentLogger;
  const sources = { client, clock: new VirtualClock(), logger };
  await using informers = createInformerFactory({ ...sources, random: seededRandom(1) });
  const directory = mkdtempSync(path.join(tmpdir(), "nephos-local-"));
  try {
    using local = createLocalVolumes({ directory, client, informers, logger });
    const volumes = client.for(PERSISTENT_VOLUMES);
    const csi = { driver: LOCAL_DRIVER, volumeHandle: "v" };
    const metadata = { name: "v", finalizers: ["example.com/first"] };
    const seen = await volumes.create({ metadata, spec: { csi } });
    await volumes.patch({ name: "v" }, { metadata: { finalizers: ["example.com/second"] } });
    assert.equal(await local.open(seen), path.join(directory, "v"));
    const { finalizers } = (await volumes.get({ name: "v" })).metadata ?? {};
    assert.deepEqual(finalizers, ["example.com/second", "nephos.dev/local-volume"]);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
