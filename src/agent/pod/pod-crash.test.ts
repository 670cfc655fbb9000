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

/** Plays the life of the pod; tells at what the agent died, if it did. */
async function playLife(node: FakeNode, death: Death): Promise<string | undefined> {
  const { client } = node.parts;
  let agent = mortal(node.parts, death);
  let manager = createPodManager(agent.parts);
  let died: string | undefined;
  await manager.start();
  const until = async (what: string, done: () => Promise<boolean>) => {
    // Files are real: on a busy machine they take many turns.
    const deadlineMs = performance.now() + PATIENCE_MS;
    for (let turn = 0; performance.now() < deadlineMs; turn++) {
      if (agent.life.isDead) {
        died = `${death.isDone ? "after" : "before"} ${agent.life.last}`;
        // Its own end would wait for what never answers.
        void manager[Symbol.asyncDispose]();
        agent = mortal(node.parts, undefined);
        manager = createPodManager(agent.parts);
        await manager.start();
      }
      if (await done()) return;
      await settle();
      if (turn % 20 === 19) await node.clock.advance(1_000);
    }
    assert.fail(`${what}, when the agent died ${died}`);
  };
  const seen = () =>
    client
      .for(PODS)
      .get(AT)
      .catch(() => undefined);
  const running = () =>
    [...node.runtime.statuses.values()].filter(({ state }) => state === "running");

  await client.for(PODS).create(POD);
  await until("the init container runs", () =>
    Promise.resolve(running().some(({ name }) => name === "first")),
  );
  node.runtime.exit(node.runtime.named("first").id, 0);
  await until("the pod runs", async () => (await seen())?.status?.phase === "Running");
  assert.deepEqual(
    running().map(({ name }) => name),
    ["app"],
    died,
  );
  await client.for(PODS).delete(AT);
  const asked = () =>
    node.transport.requests.filter(({ method }) => method === "DELETE").length > 1;
  await until("the node asks to remove the pod", () => Promise.resolve(asked()));
  assert.equal(node.runtime.sandboxes.size, 0, died);
  await client.for(PODS).patch(AT, { metadata: { finalizers: null } });
  await until("the pod is gone", async () => (await seen()) === undefined);
  const { pods } = node.parts.directories;
  const { sandboxes, statuses } = node.runtime;
  await until("nothing is left", () => {
    const files = existsSync(pods) ? readdirSync(pods) : [];
    const left = [...manager.pods(), ...sandboxes.keys(), ...statuses.keys(), ...files];
    return Promise.resolve(left.length === 0);
  });
  await manager[Symbol.asyncDispose]();
  return died;
}

test("an agent that dies anywhere in a pod's life is followed by one that goes on", async () => {
  const deaths: string[] = [];
  for (const isDone of [false, true]) {
    for (let at = 1; ; at++) {
      await using node = createFakeNode();
      const died = await playLife(node, { at, isDone });
      if (died === undefined) break;
      deaths.push(died);
    }
  }
  for (const deed of Object.values(DEEDS).flat()) {
    if (deed === "removeContainer") continue; // no attempt was old enough
    assert.ok(deaths.includes(`before ${deed}`) && deaths.includes(`after ${deed}`), deed);
  }
});
