// The agent dies before or after each thing that it does to the node, in the life of one pod. The
// next agent must bring the pod to where it belongs, with nothing double and nothing left.
import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { PODS } from "../../api/generated/resources.ts";
import type { Pod } from "../../api/generated/types/core-v1.ts";
import { settle } from "../../lib/virtual-clock.ts";
import { createFakeNode, type FakeNode } from "./fake-parts.ts";
import type { PodParts } from "./pod-context.ts";
import { createPodManager } from "./pod-manager.ts";

const PATIENCE_MS = 60_000;
const AT = { namespace: "default", name: "web" };
const POD: Pod = {
  // Keeps the object in the API while the node works on its end.
  metadata: { ...AT, finalizers: ["example.com/hold"] },
  spec: {
    nodeName: "node-1",
    initContainers: [{ name: "first", image: "app:1" }],
    containers: [{ name: "app", image: "app:1", lifecycle: { preStop: { exec: {} } } }],
  },
};

/** What changes the node, by the part that does it. */
const DEEDS = {
  runtime: [
    "createSandbox",
    "createContainer",
    "startContainer",
    "stopContainer",
    "removeContainer",
    "removeSandbox",
  ],
  network: ["attach", "detach"],
  volumes: ["prepare", "release"],
  prober: ["runHook"],
} as const satisfies { [P in keyof PodParts]?: readonly (keyof PodParts[P])[] };

interface Death {
  /** At which deed, counted from 1, and whether it is still done. */
  at: number;
  isDone: boolean;
}

/** Parts that do nothing any more, and never answer, once the agent that has them is dead. */
function mortal(parts: PodParts, death: Death | undefined) {
  const life = { deeds: 0, isDead: false, last: "" };
  const never = new Promise<never>(() => {});
  const wrap = <T extends object>(part: T, names: readonly string[]): T =>
    new Proxy(part, {
      get(target, name, receiver) {
        const method: unknown = Reflect.get(target, name, receiver);
        if (typeof method !== "function" || !names.includes(String(name))) return method;
        return (...given: unknown[]) => {
          if (life.isDead) return never;
          life.deeds++;
          life.last = String(name);
          life.isDead = life.deeds === death?.at;
          if (life.isDead && !death?.isDone) return never;
          const answer: unknown = Reflect.apply(method, target, given);
          return life.isDead ? never : answer;
        };
      },
    });
  const wrapped: PodParts = {
    ...parts,
    runtime: wrap(parts.runtime, DEEDS.runtime),
    network: wrap(parts.network, DEEDS.network),
    volumes: wrap(parts.volumes, DEEDS.volumes),
    prober: wrap(parts.prober, DEEDS.prober),
  };
  return { life, parts: wrapped };
}

/** What becomes of the pod while there is no agent. */
const FATES = ["wanted", "changed", "deleted", "gone", "replaced"] as const;
type Fate = (typeof FATES)[number];

const OTHER_IMAGE = "app:2";

async function meetFate({ parts }: FakeNode, fate: Fate): Promise<void> {
  const pods = parts.client.for(PODS);
  if (fate === "deleted") await pods.delete(AT);
  if (fate === "changed") {
    const changed = { ...POD.spec?.containers[0], image: OTHER_IMAGE };
    await pods.patch(AT, { spec: { containers: [changed] } });
  }
  if (fate === "gone" || fate === "replaced") {
    const { metadata } = await pods.patch(AT, { metadata: { finalizers: null } });
    // One that was being deleted went with its last finalizer.
    if (!metadata?.deletionTimestamp) await pods.delete(AT, { gracePeriodSeconds: 0 });
  }
  if (fate === "replaced") await pods.create(POD);
}

