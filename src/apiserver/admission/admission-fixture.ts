import type { Resource } from "../../api/resource.ts";
import type { Clock } from "../../lib/clock.ts";
import type { AdmissionPlugin, AdmissionRequest, UserInfo } from "../contract.ts";

/** Noon of a day in 2026; nothing in tests depends on the machine's clock. */
export const FIXTURE_NOW: number = Date.UTC(2026, 5, 1, 12);

/** A clock that stands still but whose timers fire at once. */
export const stillClock: Clock = {
  now: () => FIXTURE_NOW,
  monotonicMs: () => 0,
  setTimer: (_delayMs, fire) => {
    setImmediate(fire);
    return { cancel: () => {} };
  },
};

/** A request as the server would make it, with a record of its warnings. */
export interface FixtureRequest extends AdmissionRequest {
  warnings: string[];
}

/** Builds a request; the namespace is "a" for namespaced kinds. */
export function fixtureRequest<T>(
  resource: Resource<T>,
  object: T,
  more: {
    operation?: AdmissionRequest["operation"];
    subresource?: string;
    user?: UserInfo;
    old?: T;
    namespace?: string;
    name?: string;
    dryRun?: boolean;
  } = {},
): FixtureRequest {
  const { operation = "CREATE", user = { name: "jane", groups: [] }, old } = more;
  const { name = "" } = (object as { metadata?: { name?: string } } | undefined)?.metadata ?? {};
  const warnings: string[] = [];
  return {
    operation,
    resource,
    name: more.name ?? name,
    user,
    dryRun: more.dryRun ?? false,
    warnings,
    warn: (text) => warnings.push(text),
    ...(more.subresource ? { subresource: more.subresource } : {}),
    ...(resource.namespaced ? { namespace: more.namespace ?? "a" } : {}),
    ...(object === undefined ? {} : { object: object as Record<string, unknown> }),
    ...(old === undefined ? {} : { oldObject: old as Record<string, unknown> }),
  };
}

/** Runs a plugin as the server does; a plugin that does not care lets everything pass. */
export async function admit(plugin: AdmissionPlugin, request: FixtureRequest): Promise<string[]> {
  if (plugin.handles(request)) {
    await plugin.mutate?.(request);
    await plugin.validate?.(request);
  }
  return request.warnings;
}
