import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { CONFIG_MAPS, LEASES, NODES, PODS } from "../api/generated/resources.ts";
import type { InformerFactory } from "../client/informer.ts";
import { silentLogger } from "../lib/logger.ts";
import { seededRandom } from "../lib/random.ts";
import { settle } from "../lib/virtual-clock.ts";
import { mount, unmountBelow } from "../sys/mount.ts";
import { type Agent, startAgent } from "./agent.ts";
import { defaultConfiguration } from "./config/kubelet-configuration.ts";
import { DEFAULT_RULES } from "./eviction/contract.ts";
import { createFakeNode, type FakeNode } from "./pod/fake-parts.ts";

const root = process.getuid?.() === 0 ? false : "needs root";
const POD = { namespace: "default", name: "web" };

/** How full the disk of this machine is does not matter. */
const ROOMY = { ...DEFAULT_RULES, hard: {} };

interface RunningAgent {
  agent: Agent;
  node: FakeNode;
  stateDirectory: string;
  /** Plural names of what the agent has a watch of its own for. */
  followed: string[];
}

async function withAgent(
  use: (running: RunningAgent) => Promise<void>,
  prepare?: (stateDirectory: string) => void,
): Promise<void> {
  const stateDirectory = mkdtempSync(path.join(tmpdir(), "agent-"));
  try {
    prepare?.(stateDirectory);
    const configuration = defaultConfiguration(2);
    await using node = createFakeNode();
    const followed: string[] = [];
    const { client, images, network, clock, services } = node.parts;
    const informers = recordingInformers(node.parts.informers, followed);
    await using agent = await startAgent({
      nodeName: "node-1",
      client,
      informers,
      services,
      runtime: node.parts.runtime,
      images,
      network,
      facts: {
        nodeIp: "192.0.2.1",
        podCidr: "10.1.0.0/24",
        clusterDnsIp: "10.96.0.10",
        clusterDomain: "cluster.local",
      },
      configuration: prepare ? configuration : { ...configuration, eviction: ROOMY },
      imageDirectory: stateDirectory,
      stateDirectory,
      manifestDirectory: path.join(stateDirectory, "manifests"),
      runDirectory: path.join(stateDirectory, "run"),
      endpointPort: 10_250,
      versions: { kubelet: "v1.32.3", runtime: "crun://1.8.1" },
      clock,
      random: seededRandom(1),
      logger: silentLogger,
    });
    await use({ agent, node, stateDirectory, followed });
  } finally {
    unmountBelow(stateDirectory);
    rmSync(stateDirectory, { recursive: true, force: true });
  }
}

function recordingInformers(informers: InformerFactory, followed: string[]): InformerFactory {
  return {
    informer(resource, options) {
      followed.push(resource.plural);
      return informers.informer(resource, options);
    },
    [Symbol.asyncDispose]: () => informers[Symbol.asyncDispose](),
  };
}

async function until(done: () => boolean): Promise<void> {
  for (let turn = 0; turn < 10_000 && !done(); turn++) await settle();
  assert.ok(done());
}

test("an agent registers its node as ready and renews its lease", () =>
  withAgent(async ({ agent, node }) => {
    await agent.ready;
    await settle();
    const { status } = await node.parts.client.for(NODES).get({ name: "node-1" });
    const ready = status?.conditions?.find(({ type }) => type === "Ready");
    assert.equal(ready?.status, "True");
    assert.equal(status?.daemonEndpoints?.kubeletEndpoint?.Port, 10_250);
    const lease = () =>
      node.parts.client.for(LEASES).get({ namespace: "kube-node-lease", name: "node-1" });
    const before = (await lease()).spec?.renewTime ?? "";
    await node.clock.advance(10_000);
    assert.ok(((await lease()).spec?.renewTime ?? "") > before);
  }));

test("an agent follows no Services of its own: the node's network does already", () =>
  withAgent(({ agent, followed }) => {
    assert.ok(followed.includes("pods"));
    assert.ok(!followed.includes("services"));
    return agent.ready;
  }));

