import { StatusError } from "../api/errors.ts";
import { PODS } from "../api/generated/resources.ts";
import type { Client } from "../client/client.ts";
import { type Clock, sleep } from "../lib/clock.ts";
import type { Extender } from "./extender/extender.ts";
import type { BindingPlugins } from "./framework/binding-plugins.ts";
import type { Placement, Refusal, SchedulerPlugin } from "./framework/contract.ts";

/** Bindings on their way at once; the loop decides on no more pods while all are taken. */
export const BINDINGS_MAX = 1024;

/** A placement that a plugin turned down after the decision. */
export class PlacementRefusedError extends Error {
  override readonly name = "PlacementRefusedError";
  readonly plugin: string;

  constructor(plugin: string, { reasons }: Refusal) {
    super(reasons.join(", "));
    this.plugin = plugin;
  }
}

/** Pods that a Permit plugin holds; whoever knows the pod lets it go. */
export class WaitingPods {
  readonly #waiting = new Map<string, (refusal: Refusal | undefined) => void>();

  allow(uid: string): void {
    this.#waiting.get(uid)?.(undefined);
  }

  reject(uid: string, refusal: Refusal): void {
    this.#waiting.get(uid)?.(refusal);
  }

  /** Resolves with undefined when the pod may go. */
  wait(uid: string, of: { waitMs: number; clock: Clock }): Promise<Refusal | undefined> {
    return new Promise((resolve) => {
      const stop = new AbortController();
      this.#waiting.set(uid, (refusal) => {
        this.#waiting.delete(uid);
        stop.abort();
        resolve(refusal);
      });
      void sleep(of.clock, of.waitMs, stop.signal).then(() => {
        this.reject(uid, { reasons: ["rejected after waiting too long for permission"] });
      });
    });
  }
}

/** What a binding goes through. */
export interface BindingDeps {
  client: Client;
  clock: Clock;
  plugins: BindingPlugins;
  waiting: WaitingPods;
  /** An extender that binds in place of the scheduler. */
  binder?: Extender | undefined;
}

/** Takes what the decision promises, in the turn of the decision. Undone when one refuses. */
export function reserve(
  placement: Placement,
  plugins: BindingPlugins,
): PlacementRefusedError | undefined {
  for (const plugin of plugins.reserve) {
    const refusal = plugin.reserve?.(placement);
    if (!refusal) continue;
    unreserve(placement, plugins);
    return new PlacementRefusedError(plugin.name, refusal);
  }
  return undefined;
}

/** Gives back what `reserve` took; plugins that took nothing ignore it. */
export function unreserve(placement: Placement, plugins: BindingPlugins): void {
  for (const plugin of plugins.unreserve) plugin.unreserve?.(placement);
}

/**
 * Permit, PreBind, Bind and PostBind of a reserved placement.
 * @throws PlacementRefusedError, or whatever a plugin or the API server says
 */
export function bind(placement: Placement, deps: BindingDeps): Promise<unknown> {
  try {
    if (deps.plugins.permit.length === 0) return carryOut(placement, deps);
    return permit(placement, deps).then(() => carryOut(placement, deps));
  } catch (error) {
    return Promise.reject(error);
  }
}

function carryOut(placement: Placement, deps: BindingDeps): Promise<unknown> {
  const { preBind, postBind } = deps.plugins;
  const preparing = prepare(placement, { plugins: preBind, from: 0 });
  const writing = preparing ? preparing.then(() => write(placement, deps)) : write(placement, deps);
  if (postBind.length === 0) return writing;
  return writing.then(() => {
    for (const plugin of postBind) plugin.postBind?.(placement);
  });
}

/** One plugin after the other; a promise only when one has to be waited for. */
function prepare(
  placement: Placement,
  { plugins, from }: { plugins: readonly SchedulerPlugin[]; from: number },
): Promise<void> | undefined {
  for (let at = from; at < plugins.length; at++) {
    const prepared = plugins[at]?.preBind?.(placement);
    if (prepared) return prepared.then(() => prepare(placement, { plugins, from: at + 1 }));
  }
  return undefined;
}

/** @throws PlacementRefusedError when a plugin does not let the pod go */
async function permit(
  placement: Placement,
  { plugins, waiting, clock }: BindingDeps,
): Promise<void> {
  for (const plugin of plugins.permit) {
    let permission = plugin.permit?.(placement);
    if (permission === undefined || permission === "allow") continue;
    if ("waitMs" in permission) {
      const { waitMs } = permission;
      permission = (await waiting.wait(placement.pod.uid, { waitMs, clock })) ?? "allow";
      if (permission === "allow") continue;
    }
    throw new PlacementRefusedError(plugin.name, permission);
  }
}

/** The first that binds: a plugin, an extender, the scheduler itself. */
function write(placement: Placement, { plugins, binder, client }: BindingDeps): Promise<unknown> {
  for (const plugin of plugins.bind) {
    const bound = plugin.bind?.(placement);
    if (bound) return bound;
  }
  if (binder) return binder.bind(placement.pod, placement.node);
  const { uid, name, namespace } = placement.pod;
  const binding = {
    apiVersion: "v1",
    kind: "Binding",
    metadata: { name, namespace, uid },
    target: { apiVersion: "v1", kind: "Node", name: placement.node },
  };
  const posting = client.for(PODS).post({ name, namespace }, "binding", binding);
  return posting.catch((error: unknown) => lookAgain(placement, { client, error }));
}

/** @throws `error`, unless only the answer to the binding was lost */
async function lookAgain(
  { pod, node }: Placement,
  { client, error }: { client: Client; error: unknown },
): Promise<void> {
  const { uid, name, namespace } = pod;
  if (!isUncertain(error)) throw error;
  const live = await client
    .for(PODS)
    .get({ name, namespace })
    .catch(() => undefined);
  if (live?.metadata?.uid !== uid || live.spec?.nodeName !== node) throw error;
}

/** Whether the write may have happened all the same: only its answer was lost. */
function isUncertain(error: unknown): boolean {
  return !(error instanceof StatusError) || error.code >= 500;
}
