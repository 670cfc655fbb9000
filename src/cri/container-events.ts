import type * as cri from "../format/cri/generated.ts";
import type { Outgoing } from "../format/protobuf/message-codec.ts";
import { GrpcError } from "../format/grpc/grpc-status.ts";

/** What happened to a container or sandbox, with its state afterwards. */
export type ContainerEvent = Outgoing<cri.ContainerEventResponse>;

/** Tells every subscriber of every event. */
export interface ContainerEvents {
  publish(event: ContainerEvent): void;
  /** @throws GrpcError "resource-exhausted" to a subscriber that does not keep up */
  subscribe(signal: AbortSignal): AsyncGenerator<ContainerEvent>;
}

const WAITING_MAX = 1000;

interface Subscriber {
  waiting: ContainerEvent[];
  lagged: boolean;
  wake: () => void;
}

/** Without subscribers, nothing is kept. */
export function createContainerEvents(): ContainerEvents {
  const subscribers = new Set<Subscriber>();
  return {
    publish(event) {
      for (const subscriber of subscribers) {
        if (subscriber.waiting.length < WAITING_MAX) subscriber.waiting.push(event);
        else subscriber.lagged = true;
        subscriber.wake();
      }
    },
    async *subscribe(signal) {
      const subscriber: Subscriber = { waiting: [], lagged: false, wake: () => {} };
      subscribers.add(subscriber);
      signal.addEventListener("abort", () => subscriber.wake());
      try {
        while (!signal.aborted) {
          yield* subscriber.waiting.splice(0);
          if (subscriber.lagged) throw new GrpcError("resource-exhausted", TOO_SLOW);
          if (subscriber.waiting.length > 0 || signal.aborted) continue;
          await new Promise<void>((resolve) => {
            subscriber.wake = resolve;
          });
        }
      } finally {
        subscribers.delete(subscriber);
      }
    },
  };
}

const TOO_SLOW = "events were lost as they were not read: list the containers and subscribe again";
