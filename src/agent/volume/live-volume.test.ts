import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import type { Pod, Volume } from "../../api/generated/types/core-v1.ts";
import { createInformerFactory } from "../../client/informer-factory.ts";
import { MemoryTransport } from "../../client/memory-transport.ts";
import { createClient } from "../../client/resource-client.ts";
import { silentLogger } from "../../lib/logger.ts";
import { seededRandom } from "../../lib/random.ts";
import { VirtualClock } from "../../lib/virtual-clock.ts";
import { followVolume } from "./live-volume.ts";

const podWith = (labels: Record<string, string>): Pod => ({
  metadata: { name: "web", namespace: "default", uid: "u", labels },
  spec: { containers: [] },
});

test("the downward API's files follow the pod's labels", async () => {
  const directory = mkdtempSync(path.join(tmpdir(), "nephos-volume-"));
  const clock = new VirtualClock();
  const client = createClient(new MemoryTransport());
  const sources = { client, clock, logger: silentLogger };
  const informers = createInformerFactory({ ...sources, random: seededRandom(1) });
  try {
    const items = [{ path: "labels", fieldRef: { fieldPath: "metadata.labels" } }];
    const volume: Volume = { name: "podinfo", downwardAPI: { items } };
    const facts = { hostIp: "192.0.2.1", allocatable: {} };
    const request = { pod: podWith({ tier: "web" }), volume, directory, onChange: () => {} };
    using live = followVolume({ ...sources, informers, facts }, request);
    await live.write();
    assert.equal(live.setPod(podWith({ tier: "web" })), false, "nothing to write");
    assert.equal(live.setPod(podWith({ tier: "api" })), true);
    await live.write();
    assert.match(readFileSync(path.join(directory, "labels"), "utf8"), /^tier="api"$/m);
  } finally {
    await informers[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true });
  }
});
