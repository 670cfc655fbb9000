import assert from "node:assert/strict";
import { test } from "node:test";
import { usedVolumes } from "./used-volumes.ts";

test("a volume is made when some container mounts it, whichever its role", () => {
  const mounts = (...names: string[]) => ({
    name: "c",
    image: "i",
    volumeMounts: names.map((name) => ({ name, mountPath: `/${name}` })),
  });
  const volumes = ["unused", "main", "init", "debug", "device", "twice"].map((name) => ({ name }));
  const device = {
    name: "d",
    image: "i",
    volumeDevices: [{ name: "device", devicePath: "/dev/x" }],
  };
  const used = usedVolumes({
    spec: {
      volumes,
      initContainers: [mounts("init", "twice")],
      containers: [mounts("main"), mounts("twice"), device],
      ephemeralContainers: [mounts("debug")],
    },
  });
  assert.deepEqual(
    used.map(({ name }) => name),
    ["main", "init", "debug", "device", "twice"],
  );
  assert.deepEqual(usedVolumes({ spec: { volumes, containers: [mounts()] } }), []);
  assert.deepEqual(usedVolumes({}), []);
});
