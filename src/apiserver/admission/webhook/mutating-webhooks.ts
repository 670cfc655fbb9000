import { StatusError } from "../../../api/errors.ts";
import { MUTATING_WEBHOOK_CONFIGURATIONS } from "../../../api/generated/resources.ts";
import type { Resource } from "../../../api/resource.ts";
import { deepEqual } from "../../../lib/deep-equal.ts";
import { copyJson } from "../../../lib/json-copy.ts";
import { applyJsonPatch, parseJsonPatch } from "../../../lib/json-patch.ts";
import type { AdmissionPlugin, AdmissionRequest, MutationResult } from "../../contract.ts";
import { subresourceFacts } from "../../discovery/subresource-kinds.ts";
import { isExempt, type MatchParts, matchHook } from "./hook-match.ts";
import { type Hook, HookSource } from "./hook-source.ts";
import { type CallerParts, callHook } from "./webhook-caller.ts";
import { internal } from "./webhook-errors.ts";

type Parts = MatchParts & CallerParts;
type Json = Record<string, unknown>;

/** What copy operations may add up to, in characters: without a bound each doubles the object. */
const COPY_MAX = 3 * 1024 * 1024;

/** What is remembered of a request between its two rounds. */
interface Rounds {
  /** Called so far, and willing to be called again. */
  called: Set<string>;
  /** To be called again, as somebody changed what they had seen. */
  again: Set<string>;
  /** The object as the last webhook left it. */
  output: Json | undefined;
}

/** Shows the object to one mutating webhook after the other and applies their patches. */
export function mutatingWebhooksPlugin(parts: Parts): AdmissionPlugin {
  const source = new HookSource(parts.reader, MUTATING_WEBHOOK_CONFIGURATIONS);
  const known = new WeakMap<AdmissionRequest, Rounds>();
  return {
    name: "MutatingAdmissionWebhook",
    handles: (request) => source.hooks().length > 0 && !isExempt(request),
    mutate: (request) => {
      let rounds = known.get(request);
      if (!rounds) {
        rounds = { called: new Set(), again: new Set(), output: undefined };
        known.set(request, rounds);
      } else if (request.reinvoked && !deepEqual(rounds.output, request.object)) {
        recallAll(rounds);
      }
      return new MutatingRound(request, rounds, parts).run(source.hooks());
    },
  };
}

function recallAll(rounds: Rounds): void {
  for (const id of rounds.called) rounds.again.add(id);
  rounds.called.clear();
}

/** One pass over all webhooks. */
class MutatingRound {
  readonly #request: AdmissionRequest;
  readonly #rounds: Rounds;
  readonly #parts: Parts;
  /** The object in the version that the last webhook saw it in. */
  #object: Json | undefined;
  #resource: Resource;
  #changed = false;

  constructor(request: AdmissionRequest, rounds: Rounds, parts: Parts) {
    this.#request = request;
    this.#rounds = rounds;
    this.#parts = parts;
    this.#object = request.object;
    this.#resource = request.resource;
  }

  async run(hooks: readonly Hook[]): Promise<MutationResult> {
    const { resource } = this.#request;
    for (const [index, hook] of hooks.entries()) await this.#consider(hook, index);
    if (this.#changed && this.#object && this.#request.object) {
      const { kinds } = this.#parts;
      const from = this.#resource;
      const object =
        from === resource
          ? this.#object
          : await kinds.convert(this.#object, { from, to: resource });
      replaceContents(this.#request.object, object);
    }
    this.#rounds.output = this.#request.object && copyJson(this.#request.object);
    return this.#changed ? "changed" : undefined;
  }

  async #consider(hook: Hook, index: number): Promise<void> {
    const request = this.#request;
    const now = this.#object === request.object ? request : { ...request, ...this.#current() };
    const resource = matchHook(hook, now, this.#parts);
    if (!resource) return;
    if (request.reinvoked && !this.#rounds.again.has(hook.id)) return;
    await this.#convertTo(resource);
    const before = this.#object;
    const round = request.reinvoked ? 1 : 0;
    const place = { kind: "mutating", round, index } as const;
    const { oldObject, resource: from } = request;
    const old =
      oldObject && resource !== from
        ? await this.#parts.kinds.convert(oldObject, { from, to: resource })
        : oldObject;
    const seen = { resource, object: before, oldObject: old };
    const verdict = await callHook(hook, { request, seen, place }, this.#parts);
    const changed = verdict?.patch ? this.#apply(hook, verdict.patch) : false;
    this.#annotate(hook, { ...place, changed });
    if (changed) {
      this.#changed = true;
      recallAll(this.#rounds);
    }
    if (hook.webhook.reinvocationPolicy === "IfNeeded") this.#rounds.called.add(hook.id);
  }

  /** Selectors and conditions look at what earlier webhooks made of the object. */
  #current(): Partial<AdmissionRequest> {
    return this.#object && this.#resource === this.#request.resource
      ? { object: this.#object }
      : {};
  }

  async #convertTo(resource: Resource): Promise<void> {
    if (resource === this.#resource || !this.#object) return;
    const { kinds } = this.#parts;
    this.#object = await kinds.convert(this.#object, { from: this.#resource, to: resource });
    this.#resource = resource;
  }

  /** Whether the patch changed anything. @throws StatusError InternalError */
  #apply(hook: Hook, base64: string): boolean {
    const before = this.#object;
    const { resource } = this;
    try {
      const patch = parseJsonPatch(JSON.parse(Buffer.from(base64, "base64").toString()));
      if (patch.length === 0) return false;
      if (!before) {
        throw new Error(
          `admission webhook ${JSON.stringify(hook.name)} attempted to modify the object, ` +
            "which is not supported for this operation",
        );
      }
      const patched = applyJsonPatch(before, patch, { copySizeMax: COPY_MAX }) as Json;
      const after = hasOwnKind(resource, this.#request.subresource)
        ? copyJson(patched)
        : this.#parts.kinds.decode(resource, patched);
      if (deepEqual(before, after)) return false;
      this.#object = after;
      return true;
    } catch (error) {
      const why = error instanceof StatusError || error instanceof Error ? error.message : "";
      throw internal(why, error);
    }
  }

  get resource(): Resource {
    return this.#resource;
  }

  #annotate(hook: Hook, at: { round: number; index: number; changed: boolean }): void {
    const { configuration, name: webhook } = hook;
    const key = `mutation.webhook.admission.k8s.io/round_${at.round}_index_${at.index}`;
    const value = JSON.stringify({ configuration, webhook, mutated: at.changed });
    this.#request.annotate?.(key, value);
  }
}

/** Whether the body of the subresource is of another kind than its parent. */
function hasOwnKind({ plural }: Resource, subresource: string | undefined): boolean {
  return subresource !== undefined && subresourceFacts(plural, subresource).kind !== undefined;
}

/** Gives `target` the fields of `source`; it and its metadata stay the same objects. */
function replaceContents(target: Json, source: Json): void {
  const metadata = target["metadata"];
  if (isObject(metadata) && isObject(source["metadata"])) {
    replaceFields(metadata, source["metadata"]);
    replaceFields(target, { ...source, metadata });
  } else {
    replaceFields(target, source);
  }
}

function replaceFields(target: Json, source: Json): void {
  for (const key of Object.keys(target)) if (!(key in source)) delete target[key];
  Object.assign(target, source);
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null;
}
