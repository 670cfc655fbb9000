import { StatusError } from "../api/errors.ts";
import { NAMESPACES } from "../api/generated/resources.ts";
import type { ApiRequest, Transport } from "../api/transport.ts";
import type { Client } from "../client/client.ts";
import { createInformerFactory } from "../client/informer-factory.ts";
import type { InformerFactory } from "../client/informer.ts";
import { createClient } from "../client/resource-client.ts";
import { Cleanup } from "../lib/cleanup.ts";
import { sleep } from "../lib/clock.ts";
import { silentLogger } from "../lib/logger.ts";
import { type Random, seededRandom } from "../lib/random.ts";
import { VirtualClock } from "../lib/virtual-clock.ts";
import { FakeNodes } from "./fake-nodes.ts";
import { type Faults, FaultTransport } from "./fault-transport.ts";
import { partNames, startPart } from "./sim-parts.ts";
import { SimServer } from "./sim-server.ts";

/** How long a dead process stays dead. */
const RESTART_MS = 700;
const PATIENCE_MS = 100;
const LOG_MAX = 400;
const MOMENT_WRITES_MAX = 5_000;

/** Parts that live and die together, and see the API server through the same faults. */
export interface Process {
  parts: readonly string[];
  faults: Faults;
}

/** Which processes suffer what; parts that are not named share one that is well. */
export interface ClusterOptions {
  seed?: number;
  suffering?: readonly Process[];
}

/** A whole control plane on virtual time: the real server, every controller, the scheduler. */
export class SimCluster implements AsyncDisposable {
  readonly clock: VirtualClock = new VirtualClock();
  readonly random: Random;
  readonly server: SimServer;
  /** The user's own access: waits while the server is away. */
  readonly client: Client;
  readonly informers: InformerFactory;
  readonly nodes: FakeNodes;
  /** What the parts wrote, newest last, some with their replicas: wanted, there, available. */
  readonly log: string[] = [];
  writes = 0;
  crashes = 0;
  /** How often the server went away. */
  restarts = 0;
  readonly #cleanup = new Cleanup();
  readonly #lives = new Map<Process, Cleanup>();
  readonly #transports: FaultTransport[] = [];
  /** Processes that began again with a list that was older than what they had seen. */
  staleStarts = 0;
  /** Who wrote without any time passing, if anybody did. */
  frenzy: string | undefined;
  #moment = { atMs: 0, writes: 0 };
  /** When each process made something. */
  readonly #creations: { who: string; atMs: number }[] = [];
  /** Made before a crash and not in the stale list that the successor began with. */
  #forgotten = 0;
  readonly #revisions: { atMs: number; revision: string }[] = [];
  #stopped = false;

