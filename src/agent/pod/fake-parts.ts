import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { PODS, SERVICES } from "../../api/generated/resources.ts";
import type { Pod } from "../../api/generated/types/core-v1.ts";
import type { RecordedEvent } from "../../client/event-recorder.ts";
import { createInformerFactory } from "../../client/informer-factory.ts";
import { MemoryTransport } from "../../client/memory-transport.ts";
import { createClient } from "../../client/resource-client.ts";
import { parseReference } from "../../format/oci/reference.ts";
import { silentLogger } from "../../lib/logger.ts";
import { seededRandom } from "../../lib/random.ts";
import { VirtualClock } from "../../lib/virtual-clock.ts";
import { createSpread } from "../../sys/spread.ts";
import { ALL_CPUS } from "../cpu/contract.ts";
import { NO_PRESSURE } from "../eviction/contract.ts";
import { ImageError, type ImageStore, type LocalImage } from "../image/contract.ts";
import type { PodAttachment, PodNetwork } from "../network/contract.ts";
import type { ProbeReport, Prober, ProbeTarget } from "../probe/contract.ts";
import type {
  ContainerResources,
  ContainerRuntime,
  ContainerSpec,
  ContainerStatus,
  SandboxSpec,
  StopOptions,
} from "../runtime/contract.ts";
import { usedVolumes } from "../used-volumes.ts";
import { VolumeError, type VolumeManager } from "../volume/contract.ts";
import { createFakeMetrics } from "./fake-metrics.ts";
import type { PodParts } from "./pod-context.ts";

/** A node in memory for tests of pods: everything at once, nothing on the machine but files. */
export interface FakeNode extends AsyncDisposable {
  parts: PodParts;
  transport: MemoryTransport;
  clock: VirtualClock;
  events: RecordedEvent[];
  runtime: FakeRuntime;
  images: Map<string, LocalImage>;
  /** What the next preparation of volumes fails with, until it is cleared. */
  volumeFailure: { error?: VolumeError; retry?: (podUid: string) => void };
  /** Pods that the volumes were told of after a change. */
  volumeUpdates: Pod[];
  /** Pods of files; `changed` tells the node of another list. */
  staticPods: { list: Pod[]; changed: () => void };
  probes: { target: ProbeTarget; report: (report: ProbeReport) => void }[];
  /** Names of hooks that ran, "preStop app". */
  hooks: string[];
  /** What was counted and measured; see `FakeMetrics`. */
  measured: readonly string[];
}

/** Containers that run for as long as a test says. */
export class FakeRuntime {
  readonly statuses: Map<string, ContainerStatus> = new Map();
  readonly specs: Map<string, ContainerSpec> = new Map();
  readonly sandboxes: Map<string, SandboxSpec> = new Map();
  readonly stops: { id: string; options: StopOptions }[] = [];
  /** Ids of containers whose monitors might have been started ahead. */
  readonly expected: string[] = [];
  readonly updates: { id: string; resources: ContainerResources }[] = [];
  /** What `updateSandbox` throws for these limits, if anything. */
  refuseLimits: ((resources: ContainerResources) => Error | undefined) | undefined;
  /** Throws from `startContainer` when set. */
  startError: Error | undefined;
  /** Stopping ends a container at once unless this is set. */
  stubborn = false;
  #onExit: ((status: ContainerStatus) => void)[] = [];
  readonly #clock: VirtualClock;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  /** The newest container of this name. */
  named(name: string): ContainerStatus {
    const found = [...this.statuses.values()].filter((status) => status.name === name);
    const newest = found.toSorted((a, b) => b.attempt - a.attempt)[0];
    if (!newest) throw new Error(`no container "${name}"`);
    return newest;
  }

