import assert from "node:assert/strict";
import { test } from "node:test";
import { probeHost } from "./host-probe.ts";

test("the probe names every required feature once, with what to do about a missing one", () => {
  const features = probeHost();
  const names = features.map(({ name }) => name);
  assert.equal(new Set(names).size, names.length);
  for (const name of ["root", "overlay", "cgroups", "nftables", "crun", "conmon"]) {
    assert.ok(features.find((feature) => feature.name === name)?.required, name);
  }
  assert.ok(features.every(({ detail }) => detail.length > 0));
});
