import { VALIDATING_WEBHOOK_CONFIGURATIONS } from "../../../api/generated/resources.ts";
import type { Resource } from "../../../api/resource.ts";
import type { AdmissionPlugin, AdmissionRequest, ServedKinds } from "../../contract.ts";
import type { ReviewedObjects } from "./admission-review.ts";
import { isExempt, type MatchParts, matchHook } from "./hook-match.ts";
import { HookSource } from "./hook-source.ts";
import { type CallerParts, callHook } from "./webhook-caller.ts";

/** Asks all validating webhooks at once; the first refusal in their order is the answer. */
export function validatingWebhooksPlugin(parts: MatchParts & CallerParts): AdmissionPlugin {
  const source = new HookSource(parts.reader, VALIDATING_WEBHOOK_CONFIGURATIONS);
  return {
    name: "ValidatingAdmissionWebhook",
    handles: (request) => source.hooks().length > 0 && !isExempt(request),
    validate: async (request) => {
      const wanted = source.hooks().flatMap((hook, index) => {
        const resource = matchHook(hook, request, parts);
        return resource ? [{ hook, index, resource }] : [];
      });
      if (wanted.length === 0) return;
      const objects = new ObjectVersions(request, parts.kinds);
      const calls = wanted.map(async ({ hook, index, resource }) => {
        const seen = await objects.as(resource);
        const place = { kind: "validating", round: 0, index } as const;
        await callHook(hook, { request, seen, place }, parts);
      });
      const outcomes = await Promise.allSettled(calls);
      const refusals = outcomes.filter((outcome) => outcome.status === "rejected");
      const [first, ...others] = refusals;
      for (const { reason } of others) {
        parts.logger.info("another webhook refused the same request", { error: reason as unknown });
      }
      if (first) throw first.reason;
    },
  };
}

/** The objects of a request in every version that a webhook wants them in, each made once. */
class ObjectVersions {
  readonly #request: AdmissionRequest;
  readonly #kinds: ServedKinds;
  readonly #made = new Map<Resource, Promise<ReviewedObjects>>();

  constructor(request: AdmissionRequest, kinds: ServedKinds) {
    this.#request = request;
    this.#kinds = kinds;
  }

  as(resource: Resource): Promise<ReviewedObjects> {
    let made = this.#made.get(resource);
    if (!made) this.#made.set(resource, (made = this.#make(resource)));
    return made;
  }

  async #make(resource: Resource): Promise<ReviewedObjects> {
    const { resource: from, object, oldObject } = this.#request;
    const convert = async (each: Record<string, unknown> | undefined) =>
      each && resource !== from ? await this.#kinds.convert(each, { from, to: resource }) : each;
    return { resource, object: await convert(object), oldObject: await convert(oldObject) };
  }
}
