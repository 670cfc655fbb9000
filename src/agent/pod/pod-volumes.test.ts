import assert from "node:assert/strict";
import { test } from "node:test";
import { PODS } from "../../api/generated/resources.ts";
import { settle } from "../../lib/virtual-clock.ts";
import { AT, startNode, until } from "./pod-manager-fixture.ts";

test("a debug container gets a volume that no container before it mounted", () =>
  startNode(async (node) => {
    const { prepare } = node.parts.volumes;
    const prepared: string[] = [];
    node.parts.volumes.prepare = async (pod, directory) => {
      const volumes = await prepare(pod, directory);
      prepared.push([...volumes.keys()].join());
      return volumes;
    };
    const pods = node.parts.client.for(PODS);
    const containers = [
      { name: "app", image: "app:1", volumeMounts: [{ name: "a", mountPath: "/a" }] },
    ];
    const volumes = ["a", "b"].map((name) => ({ name, emptyDir: {} }));
    await pods.create({ metadata: AT, spec: { containers, volumes, nodeName: "node-1" } });
    await until(() => node.reasons().includes("Started"));
    assert.deepEqual(prepared, ["a"]);
    await pods.patch(AT, { metadata: { labels: { at: "once" } } }, { type: "merge" });
    await settle();
    assert.deepEqual(prepared, ["a"], "nothing is missing");
    const debug = { name: "debug", image: "app:1", volumeMounts: [{ name: "b", mountPath: "/b" }] };
    await pods.patch(AT, { spec: { ephemeralContainers: [debug] } }, { type: "merge" });
    await until(() => node.reasons().filter((reason) => reason === "Started").length === 2);
    assert.deepEqual(prepared, ["a", "a,b"]);
    const { id } = node.runtime.named("debug");
    const mount = node.runtime.specs
      .get(id)
      ?.mounts.find(({ containerPath }) => containerPath === "/b");
    assert.match(mount?.hostPath ?? "", /\/b$/);
  }));
