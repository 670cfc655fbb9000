import assert from "node:assert/strict";
import { test } from "node:test";
import type { LocalImage } from "../image/contract.ts";
import { createPod, type Running, startNode, until } from "./pod-manager-fixture.ts";

const IMAGE: LocalImage = {
  id: "rehearsal",
  references: [],
  sizeBytes: 0,
  config: { entrypoint: ["/leave"] },
  layerPaths: ["/rehearsal"],
};

/** Lets the rehearsal's container run, and ends it with this code. */
async function play({ manager, runtime }: Running, exitCode: number) {
  const rehearsal = manager.rehearse(IMAGE);
  await until(() => runtime.statuses.size === 1);
  const [[id, spec] = ["", undefined]] = runtime.specs;
  await until(() => runtime.statuses.get(id)?.state === "running");
  runtime.exit(id, exitCode);
  return { ran: await rehearsal, spec };
}

test("a pod is run that nobody is told of, and nothing is left of it", () =>
  startNode(async (node) => {
    const before = node.transport.requests.length;
    const { ran, spec } = await play(node, 0);
    assert.equal(ran, true);
    assert.deepEqual(spec?.command, ["/leave"]);
    assert.deepEqual(node.manager.pods(), []);
    assert.deepEqual([...node.runtime.sandboxes, ...node.runtime.statuses], []);
    assert.equal(node.transport.requests.length, before);
    assert.deepEqual([node.events, node.measured], [[], []]);
    assert.equal(await node.manager.rehearse(IMAGE), undefined, "once is enough");
  }));

test("a node on which nothing can run learns of it", () =>
  startNode(async (node) => {
    assert.equal((await play(node, 126)).ran, false);
  }));

test("a container that never comes is waited for ten seconds", () =>
  startNode(async (node) => {
    node.parts.runtime.createContainer = () => Promise.reject(new Error("no"));
    const rehearsal = node.manager.rehearse(IMAGE);
    await until(() => node.runtime.sandboxes.size === 1);
    for (let second = 0; second < 30; second++) await node.clock.advance(1_000);
    assert.equal(await rehearsal, false);
    assert.equal(node.runtime.sandboxes.size, 0);
  }));

test("a node that has pods has nothing to rehearse", () =>
  startNode(async (node) => {
    await createPod(node);
    assert.equal(await node.manager.rehearse(IMAGE), undefined);
  }));
