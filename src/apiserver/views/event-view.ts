import type { KubeObject } from "../kube-object.ts";
import type { View } from "./view.ts";

/** Names of `v1` Events and of the same fields in `events.k8s.io/v1`. */
const NAMES: readonly (readonly [core: string, events: string])[] = [
  ["involvedObject", "regarding"],
  ["message", "note"],
  ["source", "deprecatedSource"],
  ["firstTimestamp", "deprecatedFirstTimestamp"],
  ["lastTimestamp", "deprecatedLastTimestamp"],
  ["count", "deprecatedCount"],
  ["reportingComponent", "reportingController"],
];
const TO_EVENTS = new Map(NAMES);
const TO_CORE = new Map(NAMES.map(([core, events]) => [events, core] as const));

function renamed(
  object: KubeObject,
  of: { apiVersion: string; names: ReadonlyMap<string, string> },
): KubeObject {
  const entries = Object.entries(object).map(([name, value]) => {
    return [of.names.get(name) ?? name, value] as const;
  });
  return { ...Object.fromEntries(entries), apiVersion: of.apiVersion } as KubeObject;
}

/** `events.k8s.io/v1` shows the Events of the core group under other field names. */
export const EVENT_VIEW: View = {
  storage: "core/events",
  storedAs: "v1",
  fromStored: (event) => renamed(event, { apiVersion: "events.k8s.io/v1", names: TO_EVENTS }),
  toStored: (event) => {
    const core = renamed(event, { apiVersion: "v1", names: TO_CORE });
    // Required in the core group, where the others are optional.
    core["involvedObject"] ??= {};
    return core;
  },
};
