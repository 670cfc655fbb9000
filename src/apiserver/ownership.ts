import { updateManagedFields } from "../api/apply/managed-fields.ts";
import { applyServerSide, withManagedFields } from "../api/apply/server-side-apply.ts";
import { type Clock, formatTime } from "../lib/clock.ts";
import { copyJson } from "../lib/json-copy.ts";
import type { KubeObject } from "./kube-object.ts";
import { type Call, fieldManagerOf } from "./rest/call.ts";

/** The object with managedFields that record what the caller's manager changed. */
export function recordOwnership(
  clock: Clock,
  call: Call,
  of: { object: KubeObject; old?: KubeObject },
): KubeObject {
  const { model, struct } = call.served;
  if (!model || !struct) return of.object;
  // What is new came into being just now.
  const created = of.old ? undefined : of.object.metadata.creationTimestamp;
  const entries = updateManagedFields({
    before: of.old,
    after: of.object,
    manager: fieldManagerOf(call),
    subresource: call.target.subresource,
    timeText: created ?? formatTime(clock.now()),
    model,
    struct,
  });
  return withManagedFields(of.object, entries) as unknown as KubeObject;
}

/** What a client applies to the stored object. */
export interface Configuration {
  /** What it says, with values that objects do not keep because they are empty. */
  applied: KubeObject;
  /** The same without those. */
  values: KubeObject;
  old?: KubeObject;
}

/** Server-side apply of what a client sent to the stored object, or to nothing. */
export function applyConfiguration(clock: Clock, call: Call, of: Configuration): KubeObject {
  const { model, struct, codec } = call.served;
  if (!model || !struct) return of.values;
  const merged = applyServerSide({
    live: of.old,
    applied: of.applied,
    values: of.values,
    manager: fieldManagerOf(call),
    force: call.query.flag("force"),
    subresource: call.target.subresource,
    timeText: formatTime(clock.now()),
    model,
    struct,
  });
  const object = copyJson(merged) as unknown as KubeObject;
  codec.setDefaults(object);
  return object;
}
