import type { Client } from "../../client/client.ts";
import type { FakeNodes } from "../fake-nodes.ts";

/** What users do to a cluster, and when; what must come of it does not depend on any fault. */
export interface Scenario {
  name: string;
  /** Several scenarios may be played at once, each in a namespace of this name. */
  namespace: string;
  /** The parts that act in it: those that are worth to be killed, blinded and refused. */
  parts: readonly string[];
  /** Acts at fixed times, so that every run means the same in the end. */
  play(stage: Stage): Promise<void>;
  /** Looks at the end for more than equality with the undisturbed run. */
  end?(stage: Stage, breach: (text: string) => void): Promise<void>;
}

/** Where a scenario is played: two nodes are there, and nothing happens to its own requests. */
export interface Stage {
  readonly nodes: FakeNodes;
  readonly client: Client;
  /** The scenario's own, empty in the beginning. */
  readonly namespace: string;
  wait(ms: number): Promise<void>;
  /** Waits until the user sees so many pods that are ready; faults only make it later. */
  untilReady(count: number, labelSelector?: string): Promise<void>;
}
