import assert from "node:assert/strict";
import { test } from "node:test";
import { PODS } from "../../api/generated/resources.ts";
import type { Container, Pod } from "../../api/generated/types/core-v1.ts";
import { settle } from "../../lib/virtual-clock.ts";
import { createFakeNode } from "./fake-parts.ts";
import { createPodManager } from "./pod-manager.ts";
import { AT, createPod, startNode, until } from "./pod-manager-fixture.ts";

test("resources change while a container runs, or with a restart where its policy says so", () =>
  startNode(async (node) => {
    const resources = (cpu: string, memory = "64Mi") => ({ requests: { cpu, memory } });
    const policy = { resourceName: "memory", restartPolicy: "RestartContainer" };
    const resizePolicy: Container["resizePolicy"] = [policy];
    await createPod(node, { resources: resources("100m"), resizePolicy });
    const told = async () => {
      const { status } = await node.pod();
      const [container] = status?.containerStatuses ?? [];
      const { allocatedResources, resources, restartCount } = container ?? {};
      return { resize: status?.resize, allocatedResources, resources, restartCount };
    };
    const ask = async (wanted: object) => {
      const container = { name: "app", image: "app:1", resizePolicy, resources: wanted };
      const spec = { containers: [container] };
      const options = { type: "strategic" } as const;
      await node.parts.client.for(PODS).patch(AT, { spec }, options);
      await settle();
      await node.clock.advance(200);
    };
    await node.clock.advance(200);
    const first = resources("100m");
    assert.deepEqual(await told(), {
      resize: undefined,
      allocatedResources: first.requests,
      resources: first,
      restartCount: 0,
    });
    await ask(resources("200m"));
    assert.deepEqual((await told()).resources, resources("200m"));
    assert.equal((await told()).restartCount, 0);
    const { id } = node.runtime.named("app");
    const own = node.runtime.updates.filter((update) => update.id === id);
    assert.deepEqual(
      own.map((update) => update.resources.cpuShares),
      [204],
    );

    await ask(resources("3")); // the node has two
    assert.equal((await told()).resize, "Infeasible");
    assert.deepEqual((await told()).allocatedResources, resources("200m").requests);

    await ask(resources("300m", "128Mi"));
    assert.equal((await told()).resize, undefined);
    assert.equal((await told()).restartCount, 1);
    assert.deepEqual((await told()).resources, resources("300m", "128Mi"));
  }));

test("limits that the kernel refuses a pod are tried again after a while only", () =>
  startNode(async (node) => {
    const resources = (cpu: string) => ({ requests: { cpu } });
    await createPod(node, { resources: resources("100m") });
    const { uid } = (await node.pod()).metadata ?? {};
    const last = { cpuShares: 51 };
    const tries = () =>
      node.runtime.updates.filter((one) => one.id === uid && one.resources.cpuShares === 51).length;
    node.runtime.refuseLimits = ({ cpuShares }) =>
      cpuShares === last.cpuShares ? new Error("EINVAL: invalid argument, write") : undefined;
    const containers = [{ name: "app", image: "app:1", resources: resources("50m") }];
    await node.parts.client.for(PODS).patch(AT, { spec: { containers } }, { type: "strategic" });
    await settle();
    await node.clock.advance(200);
    assert.equal(tries(), 1);
    node.runtime.refuseLimits = undefined;
    await node.clock.advance(10_000);
    assert.equal(tries(), 2);
  }));

test("resources that the node has not left are given once another pod has gone", () =>
  startNode(async (node) => {
    const pods = node.parts.client.for(PODS);
    const podOf = (name: string, cpu: string): Pod => ({
      metadata: { ...AT, name },
      spec: {
        nodeName: "node-1",
        containers: [{ name: "app", image: "app:1", resources: { requests: { cpu } } }],
      },
    });
    await pods.create(podOf("web", "1"));
    await pods.create(podOf("other", "900m"));
    await settle();
    const { spec } = podOf("web", "1500m");
    await pods.patch(AT, { spec }, { type: "strategic" });
    await settle();
    await node.clock.advance(200);
    assert.equal((await node.pod()).status?.resize, "Deferred");
    await pods.delete({ ...AT, name: "other" }, { gracePeriodSeconds: 0 });
    await until(() => node.manager.pods().length === 1);
    await node.clock.advance(200);
    const { status } = await node.pod();
    assert.equal(status?.resize, undefined);
    assert.equal(status?.containerStatuses?.[0]?.allocatedResources?.["cpu"], "1500m");
  }));

test("a new agent makes a change of resources that was asked for meanwhile", async () => {
  await using node = createFakeNode();
  const resources = (cpu: string) => ({ requests: { cpu } });
  {
    await using manager = createPodManager(node.parts);
    await manager.start();
    await createPod(node, { resources: resources("100m") });
    await node.clock.advance(200);
    assert.equal(manager.pods().length, 1);
  }
  const pods = node.parts.client.for(PODS);
  const containers = [{ name: "app", image: "app:1", resources: resources("200m") }];
  await pods.patch(AT, { spec: { containers } }, { type: "strategic" });
  await settle();
  await using manager = createPodManager(node.parts);
  await manager.start();
  await settle();
  await node.clock.advance(200);
  const [container] = (await pods.get(AT)).status?.containerStatuses ?? [];
  assert.deepEqual(container?.resources, resources("200m"));
  assert.deepEqual(container?.allocatedResources, { cpu: "200m" });
  assert.equal(node.runtime.updates.at(-1)?.resources.cpuShares, 204);
});
