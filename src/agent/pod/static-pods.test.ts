import assert from "node:assert/strict";
import { test } from "node:test";
import { PODS } from "../../api/generated/resources.ts";
import type { Pod } from "../../api/generated/types/core-v1.ts";
import { settle } from "../../lib/virtual-clock.ts";
import { AT, startNode, until } from "./pod-manager-fixture.ts";

const STATIC: Pod = {
  metadata: {
    name: "etcd-node-1",
    namespace: "kube-system",
    uid: "hash-1",
    annotations: { "kubernetes.io/config.hash": "hash-1", "kubernetes.io/config.source": "file" },
  },
  spec: { containers: [{ name: "app", image: "app:1" }], nodeName: "node-1" },
  status: { phase: "Pending" },
};

test("a static pod runs, is shown, survives the deletion of its mirror, ends with its file", () =>
  startNode(async (node) => {
    const at = { namespace: "kube-system", name: "etcd-node-1" };
    const pods = node.parts.client.for(PODS);
    const shown = () => pods.get(at);
    node.staticPods.list = [STATIC];
    node.staticPods.changed();
    await settle();
    const mirror = await shown();
    assert.equal(mirror.metadata?.annotations?.["kubernetes.io/config.mirror"], "hash-1");
    assert.equal(mirror.status?.phase, "Running");
    const { id } = node.runtime.named("app");
    assert.ok(node.manager.find({ ...at, uid: mirror.metadata.uid }), "known by its mirror");

    await pods.delete(at);
    await settle();
    const again = await shown();
    assert.notEqual(again.metadata?.uid, mirror.metadata.uid);
    assert.equal(again.status?.phase, "Running");
    assert.equal(node.runtime.named("app").id, id, "nothing was restarted");

    const annotations = { ...STATIC.metadata?.annotations, "kubernetes.io/config.hash": "hash-2" };
    const changed = { ...STATIC, metadata: { ...STATIC.metadata, uid: "hash-2", annotations } };
    node.staticPods.list = [changed];
    node.staticPods.changed();
    await until(() => [...node.runtime.statuses.keys()].some((other) => other !== id));
    await settle();
    const hash = (await shown()).metadata?.annotations?.["kubernetes.io/config.mirror"];
    assert.equal(hash, "hash-2");
    assert.equal(node.runtime.stops.length, 1);

    node.staticPods.list = [];
    node.staticPods.changed();
    await until(() => node.manager.pods().length === 0);
    await settle();
    await assert.rejects(shown(), { reason: "NotFound" });
  }));

test("a mirror of a static pod that is no more is removed", () =>
  startNode(async (node) => {
    const annotations = { "kubernetes.io/config.mirror": "old" };
    const pods = node.parts.client.for(PODS);
    await pods.create({ ...STATIC, metadata: { ...AT, annotations } });
    await settle();
    await assert.rejects(pods.get(AT), { reason: "NotFound" });
    assert.equal(node.runtime.statuses.size, 0);
  }));
