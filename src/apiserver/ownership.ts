import { type FieldSet, fieldSetOf } from "../api/apply/field-set.ts";
import { updateManagedFields } from "../api/apply/managed-fields.ts";
import {
  applyServerSide,
  type ObjectView,
  withManagedFields,
} from "../api/apply/server-side-apply.ts";
import type { AskedSpec } from "../api/common-spec.ts";
import { type Clock, formatTime } from "../lib/clock.ts";
import { deepEqual } from "../lib/deep-equal.ts";
import { copyJson } from "../lib/json-copy.ts";
import type { KubeObject } from "./kube-object.ts";
import { type Call, fieldManagerOf } from "./rest/call.ts";

/**
 * The object with managedFields that record what the caller's manager changed. It is what the
 * client wants, before admission and before its kind completes it: nobody owns what those add.
 */
export function recordOwnership(
  clock: Clock,
  call: Call,
  of: { object: KubeObject; old?: KubeObject; asked?: AskedSpec | undefined },
): KubeObject {
  const { model, struct, cache } = call.served;
  if (!model || !struct) return of.object;
  const entries = updateManagedFields({
    before: of.old,
    after: of.object,
    manager: fieldManagerOf(call),
    subresource: call.target.subresource,
    timeText: formatTime(clock.now()),
    model,
    struct,
    asked: of.asked,
    skip: unownedFields(call),
    unite: (set, added) => cache.managers.union(set, added),
    leaf: (leaf) => cache.managers.leaf(leaf),
  });
  return withManagedFields(of.object, entries) as unknown as KubeObject;
}

/**
 * What changes nothing does not change when its owners wrote it either: what was applied may lack
 * defaults, so that only now, when they are there, is it seen to be what was there before.
 */
export function withOldTimes(next: KubeObject, old: KubeObject): KubeObject {
  const kept = old.metadata.managedFields ?? [];
  const entries = next.metadata.managedFields ?? [];
  const isSame = entries.every((entry) =>
    kept.some((other) => deepEqual({ ...entry, time: other.time }, other)),
  );
  if (!isSame || entries.length !== kept.length || kept.length === 0) return next;
  const { resourceVersion: _, ...before } = old.metadata;
  const { resourceVersion: wanted, ...after } = next.metadata;
  const metadata = { ...after, managedFields: kept };
  if (!deepEqual({ ...next, metadata }, { ...old, metadata: before })) return next;
  return {
    ...next,
    metadata: wanted === undefined ? metadata : { ...metadata, resourceVersion: wanted },
  };
}

function unownedFields({ served, target }: Call): FieldSet | undefined {
  return served.strategy.unowned?.[target.subresource ?? ""];
}

/** The number of replicas is what a scale shows of its object. */
function viewOf({ served, target }: Call): ObjectView | undefined {
  if (target.subresource !== "scale") return undefined;
  const path = served.scale?.wanted ?? ["spec", "replicas"];
  return { apiVersion: "autoscaling/v1", fields: fieldSetOf(path.map((name) => `f:${name}`)) };
}

/** What a client applies to the stored object. */
export interface Configuration {
  /** What it says, to the letter. */
  applied: KubeObject;
  /** The same as objects keep it. */
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
    skip: unownedFields(call),
    view: viewOf(call),
    model,
    struct,
  });
  const object = copyJson(merged) as unknown as KubeObject;
  codec.setDefaults(object);
  return object;
}
