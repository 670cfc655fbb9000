import type { PolicyRule } from "../api/generated/types/rbac-v1.ts";
import type { Resource } from "../api/resource.ts";
import type { Clock } from "../lib/clock.ts";
import type { Logger } from "../lib/logger.ts";
import type { Random } from "../lib/random.ts";
import type { Client, ObjectRef } from "./client.ts";
import type { EventRecorder } from "./event-recorder.ts";
import type { InformerOptions, Lister } from "./informer.ts";

/** A kind that a controller reads, and which keys of its own kind a change of it concerns. */
export interface Input<T> {
  resource: Resource<T>;
  /** Keys to reconcile when `object` changes; both old and new state are asked on an update. */
  keysOf(object: T, listers: ListerLookup): readonly ObjectRef[];
  /** Extra indexes for `Lister.byIndex`. */
  indexes?: Readonly<Record<string, (object: T) => readonly string[]>>;
  options?: InformerOptions;
}

/** What a controller may do to what it writes. */
export type OutputVerb =
  | "create"
  | "update"
  | "patch"
  | "delete"
  | "deletecollection"
  | "escalate"
  | "approve"
  | "sign";

/** Finds the lister of any declared input inside `keysOf`. */
export interface ListerLookup {
  of<T>(resource: Resource<T>): Lister<T>;
}

/** A kind that a controller writes; its RBAC role is generated from this. */
export interface Output {
  resource: Resource;
  /** "escalate" lets it write roles that hold more than its own; RBAC wants that said. */
  verbs: readonly OutputVerb[];
  subresources?: readonly string[];
  /** Only objects of these names; reading is not implied. */
  names?: readonly string[];
}

// biome-ignore lint/suspicious/noExplicitAny: variance of a map of differently typed inputs
// oxlint-disable-next-line typescript/no-explicit-any
export type Inputs = Readonly<Record<string, Input<any>>>;

/** The object type that an input carries. */
export type InputObject<I> = I extends Input<infer T> ? T : never;

/** Everything a reconcile may touch. Reading a kind that is not an input throws. */
export interface ReconcileContext<I extends Inputs> {
  readonly inputs: { readonly [Name in keyof I]: Lister<InputObject<I[Name]>> };
  readonly client: Client;
  readonly events: EventRecorder;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  /** Asks for another reconcile of `key` after `delayMs`, or at once. */
  enqueue(key: ObjectRef, delayMs?: number): void;
}

/**
 * A controller as data. `reconcile` makes one object true: it is never run twice at once for the
 * same key. Throwing retries with exponential back-off, a `TerminalError` does not retry, a
 * returned `requeueAfterMs` runs it again after that time. It must be a no-op at its fixpoint.
 */
export interface ControllerDefinition<I extends Inputs = Inputs> {
  name: string;
  inputs: I;
  outputs: readonly Output[];
  /**
   * Access to kinds that are known only at run time, beside inputs and outputs. With it
   * `client.transport` may be used.
   */
  undeclared?: readonly PolicyRule[];
  /** Keys reconciled at once; defaults to 4. */
  workers?: number;
  reconcile(context: ReconcileContext<I>, key: ObjectRef): Promise<ReconcileResult | void>;
}

/** How a successful reconcile wants to go on. */
export interface ReconcileResult {
  requeueAfterMs?: number;
}

/** Checks and returns the definition; inference gives `reconcile` its typed listers. */
export function defineController<const I extends Inputs>(
  definition: ControllerDefinition<I>,
): ControllerDefinition<I> {
  return definition;
}

/** Typed spelling of one entry of `inputs`. */
export function input<T>(
  resource: Resource<T>,
  keysOf: Input<T>["keysOf"],
  more: Pick<Input<T>, "indexes" | "options"> = {},
): Input<T> {
  return { resource, keysOf, ...more };
}

/** The failure will not go away by trying again; it is logged and counted, not retried. */
export class TerminalError extends Error {
  override name = "TerminalError";
}
