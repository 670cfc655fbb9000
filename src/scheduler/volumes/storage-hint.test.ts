import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryTransport } from "../../client/memory-transport.ts";
import { createClient } from "../../client/resource-client.ts";
import { VirtualClock } from "../../lib/virtual-clock.ts";
import { type Happening, wakes } from "../plugins/hint-fixture.ts";
import type { PodShape } from "../plugins/plugin-table-fixture.ts";
import { nodeVolumeLimits } from "./node-volume-limits.ts";
import { volumeBinding } from "./volume-binding.ts";
import { VolumeCatalog } from "./volume-catalog.ts";
import { volumeRestrictions } from "./volume-restrictions.ts";
import { volumeZone } from "./volume-zone.ts";

// Facts of upstream's tests of the queueing hints about storage, Kubernetes 1.32, Apache-2.0.

const using = (...claims: string[]): PodShape => ({
  namespace: "ns1",
  spec: {
    volumes: claims.map((claimName) => ({
      name: claimName,
      persistentVolumeClaim: { claimName },
    })),
  },
});
/** The claim of a generic ephemeral volume is called after the pod and the volume. */
const withOwn: PodShape = {
  namespace: "ns1",
  spec: { volumes: [{ name: "data", ephemeral: {} }] },
};
const claim = (name: string, namespace = "ns1"): Happening => ({ claim: { namespace, name } });

const ROWS: [string, PodShape, Happening, boolean][] = [
  ["the claim of the pod", using("a"), claim("a"), true],
  ["one of its claims", using("a", "b"), claim("b"), true],
  ["another claim", using("a"), claim("b"), false],
  ["a claim of that name elsewhere", using("a"), claim("a", "ns2"), false],
  ["the claim of a volume of its own", withOwn, claim("pod-0-data"), true],
  ["the claim of another pod's own volume", withOwn, claim("pod-1-data"), false],
  ["a claim, and the pod has none", using(), claim("a"), false],
  ["a volume", using("a"), { storage: "other than claims" }, true],
  ["a volume, and the pod has no claim", using(), { storage: "other than claims" }, false],
];
const catalog = new VolumeCatalog();
const client = createClient(new MemoryTransport());
const plugins = [
  volumeBinding({ client, clock: new VirtualClock(), catalog }),
  volumeZone(catalog),
  volumeRestrictions(catalog),
  nodeVolumeLimits(catalog),
];
for (const plugin of plugins) {
  for (const [name, pod, happening, isWoken] of ROWS) {
    test(`the hint of ${plugin.name}: ${name}`, () => {
      assert.equal(wakes(plugin, pod, happening), isWoken);
    });
  }
}

const LIMITS: [string, PodShape, boolean][] = [
  ["a pod with a claim leaves", using("b"), true],
  ["a pod without volumes leaves", using(), false],
];
for (const [name, podRemoved, isWoken] of LIMITS) {
  test(`the hint of NodeVolumeLimits: ${name}`, () => {
    assert.equal(wakes(nodeVolumeLimits(catalog), using("a"), { podRemoved }), isWoken);
  });
}
