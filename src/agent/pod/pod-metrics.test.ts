import assert from "node:assert/strict";
import { test } from "node:test";
import { PODS } from "../../api/generated/resources.ts";
import type { Volume } from "../../api/generated/types/core-v1.ts";
import { settle } from "../../lib/virtual-clock.ts";
import { AT, createPod, type Running, startNode, until } from "./pod-manager-fixture.ts";
import { sizeClassOf } from "./pull-time.ts";

/** Of what was measured, what begins so, without the time that it took. */
const toldOf = ({ measured }: Running, prefix: string) =>
  measured.filter((one) => one.startsWith(prefix)).map((one) => one.slice(0, one.lastIndexOf(" ")));
const secondsOf = ({ measured }: Running, what: string) =>
  measured.filter((one) => one.startsWith(`${what} `)).map((one) => Number(one.split(" ").at(-1)));

/** What the store does: the pod of the test was created at this moment of its clock. */
const created = (node: Running) => ({
  creationTimestamp: new Date(node.clock.now()).toISOString(),
});

test("a pod's work is measured from its start to its end", () =>
  startNode(async (node) => {
    await createPod(node, {});
    await until(() => node.reasons().includes("Started"));
    await settle();
    assert.deepEqual(toldOf(node, "pod_worker"), [
      "pod_worker_start_duration_seconds",
      "pod_worker_duration_seconds create",
    ]);
    assert.deepEqual(secondsOf(node, "containers_per_pod_count"), [1]);
    assert.deepEqual(toldOf(node, "pod_start_duration"), ["pod_start_duration_seconds"]);
    const [id = ""] = node.runtime.statuses.keys();
    node.runtime.exit(id, 1);
    await until(() => node.runtime.statuses.size === 2);
    await settle();
    await node.parts.client.for(PODS).delete(AT);
    await until(() => node.manager.pods().length === 0);
    assert.deepEqual(toldOf(node, "pod_worker_duration").slice(1), [
      "pod_worker_duration_seconds sync",
      "pod_worker_duration_seconds kill",
      "pod_worker_duration_seconds terminated",
    ]);
  }));

test("the time until all containers run is without pulls in the one, and with them in the other", () =>
  startNode(async (node) => {
    const image = node.images.get("app:1");
    assert.ok(image);
    node.parts.images.ensure = async (reference) => {
      await node.clock.advance(4_000);
      node.images.set(reference, image);
      return image;
    };
    node.parts.images.wouldPull = (reference, policy) =>
      policy === "Always" || !node.images.has(reference);
    const containers = [{ name: "app", image: "app:2" }];
    await node.parts.client.for(PODS).create({
      metadata: { ...AT, ...created(node) },
      spec: { containers, nodeName: "node-1" },
    });
    await until(() => node.reasons().includes("Started"));
    await settle();
    assert.deepEqual(secondsOf(node, "image_pull_duration_seconds 0-10MB"), [4]);
    assert.deepEqual(secondsOf(node, "pod_start_total_duration_seconds"), [4]);
    assert.deepEqual(secondsOf(node, "pod_start_sli_duration_seconds"), [0]);
  }));

test("a pod with volumes that outlive it has no part in the indicator of stateless ones", () =>
  startNode(async (node) => {
    const volumes: Volume[] = [{ name: "d", hostPath: { path: "/srv" } }];
    const containers = [{ name: "app", image: "app:1" }];
    await node.parts.client.for(PODS).create({
      metadata: { ...AT, ...created(node) },
      spec: { containers, volumes, nodeName: "node-1" },
    });
    await until(() => node.reasons().includes("Started"));
    await settle();
    assert.equal(secondsOf(node, "pod_start_total_duration_seconds").length, 1);
    assert.equal(secondsOf(node, "pod_start_sli_duration_seconds").length, 0);
  }));

test("what fails is counted by its reason", () =>
  startNode(async (node) => {
    await createPod(node, {
      env: [{ name: "A", valueFrom: { configMapKeyRef: { name: "b", key: "c" } } }],
    });
    await until(() => node.reasons().includes("Failed"));
    const counted = "started_containers_errors_total container CreateContainerConfigError";
    assert.ok(node.measured.includes(counted), node.measured.join("\n"));
  }));

test("images have a kubelet's classes of size", () => {
  const classes = [0, 10 << 20, (100 << 20) - 1, 2 ** 30, 200 * 2 ** 30].map(sizeClassOf);
  assert.deepEqual(classes, ["0-10MB", "10MB-100MB", "10MB-100MB", "1GB-5GB", "GT100GB"]);
});
