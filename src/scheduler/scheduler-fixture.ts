import assert from "node:assert/strict";
import { NODES, PODS } from "../api/generated/resources.ts";
import type { Node, Pod, PodSpec } from "../api/generated/types/core-v1.ts";
import type { Client } from "../client/client.ts";
import type { RecordedEvent } from "../client/event-recorder.ts";
import { createInformerFactory } from "../client/informer-factory.ts";
import { MemoryTransport } from "../client/memory-transport.ts";
import { createClient } from "../client/resource-client.ts";
import { silentLogger } from "../lib/logger.ts";
import { seededRandom } from "../lib/random.ts";
import { settle, VirtualClock } from "../lib/virtual-clock.ts";
import type { PluginDeps } from "./framework/default-plugins.ts";
import { DisruptionBudgets } from "./preemption/disruption-budgets.ts";
import { runScheduler, type SchedulerOptions } from "./scheduler.ts";
import { VolumeCatalog } from "./volumes/volume-catalog.ts";

/** What plugins share, over nothing: for decisions without an API server. */
export function emptyPluginDeps(of: Partial<PluginDeps> = {}): PluginDeps {
  const client = createClient(new MemoryTransport());
  const volumes = { client, clock: new VirtualClock(), catalog: new VolumeCatalog() };
  return { budgets: new DisruptionBudgets(), volumes, ...of };
}

/** A running scheduler over an API server in memory, and hands to move things with. */
export interface SchedulerBench extends AsyncDisposable {
  clock: VirtualClock;
  client: Client;
  memory: MemoryTransport;
  events: RecordedEvent[];
  node(name: string, cpu: string): Promise<Node>;
  pod(name: string, spec?: Partial<PodSpec>): Promise<Pod>;
  podOf(name: string): Promise<Pod>;
  placeOf(name: string): Promise<string | undefined>;
}

/** Starts one; disposing it checks that nothing was left behind. */
export function schedulerBench(
  more: Partial<SchedulerOptions> = {},
  memory: MemoryTransport = new MemoryTransport(),
): SchedulerBench {
  const clock = new VirtualClock();
  const client = createClient(memory);
  const random = seededRandom(5);
  const informers = createInformerFactory({ client, clock, random, logger: silentLogger });
  const events: RecordedEvent[] = [];
  const recorder = { record: (event: RecordedEvent) => void events.push(event) };
  const logger = silentLogger;
  const loop = runScheduler({
    client,
    informers,
    events: recorder,
    clock,
    random,
    logger,
    ...more,
  });
  const at = (name: string) => ({ name, namespace: "default" });
  return {
    clock,
    client,
    memory,
    events,
    node: (name, cpu) => {
      const allocatable = { cpu, memory: "8Gi", pods: "110" };
      return client.for(NODES).create({ metadata: { name }, spec: {}, status: { allocatable } });
    },
    pod: (name, spec = {}) => {
      const resources = { requests: { cpu: "1" } };
      const containers = [{ name: "c", image: "i", resources }];
      return client
        .for(PODS)
        .create({ metadata: at(name), spec: { containers, ...spec }, status: {} });
    },
    podOf: (name) => client.for(PODS).get(at(name)),
    placeOf: async (name) => (await client.for(PODS).get(at(name))).spec?.nodeName,
    async [Symbol.asyncDispose]() {
      loop[Symbol.dispose]();
      await informers[Symbol.asyncDispose]();
      await settle();
      assert.equal(clock.pendingTimers, 0);
      assert.equal(memory.openWatches, 0);
    },
  };
}
