import assert from "node:assert/strict";
import { test } from "node:test";
import { PODS } from "../../api/generated/resources.ts";
import type { Lifecycle } from "../../api/generated/types/core-v1.ts";
import { settle } from "../../lib/virtual-clock.ts";
import { AT, type Running, startNode, until } from "./pod-manager-fixture.ts";

const exec = { command: ["x"] };

/** Creates a pod of one container, and waits until that runs. */
async function runPod(node: Running, lifecycle: Lifecycle): Promise<void> {
  const containers = [{ name: "app", image: "app:1", lifecycle }];
  await node.parts.client
    .for(PODS)
    .create({ metadata: AT, spec: { containers, nodeName: "node-1" } });
  await until(() => node.reasons().includes("Started"));
}

test("what a failing hook says is not for those who read events", () =>
  startNode(async (node) => {
    node.parts.prober.runHook = () => Promise.reject(new Error("the password is hush"));
    await runPod(node, { postStart: { exec }, preStop: { exec } });
    const told = (reason: string) => node.events.find((event) => event.reason === reason)?.message;
    await until(() => told("Killing") !== undefined);
    await until(() => told("FailedPreStopHook") !== undefined);
    assert.equal(told("FailedPostStartHook"), "PostStartHook failed");
    assert.equal(told("FailedPreStopHook"), "PreStopHook failed");
    assert.equal(told("Killing"), "FailedPostStartHook");
  }));

test("a container whose postStart hook fails says so, then that it waits to run again", () =>
  startNode(async (node) => {
    node.parts.prober.runHook = () => Promise.reject(new Error("no"));
    const seen = async () => {
      await settle();
      await node.clock.advance(150);
      return (await node.pod()).status?.containerStatuses?.[0];
    };
    await runPod(node, { postStart: { exec: { command: ["sh", "-c", "false"] } } });
    // The first restart comes at once, the next one waits.
    await until(() => node.runtime.stops.length === 2);
    await until(() => node.reasons().includes("BackOff"));
    const uid = (await node.pod()).metadata?.uid;
    const failed = await seen();
    const where = `Container "app" in Pod "web_default(${uid})"`;
    assert.deepEqual(failed?.state, {
      waiting: {
        reason: "PostStartHookError",
        message: `Exec lifecycle hook ([sh -c false]) for ${where} failed - error: no`,
      },
    });
    assert.equal(failed?.lastState?.terminated?.exitCode, 143);
    await node.clock.advance(1_000);
    assert.equal((await seen())?.state?.waiting?.reason, "CrashLoopBackOff");
    await node.clock.advance(10_000);
    await until(() => node.runtime.stops.length === 3);
  }));

test("a container whose postStart hook runs has not come to run itself", () =>
  startNode(async (node) => {
    let finish: () => void = () => {};
    node.parts.prober.runHook = () => new Promise((resolve) => (finish = resolve));
    await runPod(node, { postStart: { exec } });
    await node.clock.advance(2_000);
    await settle();
    const { status } = await node.pod();
    assert.equal(status?.phase, "Pending");
    assert.deepEqual(status?.containerStatuses?.[0]?.state, {
      waiting: { reason: "ContainerCreating" },
    });
    finish();
    await settle();
    await node.clock.advance(150);
    assert.equal((await node.pod()).status?.phase, "Running");
  }));

test("a pod without grace has its preStop hook, for a second, and a signal before the end", () =>
  startNode(async (node) => {
    const limits: number[] = [];
    await runPod(node, { preStop: { exec } });
    node.parts.prober.runHook = (_hook, _target, { timeoutMs }) => {
      limits.push(timeoutMs);
      return Promise.resolve();
    };
    await node.parts.client.for(PODS).delete(AT, { gracePeriodSeconds: 0 });
    await until(() => node.runtime.stops.length > 0);
    assert.deepEqual(limits, [1_000]);
    assert.deepEqual(
      node.runtime.stops.map(({ options }) => options.graceMs),
      [2_000],
    );
  }));

test("a pod beyond its deadline is told once", () =>
  startNode(async (node) => {
    await node.parts.client.for(PODS).create({
      metadata: AT,
      spec: {
        activeDeadlineSeconds: 5,
        containers: [{ name: "app", image: "app:1" }],
        nodeName: "node-1",
      },
    });
    await until(() => node.reasons().includes("Started"));
    await node.clock.advance(6_000);
    await until(() => node.runtime.stops.length > 0);
    const told = node.events.filter(({ reason }) => reason === "DeadlineExceeded");
    assert.deepEqual(
      told.map(({ type, message }) => [type, message]),
      [["Normal", "Pod was active on the node longer than the specified deadline"]],
    );
  }));

test("a critical pod begins when the pods that make room for it have ended", () =>
  startNode(async (node) => {
    const pods = node.parts.client.for(PODS);
    const taking = (cpu: string) => [
      { name: "app", image: "app:1", resources: { requests: { cpu } } },
    ];
    const { runtime } = node.parts;
    const stop = runtime.stopContainer.bind(runtime);
    let end = () => {};
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    runtime.stopContainer = async (...of) => {
      await ended;
      return await stop(...of);
    };
    await pods.create({ metadata: AT, spec: { containers: taking("2"), nodeName: "node-1" } });
    await until(() => node.reasons().includes("Started"));
    const critical = { containers: taking("1"), nodeName: "node-1", priority: 2_000_000_000 };
    await pods.create({ metadata: { ...AT, name: "critical" }, spec: critical });
    await until(() => node.reasons().includes("Preempting"));
    const started = () => node.reasons().filter((reason) => reason === "Started").length;
    await node.clock.advance(5_000);
    assert.equal(started(), 1);
    end();
    await until(() => started() === 2);
  }));

test("containers of a pod wait together for an image that does not come", () =>
  startNode(async (node) => {
    const pods = node.parts.client.for(PODS);
    const containers = [
      { name: "a", image: "app:2" },
      { name: "b", image: "app:1" },
    ];
    await pods.create({ metadata: AT, spec: { containers, nodeName: "node-1" } });
    await until(() => node.reasons().includes("BackOff"));
    await node.clock.advance(5_000);
    await pods.patch(AT, { spec: { containers: [{ name: "b", image: "app:2" }] } });
    await until(() => node.runtime.stops.length > 0);
    const pulls = () => node.reasons().filter((reason) => reason === "Pulling").length;
    await node.clock.advance(4_000);
    assert.equal(pulls(), 1);
    await node.clock.advance(2_000);
    assert.equal(pulls(), 2);
    await node.clock.advance(18_000);
    assert.equal(pulls(), 2);
    await node.clock.advance(2_000);
    assert.equal(pulls(), 3);
  }));
