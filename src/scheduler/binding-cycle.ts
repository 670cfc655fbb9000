import { StatusError } from "../api/errors.ts";
import { PODS } from "../api/generated/resources.ts";
import type { Client } from "../client/client.ts";
import { type Clock, sleep } from "../lib/clock.ts";
import type { Extender } from "./extender/extender.ts";
import type { EnabledPlugin } from "./framework/plan.ts";
import type { Placement, Refusal } from "./framework/contract.ts";

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
  plugins: readonly EnabledPlugin[];
  waiting: WaitingPods;
  /** An extender that binds in place of the scheduler. */
  binder?: Extender | undefined;
}

/** Takes what the decision promises, in the turn of the decision. Undone when one refuses. */
export function reserve(
  placement: Placement,
  plugins: readonly EnabledPlugin[],
): PlacementRefusedError | undefined {
  for (const { plugin } of plugins) {
    const refusal = plugin.reserve?.(placement);
    if (!refusal) continue;
    unreserve(placement, plugins);
    return new PlacementRefusedError(plugin.name, refusal);
  }
  return undefined;
}

/** Gives back what `reserve` took; plugins that took nothing ignore it. */
export function unreserve(placement: Placement, plugins: readonly EnabledPlugin[]): void {
  for (const { plugin } of plugins.toReversed()) plugin.unreserve?.(placement);
}

/**
 * Permit, PreBind, Bind and PostBind of a reserved placement.
 * @throws PlacementRefusedError, or whatever a plugin or the API server says
 */
export async function bind(placement: Placement, deps: BindingDeps): Promise<void> {
  const { plugins, waiting, clock } = deps;
  for (const { plugin } of plugins) {
    let permission = plugin.permit?.(placement);
    if (permission === undefined || permission === "allow") continue;
    if ("waitMs" in permission) {
      const { waitMs } = permission;
      permission = (await waiting.wait(placement.pod.uid, { waitMs, clock })) ?? "allow";
      if (permission === "allow") continue;
    }
    throw new PlacementRefusedError(plugin.name, permission);
  }
  for (const { plugin } of plugins) {
    const prepared = plugin.preBind?.(placement);
    if (prepared) await prepared;
  }
  for (const { plugin } of plugins) {
    const bound = plugin.bind?.(placement);
    if (!bound) continue;
    await bound;
    return postBind(placement, plugins);
  }
  if (deps.binder) await deps.binder.bind(placement.pod, placement.node);
  else await postBinding(placement, deps.client);
  postBind(placement, plugins);
}

function postBind(placement: Placement, plugins: readonly EnabledPlugin[]): void {
  for (const { plugin } of plugins) plugin.postBind?.(placement);
}

async function postBinding({ pod, node }: Placement, client: Client): Promise<void> {
  const { uid, name, namespace } = pod;
  try {
    await client.for(PODS).post({ name, namespace }, "binding", {
      apiVersion: "v1",
      kind: "Binding",
      metadata: { name, namespace, uid },
      target: { apiVersion: "v1", kind: "Node", name: node },
    });
  } catch (error) {
    if (!isUncertain(error)) throw error;
    const live = await client
      .for(PODS)
      .get({ name, namespace })
      .catch(() => undefined);
    if (live?.metadata?.uid !== uid || live.spec?.nodeName !== node) throw error;
  }
}

/** Whether the write may have happened all the same: only its answer was lost. */
function isUncertain(error: unknown): boolean {
  return !(error instanceof StatusError) || error.code >= 500;
}