  private constructor({ seed = 1 }: ClusterOptions) {
    this.random = seededRandom(seed);
    const { clock, random } = this;
    this.server = this.#cleanup.use(new SimServer({ clock, random }));
    this.client = createClient(this.#patient(this.server.transport("user")));
    const client = createClient(this.#patient(this.server.transport("node")));
    // Nodes and onlookers draw from a source of their own: faults of others change nothing here.
    const sources = { client, clock, random: seededRandom(seed), logger: silentLogger };
    this.informers = this.#cleanup.use(createInformerFactory(sources));
    this.nodes = this.#cleanup.use(
      new FakeNodes({ ...sources, informers: this.informers, startMs: 300, stopMs: 400 }),
    );
  }

  /** Starts one with two namespaces and no node. */
  static async start(options: ClusterOptions = {}): Promise<SimCluster> {
    const cluster = new SimCluster(options);
    await cluster.server.start();
    for (const name of ["default", "kube-system"]) {
      await cluster.client.for(NAMESPACES).create({ metadata: { name } });
    }
    const { suffering = [] } = options;
    const sick = new Set(suffering.flatMap(({ parts }) => parts));
    const well = partNames(cluster).filter((name) => !sick.has(name));
    for (const process of [...suffering, { parts: well, faults: {} }]) cluster.#live(process);
    return cluster;
  }

  /** Objects that exist although the part that made them was never told so. */
  get unknownCreates(): number {
    const told = this.#transports.reduce((sum, { unknownCreates }) => sum + unknownCreates, 0);
    return told + this.#forgotten;
  }

  /** How many writes the parts of the first suffering process sent in their first life. */
  get firstWrites(): number {
    return this.#transports[0]?.writes ?? 0;
  }

  /** The newest revision at some time; told by whoever watches everything. */
  noteRevision(revision: string): void {
    this.#revisions.push({ atMs: this.clock.monotonicMs(), revision });
  }

  /** The server goes away at a time, for a while; its store stays. */
  restartServer({ afterMs, downMs }: { afterMs: number; downMs: number }): void {
    this.clock.setTimer(afterMs, () => {
      this.restarts++;
      void this.server.stop();
    });
    this.clock.setTimer(afterMs + downMs, () => {
      if (!this.#stopped) void this.server.start();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    this.nodes[Symbol.dispose]();
    for (const life of this.#lives.values()) await life[Symbol.asyncDispose]();
    await this.#cleanup[Symbol.asyncDispose]();
  }

  #patient(inner: Transport): Transport {
    return {
      request: async (request) => {
        while (!this.server.isUp) await sleep(this.clock, PATIENCE_MS);
        return inner.request(request);
      },
      watch: (request, sink) => inner.watch(request, sink),
    };
  }

  #live(process: Process): void {
    const { clock, random } = this;
    const life = new Cleanup();
    this.#lives.set(process, life);
    const name = nameOf(process);
    const transport = new FaultTransport(this.server.transport(name), process.faults, {
      clock,
      random,
      revisionBefore: (agoMs) => this.#revisionBefore(agoMs),
      onWrite: (request) => this.#wrote(name, request),
      onCrash: () => this.#die(process),
    });
    this.#transports.push(transport);
    const client = createClient(transport);
    const sources = { client, clock, random, logger: silentLogger };
    const informers = life.use(createInformerFactory(sources));
    const deps = { ...sources, informers, events: { record: () => undefined } };
    for (const part of process.parts) life.use(startPart(part, deps));
  }

  /** The process is gone at once; its successor starts with no memory. */
  #die(process: Process): void {
    this.crashes++;
    this.log.push(`${this.#time()} ${process.parts.join("+").slice(0, 40)} died`);
    const { crash: _, ...faults } = process.faults;
    this.clock.setTimer(0, () => void this.#lives.get(process)?.[Symbol.asyncDispose]());
    this.clock.setTimer(RESTART_MS, () => {
      if (this.#stopped) return;
      const { staleListMs = 0 } = faults;
      if (staleListMs > 0) this.staleStarts++;
      const since = this.clock.monotonicMs() - staleListMs;
      const who = nameOf(process);
      const lost = this.#creations.filter((one) => one.who === who && one.atMs >= since);
      this.#forgotten += lost.length;
      this.#lives.delete(process);
      this.#live({ ...process, faults });
    });
  }

  #wrote(who: string, { method, path, body }: ApiRequest): void {
    this.writes++;
    this.#watchMoment(who, path);
    if (method === "POST") this.#creations.push({ who, atMs: this.clock.monotonicMs() });
    const { spec, status } = (body ?? {}) as Partial<Record<"spec" | "status", ReplicaCounts>>;
    const counts = [spec?.replicas, status?.replicas, status?.availableReplicas];
    const shown = counts.some((count) => count !== undefined) ? ` ${counts.join("/")}` : "";
    this.log.push(`${this.#time()} ${who} ${method} ${path}${shown}`);
    if (this.log.length > LOG_MAX) this.log.shift();
  }

  /** On virtual time, parts that undo each other's writes without a pause would do so for ever. */
  #watchMoment(who: string, path: string): void {
    const atMs = this.clock.monotonicMs();
    if (this.#moment.atMs !== atMs) this.#moment = { atMs, writes: 0 };
    if (++this.#moment.writes <= MOMENT_WRITES_MAX) return;
    this.frenzy ??= `${who} and others write without end, lately ${path}`;
    throw new StatusError("TooManyRequests", "the same is written again and again");
  }

  #time(): string {
    return `${(this.clock.monotonicMs() / 1000).toFixed(3)} s`;
  }

  #revisionBefore(agoMs: number): string | undefined {
    const thenMs = this.clock.monotonicMs() - agoMs;
    return this.#revisions.findLast(({ atMs }) => atMs <= thenMs)?.revision;
  }
}

interface ReplicaCounts {
  replicas?: number;
  availableReplicas?: number;
}

function nameOf({ parts }: Process): string {
  return parts.length === 1 ? (parts[0] ?? "") : "control-plane";
}
