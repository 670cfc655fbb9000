import assert from "node:assert/strict";
import { test } from "node:test";
import { PODS } from "../../api/generated/resources.ts";
import type { Lifecycle } from "../../api/generated/types/core-v1.ts";
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