test("a resource that others add to the node can be used", () =>
  withAgent(async ({ agent, node }) => {
    await agent.ready;
    await settle();
    const nodes = node.parts.client.for(NODES);
    const capacity = { "example.com/gpu": "4" };
    const options = { type: "strategic", subresource: "status" } as const;
    await nodes.patch({ name: "node-1" }, { status: { capacity } }, options);
    await settle();
    await node.clock.advance(10_000);
    const { status } = await nodes.get({ name: "node-1" });
    assert.equal(status?.capacity?.["example.com/gpu"], "4");
    assert.equal(status?.allocatable?.["example.com/gpu"], "4");
  }));

test("a pod gets its volumes, also late ones, and leaves nothing behind", { skip: root }, () =>
  withAgent(async ({ agent, node, stateDirectory }) => {
    const { client } = node.parts;
    await client.for(PODS).create({
      metadata: POD,
      spec: {
        volumes: [
          { name: "site", configMap: { name: "site" } },
          { name: "scratch", emptyDir: {} },
        ],
        containers: [
          {
            name: "app",
            image: "app:1",
            volumeMounts: [
              { name: "site", mountPath: "/site" },
              { name: "scratch", mountPath: "/scratch", subPath: "mine" },
            ],
          },
        ],
      },
    });
    await settle();
    assert.equal(node.runtime.statuses.size, 0);
    const metadata = { name: "site", namespace: "default" };
    await client.for(CONFIG_MAPS).create({ metadata, data: { page: "hello" } });
    await until(() => node.runtime.statuses.size === 1);
    await settle();
    const { id } = node.runtime.named("app");
    const sourceOf = (at: string) =>
      node.runtime.specs.get(id)?.mounts.find(({ containerPath }) => containerPath === at)
        ?.hostPath ?? "";
    assert.equal(readFileSync(path.join(sourceOf("/site"), "page"), "utf8"), "hello");
    assert.ok(existsSync(sourceOf("/scratch")));
    const [pod] = agent.streams.pods() as { status?: { phase?: string } }[];
    assert.equal(pod?.status?.phase, "Running");
    await client.for(PODS).delete(POD);
    await until(() => agent.streams.pods().length === 0);
    assert.deepEqual(readdirSync(path.join(stateDirectory, "pods")), []);
    assert.deepEqual(readdirSync(path.join(stateDirectory, "logs")), []);
  }),
);

test("a full disk ends in a condition, and is over when there is room", { skip: root }, () =>
  withAgent(
    async ({ agent, node, stateDirectory }) => {
      const { client } = node.parts;
      await agent.ready;
      const pressure = async () => {
        const { status } = await client.for(NODES).get({ name: "node-1" });
        return status?.conditions?.find(({ type }) => type === "DiskPressure")?.status;
      };
      const start = async (name: string) => {
        const containers = [{ name: "app", image: "app:1" }];
        await client.for(PODS).create({ metadata: { ...POD, name }, spec: { containers } });
      };
      const phaseOf = async (name: string) =>
        (await client.for(PODS).get({ ...POD, name })).status?.phase;
      assert.equal(await pressure(), "True");
      await start("early");
      await settle();
      await node.clock.advance(200);
      const { status } = await client.for(PODS).get({ ...POD, name: "early" });
      assert.equal(status?.phase, "Failed");
      assert.equal(status.reason, "Evicted");
      assert.match(status.message ?? "", /The node had condition: \[DiskPressure\]/);

      rmSync(path.join(stateDirectory, "ballast"));
      await node.clock.advance(290_000); // so long it holds on, lest it flicker
      assert.equal(await pressure(), "True");
      await node.clock.advance(40_000);
      assert.equal(await pressure(), "False");
      await start("late");
      await until(() => node.runtime.statuses.size === 1);
      await node.clock.advance(200);
      assert.equal(await phaseOf("late"), "Running");
    },
    (stateDirectory) => {
      mount({ source: "tmpfs", target: stateDirectory, type: "tmpfs", data: "size=8m" });
      writeFileSync(path.join(stateDirectory, "ballast"), Buffer.alloc(15 << 19));
    },
  ),
);
