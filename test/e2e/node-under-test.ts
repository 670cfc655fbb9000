import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import type { Container, ContainerStatus, Pod } from "../../src/api/generated/types/core-v1.ts";
import { NAMESPACES, PODS, SERVICES } from "../../src/api/generated/resources.ts";
import { defaultConfiguration } from "../../src/agent/config/kubelet-configuration.ts";
import { type Agent, startAgent } from "../../src/agent/agent.ts";
import { createImageStore } from "../../src/agent/image/image-store.ts";
import { createImageThread } from "../../src/agent/image/image-thread.ts";
import type { ProxyEnvironment } from "../../src/agent/image/registry/proxy-rules.ts";
import { createPodNetwork } from "../../src/agent/network/pod-network.ts";
import { createCrunRuntime, purgeCrunRuntime } from "../../src/agent/runtime/crun-runtime.ts";
import type { ContainerRuntime } from "../../src/agent/runtime/contract.ts";
import { createApiServer } from "../../src/apiserver/api-server.ts";
import type { Client } from "../../src/client/client.ts";
import { createInformerFactory } from "../../src/client/informer-factory.ts";
import { createClient } from "../../src/client/resource-client.ts";
import { Cleanup } from "../../src/lib/cleanup.ts";
import type { Logger } from "../../src/lib/logger.ts";
import { createMemoryStore } from "../../src/store/memory/memory-store.ts";
import { openCgroups } from "../../src/sys/cgroup.ts";
import { systemClock } from "../../src/sys/clock.ts";
import { enterPrivateMounts } from "../../src/sys/mount-namespace.ts";
import { readMounts, unmountBelow } from "../../src/sys/mount.ts";
import { systemRandom } from "../../src/sys/random.ts";
import { BUSYBOX, busyboxArchive } from "./busybox-image.ts";

const WAIT_MS = 20_000;

/** One node with a real runtime, network and volumes, on an API server in this process. */
export interface NodeUnderTest extends AsyncDisposable {
  readonly client: Client;
  readonly directory: string;
  readonly warnings: string[];
  agent(): Agent;
  runtime(): ContainerRuntime;
  /** Stops agent and runtime, as a crash would, and starts new ones. */
  restartAgent(): Promise<void>;
  /** Leaves only what a reboot leaves: no process, no mount, no control group, nothing in /run. */
  reboot(): Promise<void>;
  run(name: string, spec: Partial<NonNullable<Pod["spec"]>>): Promise<Pod>;
  /** Makes an image of an OCI archive known to the node. */
  importImage(archive: Uint8Array): Promise<void>;
  /** Waits for a state of a pod; undefined means that it is gone. @throws after 20 s */
  until(name: string, done: (pod: Pod | undefined) => boolean): Promise<Pod | undefined>;
}

/** The container "app", which runs a script. */
export function shell(script: string, more: Partial<Container> = {}): Container {
  return { name: "app", command: ["sh", "-c", script], ...more };
}

/** Of the only container of a pod. */
export function appOf(pod: Pod | undefined): ContainerStatus | undefined {
  return pod?.status?.containerStatuses?.[0];
}

export function isRunning(pod: Pod | undefined): boolean {
  return appOf(pod)?.state?.running !== undefined;
}