/** Plays the life of the pod; tells at what the agent died, if it did. */
async function playLife(node: FakeNode, death: Death, fate: Fate): Promise<string | undefined> {
  const { client } = node.parts;
  let agent = mortal(node.parts, death);
  let manager = createPodManager(agent.parts);
  let died: string | undefined;
  await manager.start();
  const seen = () =>
    client
      .for(PODS)
      .get(AT)
      .catch(() => undefined);
  const until = async (what: string, done: () => boolean | Promise<boolean>) => {
    // Files are real: on a busy machine they take many turns.
    const deadlineMs = performance.now() + PATIENCE_MS;
    for (let turn = 0; performance.now() < deadlineMs; turn++) {
      if (agent.life.isDead) {
        died = `${death.isDone ? "after" : "before"} ${agent.life.last}`;
        // Its own end would wait for what never answers.
        void manager[Symbol.asyncDispose]();
        if (await seen()) await meetFate(node, fate);
        await settle();
        agent = mortal(node.parts, undefined);
        manager = createPodManager(agent.parts);
        await manager.start();
      }
      if (await done()) return;
      await settle();
      if (turn % 20 === 19) await node.clock.advance(1_000);
    }
    const left = JSON.stringify({
      pod: await seen(),
      runtime: [...node.runtime.statuses.values()],
    });
    assert.fail(`${what}, when the agent died ${died} and the pod was ${fate}: ${left}`);
  };
  const running = () =>
    [...node.runtime.statuses.values()].filter(({ state }) => state === "running");
  /** The pod is to be no more, by what happened to it while there was no agent. */
  const isOver = () => died !== undefined && (fate === "deleted" || fate === "gone");
  const imageOf = async () => (await seen())?.spec?.containers[0]?.image;
  const isServing = async () => {
    const pod = await seen();
    const wanted = running().filter(({ imageReference, sandboxId, name }) => {
      const isOwn = sandboxId === pod?.metadata?.uid && name === "app";
      return isOwn && imageReference === pod.spec?.containers[0]?.image;
    });
    const isReady = pod?.status?.containerStatuses?.[0]?.ready === true;
    return wanted.length === 1 && running().length === 1 && isReady;
  };
  const finishInit = () => {
    for (const { id, name } of running()) if (name === "first") node.runtime.exit(id, 0);
  };

  await client.for(PODS).create(POD);
  await until("the pod runs", async () => {
    finishInit();
    return isOver() || (await isServing());
  });
  const deletions = () =>
    node.transport.requests.filter(({ method }) => method === "DELETE").length;
  if (!isOver()) {
    assert.equal(await imageOf(), died && fate === "changed" ? OTHER_IMAGE : "app:1");
    const before = deletions();
    await client.for(PODS).delete(AT);
    await until("the node asks to remove the pod, or runs what replaces it", async () => {
      finishInit();
      const isNext = died !== undefined && fate === "replaced" && (await isServing());
      return isOver() || isNext || deletions() > before + 1;
    });
    const pod = await seen();
    if (pod && !pod.metadata?.deletionTimestamp) await client.for(PODS).delete(AT);
  }
  await until("the node has nothing of the pod", () => node.runtime.sandboxes.size === 0);
  if (await seen()) {
    await until("the end is told", async () => {
      const { phase } = (await seen())?.status ?? {};
      return phase === "Succeeded" || phase === "Failed";
    });
    await client.for(PODS).patch(AT, { metadata: { finalizers: null } });
  }
  await until("the pod is gone", async () => (await seen()) === undefined);
  const { pods } = node.parts.directories;
  const { sandboxes, statuses } = node.runtime;
  await until("nothing is left", () => {
    const files = existsSync(pods) ? readdirSync(pods) : [];
    const left = [...manager.pods(), ...sandboxes.keys(), ...statuses.keys(), ...files];
    return left.length === 0;
  });
  await manager[Symbol.asyncDispose]();
  return died;
}

for (const fate of FATES) {
  test(`an agent that dies anywhere is followed by one that goes on: the pod is ${fate}`, async () => {
    const deaths: string[] = [];
    for (const isDone of [false, true]) {
      for (let at = 1; ; at++) {
        await using node = createFakeNode();
        const image = node.images.get("app:1");
        assert.ok(image);
        node.images.set(OTHER_IMAGE, { ...image, id: "sha256:def", references: [OTHER_IMAGE] });
        const died = await playLife(node, { at, isDone }, fate);
        if (died === undefined) break;
        deaths.push(died);
      }
    }
    for (const deed of Object.values(DEEDS).flat()) {
      if (deed === "removeContainer") continue; // no attempt was old enough
      assert.ok(deaths.includes(`before ${deed}`) && deaths.includes(`after ${deed}`), deed);
    }
  });
}
