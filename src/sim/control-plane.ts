import { StatusError } from "../api/errors.ts";
import { NAMESPACES } from "../api/generated/resources.ts";
import { createApiServer } from "../apiserver/api-server.ts";
import type { AdmissionPlugin, ObjectReader } from "../apiserver/contract.ts";
import { builtInControllers } from "../controllers/built-in.ts";
import { runGarbageCollector } from "../controllers/garbage-collector/garbage-collector.ts";
import type { Client } from "../client/client.ts";
import { runController } from "../client/controller-runner.ts";
import type { RecordedEvent } from "../client/event-recorder.ts";
import { createInformerFactory } from "../client/informer-factory.ts";
import { createClient } from "../client/resource-client.ts";
import { silentLogger } from "../lib/logger.ts";
import { seededRandom } from "../lib/random.ts";
import { VirtualClock } from "../lib/virtual-clock.ts";
import { runScheduler } from "../scheduler/scheduler.ts";
import { createMemoryStore } from "../store/memory/memory-store.ts";
import { FakeNodes } from "./fake-nodes.ts";

/** A whole control plane in this process: real server, controllers and scheduler, fake nodes. */
export interface ControlPlane extends AsyncDisposable {
  clock: VirtualClock;
  client: Client;
  nodes: FakeNodes;
  events: RecordedEvent[];
}

/** Starts one over an empty store; a seed replays it. */
export async function startControlPlane(options: { seed?: number } = {}): Promise<ControlPlane> {
  const clock = new VirtualClock();
  const random = seededRandom(options.seed ?? 1);
  const store = createMemoryStore();
  const logger = silentLogger;
  const server = await createApiServer({
    store,
    clock,
    random,
    logger,
    security: (reader) => ({
      authenticators: [],
      authorizer: { authorize: () => ({ allowed: true, reason: "" }) },
      admission: [closedWhileTerminating(reader)],
    }),
  });
  const client = createClient(server.transport({ name: "sim", groups: ["system:masters"] }));
  const informers = createInformerFactory({ client, clock, random, logger });
  const recorded: RecordedEvent[] = [];
  const events = { record: (event: RecordedEvent) => void recorded.push(event) };
  const deps = { client, informers, clock, random, logger, events };
  const definitions = builtInControllers({ client, caPem: "pem of the simulated cluster" });
  const controllers = definitions.map((definition) => runController(definition, deps));
  const collector = runGarbageCollector(deps);
  const scheduler = runScheduler(deps);
  const nodes = new FakeNodes({ client, informers, clock, logger });
  return {
    clock,
    client,
    nodes,
    events: recorded,
    async [Symbol.asyncDispose]() {
      nodes[Symbol.dispose]();
      scheduler[Symbol.dispose]();
      await collector[Symbol.asyncDispose]();
      for (const controller of controllers) await controller[Symbol.asyncDispose]();
      await informers[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
      await store[Symbol.asyncDispose]();
    },
  };
}

/** Nothing new comes into a namespace on its way out, or its deletion would never end. */
function closedWhileTerminating(reader: ObjectReader): AdmissionPlugin {
  return {
    name: "NamespaceLifecycle",
    handles: ({ operation, namespace }) => operation === "CREATE" && namespace !== undefined,
    validate({ namespace = "", subresource }) {
      const parent = reader.get(NAMESPACES, { name: namespace });
      if (subresource || !parent?.metadata?.deletionTimestamp) return;
      throw new StatusError("Forbidden", `namespace ${namespace} is being terminated`);
    },
  };
}