/** Starts the node; disposing it asserts that nothing is left. */
export async function startNode(proxies: ProxyEnvironment = {}): Promise<NodeUnderTest> {
  const directory = realpathSync(mkdtempSync(path.join(tmpdir(), "nephos-node-")));
  // Users that are not the node's pass through it.
  chmodSync(directory, 0o711);
  enterPrivateMounts({ sharedDirectories: [directory] });
  await using cleanup = new Cleanup();
  // Nothing else may hold a process that waits for others to end.
  const awake = setInterval(() => {}, WAIT_MS);
  cleanup.defer(() => clearInterval(awake));
  cleanup.defer(() => {
    unmountBelow(directory);
    rmSync(directory, { recursive: true, force: true });
  });
  const warnings: string[] = [];
  const logger = collectWarnings(warnings);
  const clock = systemClock;
  const random = systemRandom;
  const store = cleanup.use(createMemoryStore());
  const server = cleanup.use(
    await createApiServer({
      store,
      clock,
      random,
      logger,
      security: () => ({
        authenticators: [],
        authorizer: { authorize: () => ({ allowed: true, reason: "" }) },
        admission: [],
      }),
    }),
  );
  const client = createClient(server.transport({ name: "admin", groups: ["system:masters"] }));
  const informers = cleanup.use(createInformerFactory({ client, clock, random, logger }));
  for (const name of ["default", "kube-node-lease"]) {
    await client
      .for(NAMESPACES)
      .create({ metadata: { name } })
      .catch(() => {});
  }
  const place = {
    registriesFile: path.join(directory, "registries.yaml"),
    directory: path.join(directory, "images"),
    proxies,
  };
  const engine = cleanup.use(createImageThread(place, { clock, logger }));
  const images = await createImageStore({
    ...place,
    engine,
    clock,
    random,
    logger,
  });
  const archive = path.join(directory, "busybox.tar");
  writeFileSync(archive, busyboxArchive());
  await images.import(archive);
  const runtimeOptions = {
    stateDirectory: path.join(directory, "runtime"),
    runDirectory: path.join(directory, "run"),
    podDirectories: ["state/pods", "agent/pods"].map((one) => path.join(directory, one)),
    cgroupRoot: `/nephos-test-${process.pid}`,
    defaultHandler: "crun",
    clock,
    random,
    logger,
  };
  cleanup.defer(() => purgeCrunRuntime(runtimeOptions));
  const startOnce = async () => {
    const parts = new Cleanup();
    const runtime = parts.use(await createCrunRuntime(runtimeOptions));
    const network = parts.use(
      createPodNetwork({
        runDirectory: path.join(directory, "network"),
        podCidr: "10.231.0.0/24",
        linkPrefix: "npu",
        localAddresses: [],
        logger,
      }),
    );
    const agent = await startAgent({
      nodeName: "node-1",
      client,
      informers,
      services: parts.use(informers.informer(SERVICES)),
      runtime,
      images,
      network,
      facts: {
        nodeIp: "192.0.2.2",
        podCidr: "10.231.0.0/24",
        clusterDnsIp: "10.96.0.10",
        clusterDomain: "cluster.local",
      },
      stateDirectory: path.join(directory, "state"),
      manifestDirectory: path.join(directory, "manifests"),
      runDirectory: path.join(directory, "agent"),
      endpointPort: 10_250,
      versions: { kubelet: "v1.32.3+nephos", runtime: "crun://1.8.1" },
      configuration: {
        ...defaultConfiguration(2),
        logLimits: { maxBytes: 10_000, maxFiles: 3, everyMs: 10_000 },
      },
      imageDirectory: directory,
      clock,
      random,
      logger,
    });
    return { runtime, agent: parts.use(agent), parts };
  };
  let running = await startOnce();
  cleanup.defer(() => running.parts[Symbol.asyncDispose]());
  const pods = cleanup.use(informers.informer(PODS));
  await pods.synced;

  const until: NodeUnderTest["until"] = async (name, done) => {
    const now = () => pods.get("default", name);
    if (done(now())) return now();
    return await new Promise((resolve, reject) => {
      const finish = () => {
        clearTimeout(timer);
        watch[Symbol.dispose]();
      };
      const timer = setTimeout(() => {
        finish();
        const status = JSON.stringify(now()?.status, undefined, 1);
        reject(
          new assert.AssertionError({ message: `${name}: ${status}\n${warnings.join("\n")}` }),
        );
      }, WAIT_MS);
      const watch = pods.onChange(({ object }) => {
        if (object.metadata?.name !== name || !done(now())) return;
        queueMicrotask(finish);
        resolve(now());
      });
    });
  };
  const owned = cleanup.move();
  return {
    client,
    directory,
    warnings,
    agent: () => running.agent,
    runtime: () => running.runtime,
    async restartAgent() {
      await running.parts[Symbol.asyncDispose]();
      running = await startOnce();
    },
    async reboot() {
      await running.parts[Symbol.asyncDispose]();
      await loseEverything(directory, runtimeOptions.cgroupRoot);
      running = await startOnce();
    },
    run: (name, { containers = [], ...spec }) =>
      client.for(PODS).create({
        metadata: { name, namespace: "default" },
        spec: {
          nodeName: "node-1",
          terminationGracePeriodSeconds: 1,
          ...spec,
          containers: containers.map((container) => ({ image: BUSYBOX, ...container })),
        },
      }),
    async importImage(content) {
      const file = path.join(directory, "image.tar");
      writeFileSync(file, content);
      await images.import(file);
      rmSync(file);
    },
    until,
    async [Symbol.asyncDispose]() {
      await owned[Symbol.asyncDispose]();
      const left = readMounts().filter(({ target }) => target.startsWith(directory));
      assert.deepEqual(left, []);
    },
  };
}

async function loseEverything(directory: string, cgroupRoot: string): Promise<void> {
  const cgroups = openCgroups();
  for (let attempt = 0; ; attempt++) {
    for (const pid of cgroups.processes(cgroupRoot)) process.kill(pid, "SIGKILL");
    if (cgroups.remove(cgroupRoot)) break;
    assert.ok(attempt < 400, "processes survive SIGKILL");
    await wait(5);
  }
  unmountBelow(directory);
  for (const name of ["run", "network", "agent"]) {
    rmSync(path.join(directory, name), { recursive: true, force: true });
  }
}

/** Unexpected trouble shows up when a test fails. */
function collectWarnings(into: string[]): Logger {
  const note = (message: string, fields?: object) => {
    into.push(`${message} ${JSON.stringify(fields ?? {})}`);
  };
  const logger: Logger = {
    debug: () => {},
    info: () => {},
    warn: note,
    error: note,
    with: () => logger,
  };
  return logger;
}
