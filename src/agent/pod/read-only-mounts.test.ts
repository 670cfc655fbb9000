import assert from "node:assert/strict";
import { test } from "node:test";
import { PODS } from "../../api/generated/resources.ts";
import type { VolumeMount } from "../../api/generated/types/core-v1.ts";
import { createPod, startNode } from "./pod-manager-fixture.ts";
import { isReadOnlyBelow, makesReadOnlyBelow } from "./read-only-mounts.ts";

const mountWith = (recursiveReadOnly: string, readOnly = true): VolumeMount => {
  return { name: "data", mountPath: "/data", readOnly, recursiveReadOnly };
};
const kind = { hasOwnKernel: false, hasUserNamespaces: false };
const runtime = {
  handlers: () => [
    { ...kind, name: "crun", isDefault: true, hasRecursiveReadOnly: true },
    { ...kind, name: "runsc", isDefault: false, hasRecursiveReadOnly: false },
  ],
};

test("what is below a mount is read-only where it is asked for and the handler can", () => {
  const can = (handler: string | undefined, asked: string) => {
    const containers = [{ name: "app", volumeMounts: [mountWith(asked)] }];
    return makesReadOnlyBelow({ spec: { containers } }, { handler, runtime });
  };
  assert.deepEqual(
    [can(undefined, "Enabled"), can("crun", "IfPossible"), can("runsc", "Enabled")],
    [true, true, false],
  );
  assert.equal(can(undefined, "Disabled"), false);
  assert.equal(isReadOnlyBelow(mountWith("IfPossible"), true), true);
  assert.equal(isReadOnlyBelow(mountWith("IfPossible"), false), false);
  assert.equal(isReadOnlyBelow(mountWith("Disabled"), true), false);
  assert.throws(() => isReadOnlyBelow(mountWith("Enabled"), false), /not supported by the runtime/);
});

test("a pod's status says of each mount what became of it", () =>
  startNode(async (node) => {
    const asked = ["Enabled", "IfPossible", "Disabled"];
    const volumeMounts = asked.map((one) => ({ ...mountWith(one), mountPath: `/${one}` }));
    const volumes = [{ name: "data", emptyDir: {} }];
    await createPod(node, { volumeMounts }, { volumes });
    const { mounts = [] } = node.runtime.specs.get(node.runtime.named("app").id) ?? {};
    const below = mounts.filter(({ readOnlyBelow }) => readOnlyBelow);
    assert.deepEqual(
      below.map(({ containerPath }) => containerPath),
      ["/Enabled", "/IfPossible"],
    );
    const { status } = await node.parts.client.for(PODS).get({ namespace: "default", name: "web" });
    const told = status?.containerStatuses?.[0]?.volumeMounts ?? [];
    assert.deepEqual(
      told.map(({ recursiveReadOnly }) => recursiveReadOnly),
      ["Enabled", "Enabled", "Disabled"],
    );
  }));