  exit(id: string, exitCode: number): void {
    const status = this.statuses.get(id);
    if (!status || status.state === "exited") return;
    const finishedAtMs = this.#clock.now();
    const ended: ContainerStatus = { ...status, state: "exited", exitCode, finishedAtMs };
    this.statuses.set(id, ended);
    for (const handler of this.#onExit) handler(ended);
  }

  create(spec: ContainerSpec): ContainerStatus {
    const { id, sandboxId, name, attempt, imageReference, logPath } = spec;
    const status: ContainerStatus = {
      id,
      sandboxId,
      name,
      attempt,
      state: "created",
      imageReference,
      imageId: spec.image.id,
      logPath,
      createdAtMs: this.#clock.now(),
    };
    this.specs.set(id, spec);
    this.statuses.set(id, status);
    return status;
  }

  start(id: string): ContainerStatus {
    if (this.startError) throw this.startError;
    const status = this.statuses.get(id);
    if (!status) throw new Error(`no container ${id}`);
    const startedAtMs = this.#clock.now();
    const running: ContainerStatus = { ...status, state: "running", startedAtMs, pid: 1 };
    this.statuses.set(id, running);
    return running;
  }

  stop(id: string, options: StopOptions): void {
    this.stops.push({ id, options });
    if (!this.stubborn || options.graceMs === 0) this.exit(id, options.graceMs === 0 ? 137 : 143);
  }

  get contract(): ContainerRuntime {
    const statusOf = (id: string) => this.statuses.get(id) as ContainerStatus;
    return {
      handlers: () => [
        {
          name: "crun",
          isDefault: true,
          hasOwnKernel: false,
          hasUserNamespaces: true,
          hasRecursiveReadOnly: true,
        },
      ],
      recover: async () => ({
        sandboxes: Array.from(this.sandboxes.values(), (spec) => ({
          id: spec.id,
          spec,
          createdAtMs: 0,
        })),
        containers: [...this.statuses.values()],
      }),
      createSandbox: async (spec) => {
        this.sandboxes.set(spec.id, spec);
        return { id: spec.id, spec, createdAtMs: this.#clock.now() };
      },
      stopSandbox: async (sandboxId) => {
        for (const { id } of this.contract.containers(sandboxId)) this.stop(id, { graceMs: 0 });
      },
      removeSandbox: async (sandboxId) => {
        this.sandboxes.delete(sandboxId);
        for (const [id, status] of this.statuses) {
          if (status.sandboxId === sandboxId) this.statuses.delete(id);
        }
      },
      prepareUsers: async ({ id }) => ({ firstId: 1 << 16, networkNamespacePath: `/users/${id}` }),
      createContainer: async (spec) => this.create(spec),
      startContainer: async (id) => this.start(id),
      stopContainer: async (id, options) => {
        // A process does not end in the turn of the event loop in which it is told to.
        for (let turn = 0; turn < 2; turn++) await new Promise((done) => setImmediate(done));
        this.stop(id, options);
        return statusOf(id);
      },
      removeContainer: async (id) => void this.statuses.delete(id),
      status: (id) => this.statuses.get(id),
      containers: (sandboxId) =>
        [...this.statuses.values()].filter((status) => status.sandboxId === sandboxId),
      onExit: (handler) => {
        this.#onExit.push(handler);
        const remove = () => this.#onExit.splice(this.#onExit.indexOf(handler), 1);
        return { [Symbol.dispose]: () => void remove() };
      },
      onKernel: () => ({ [Symbol.dispose]: () => {} }),
      execSync: () => Promise.reject(new Error("not in this test")),
      exec: () => Promise.reject(new Error("not in this test")),
      attach: () => Promise.reject(new Error("not in this test")),
      reopenLog: async () => {},
      prepareNext: () => {},
      expectContainer: ({ id }) => void this.expected.push(id),
      updateSandbox: async (id, resources) => {
        this.updates.push({ id, resources });
        const refused = this.refuseLimits?.(resources);
        if (refused) throw refused;
      },
      updateResources: async (id, resources) => void this.updates.push({ id, resources }),
      writableLayer: (id) => `/nonexistent/${id}`,
      stats: () => Promise.reject(new Error("not in this test")),
      metrics: () => [],
      [Symbol.asyncDispose]: async () => {},
    };
  }
}

function fakeNetwork(): PodNetwork {
  const attached = new Map<string, PodAttachment>();
  return {
    gateway: "10.1.0.1",
    recover: async () => {},
    attach: async ({ podUid }) => {
      const ip = `10.1.0.${attached.size + 2}`;
      const attachment = { podUid, ip, networkNamespacePath: `/netns/${podUid}` };
      attached.set(podUid, attached.get(podUid) ?? attachment);
      return attached.get(podUid) ?? attachment;
    },
    prepareNext: () => {},
    restore: () => {},
    detach: async (podUid) => void attached.delete(podUid),
    attachment: (podUid) => attached.get(podUid),
    counters: () => new Map(),
    connect: () => Promise.reject(new Error("not in this test")),
    [Symbol.asyncDispose]: async () => {},
  };
}

function fakeImages(images: Map<string, LocalImage>): ImageStore {
  return {
    find: (reference) => images.get(reference),
    list: () => [...images.values()],
    onChange: () => ({ [Symbol.dispose]: () => {} }),
    import: () => Promise.reject(new Error("not in this test")),
    wouldPull: (reference) => !images.has(reference) && parseReference(reference) !== undefined,
    pull: () => Promise.reject(new Error("not in this test")),
    ensure: async (reference) => {
      const image = images.get(reference);
      if (image) return image;
      const code = parseReference(reference) ? "not-found" : "invalid-reference";
      throw new ImageError(code, `"${reference}" is in no registry`);
    },
    remove: async () => {},
    sweep: async () => {},
  };
}

/** Creates the node; all its files are below one temporary directory, removed at the end. */
export function createFakeNode(transport: MemoryTransport = new MemoryTransport()): FakeNode {
  const clock = new VirtualClock();
  const client = createClient(transport);
  const informers = createInformerFactory({
    client,
    clock,
    random: seededRandom(1),
    logger: silentLogger,
  });
  const directory = mkdtempSync(path.join(tmpdir(), "pods-"));
  const events: RecordedEvent[] = [];
  const metrics = createFakeMetrics();
  const runtime = new FakeRuntime(clock);
  const image: LocalImage = {
    id: "sha256:abc",
    references: ["app:1"],
    sizeBytes: 1,
    config: { command: ["serve"], environment: ["FROM=image"] },
    layerPaths: [],
  };
  const images = new Map([["app:1", image]]);
  const volumeFailure: FakeNode["volumeFailure"] = {};
  const volumeUpdates: Pod[] = [];
  const volumes: VolumeManager = {
    prepare: async (pod, directory) => {
      if (volumeFailure.error) throw volumeFailure.error;
      const prepared = usedVolumes(pod).map(
        ({ name }) => [name, { hostPath: path.join(directory, name), readOnly: false }] as const,
      );
      return new Map(prepared);
    },
    ownDirectories: () => new Map(),
    metrics: () => [],
    update: (pod) => void volumeUpdates.push(pod),
    onRetry: (handler) => {
      volumeFailure.retry = handler;
      return { [Symbol.dispose]: () => {} };
    },
    release: async () => {},
    [Symbol.asyncDispose]: async () => {},
  };
  const staticPods: FakeNode["staticPods"] = { list: [], changed: () => {} };
  const probes: FakeNode["probes"] = [];
  const hooks: string[] = [];
  const prober: Prober = {
    watch: (target, report) => {
      const probe = { target, report };
      probes.push(probe);
      return { [Symbol.dispose]: () => void probes.splice(probes.indexOf(probe), 1) };
    },
    runHook: async (hook, { container }) => {
      const name = hook === container.lifecycle?.preStop ? "preStop" : "postStart";
      hooks.push(`${name} ${container.name}`);
    },
  };
  const parts: PodParts = {
    client,
    informers,
    pods: informers.informer(PODS),
    services: informers.informer(SERVICES),
    runtime: runtime.contract,
    images: fakeImages(images),
    network: fakeNetwork(),
    volumes,
    cpus: ALL_CPUS,
    prober,
    events: { record: (event) => void events.push(event) },
    clock,
    logger: silentLogger,
    node: {
      name: "node-1",
      hostname: "node-1",
      nodeIp: "192.0.2.1",
      podCidr: "10.1.0.0/24",
      clusterDnsIp: "10.96.0.10",
      clusterDomain: "cluster.local",
      memoryBytes: 2 ** 32,
      allocatable: { cpu: "2", memory: "4Gi", pods: "110" },
      rules: { cpuQuota: { enforced: true, periodUs: 100_000 }, podPidsMax: undefined },
      resolvConf: "nameserver 192.0.2.53\n",
      hosts: "127.0.0.1 localhost\n",
    },
    admission: {
      node: () => undefined,
      allowedSysctls: [],
      hasAppArmor: false,
      pressure: () => NO_PRESSURE,
    },
    metrics,
    far: {
      mountOf: () => undefined,
      perform: () => Promise.reject(new Error("no mount of this node may hang")),
      onAnswer: () => ({ [Symbol.dispose]() {} }),
      [Symbol.dispose]() {},
    },
    staticPods: {
      list: () => staticPods.list,
      onChange(handler) {
        staticPods.changed = handler;
        return { [Symbol.dispose]: () => {} };
      },
      [Symbol.dispose]: () => {},
    },
    spread: createSpread(),
    confine: (target) => void mkdirSync(target, { recursive: true }),
    discard: (unwanted) => rmSync(unwanted, { recursive: true, force: true }),
    directories: {
      pods: path.join(directory, "pods"),
      files: path.join(directory, "files"),
      logs: path.join(directory, "logs"),
      logIndex: path.join(directory, "logs"),
      seccomp: path.join(directory, "seccomp"),
    },
  };
  return {
    parts,
    transport,
    clock,
    events,
    runtime,
    images,
    volumeFailure,
    volumeUpdates,
    measured: metrics.told,
    staticPods,
    probes,
    hooks,
    async [Symbol.asyncDispose]() {
      await informers[Symbol.asyncDispose]();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
