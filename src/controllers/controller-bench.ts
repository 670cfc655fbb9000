import { type ControllerDefinition } from "../client/controller.ts";
import { runController } from "../client/controller-runner.ts";
import type { Client } from "../client/client.ts";
import type { RecordedEvent } from "../client/event-recorder.ts";
import { createInformerFactory } from "../client/informer-factory.ts";
import { MemoryTransport, type SeenRequest } from "../client/memory-transport.ts";
import { createClient } from "../client/resource-client.ts";
import { silentLogger } from "../lib/logger.ts";
import { seededRandom } from "../lib/random.ts";
import { VirtualClock } from "../lib/virtual-clock.ts";

/** Controllers at work on an API in memory and in virtual time, for tests. */
export interface ControllerBench extends AsyncDisposable {
  readonly client: Client;
  readonly clock: VirtualClock;
  readonly events: RecordedEvent[];
  /** Makes requests fail: what it returns is thrown. */
  refuse(failure: MemoryTransport["fail"]): void;
  /** Lets virtual time pass and everything settle; gives the writes that happened meanwhile. */
  settle(forMs?: number): Promise<SeenRequest[]>;
}

export function startControllerBench(...definitions: ControllerDefinition[]): ControllerBench {
  const clock = new VirtualClock();
  const memory = new MemoryTransport();
  const client = createClient(memory);
  const shared = { client, clock, random: seededRandom(3), logger: silentLogger };
  const informers = createInformerFactory(shared);
  const events: RecordedEvent[] = [];
  const recorder = { record: (event: RecordedEvent) => void events.push(event) };
  const deps = { ...shared, informers, events: recorder };
  const running = definitions.map((definition) => runController(definition, deps));
  return {
    client,
    clock,
    events,
    refuse(failure) {
      memory.fail = failure;
    },
    async settle(forMs = 5_000) {
      const from = memory.requests.length;
      await clock.advance(forMs);
      return memory.requests.slice(from).filter(({ method }) => method !== "GET");
    },
    async [Symbol.asyncDispose]() {
      for (const one of running) await one[Symbol.asyncDispose]();
      await informers[Symbol.asyncDispose]();
    },
  };
}
