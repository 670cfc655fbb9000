import type { ManagedFieldsEntry } from "../../api/apply/managed-fields.ts";
import { conflict, invalid, StatusError } from "../../api/errors.ts";
import { formatTime } from "../../lib/clock.ts";
import { spliceResourceVersion } from "../../format/json-canonical.ts";
import { deepEqual } from "../../lib/deep-equal.ts";
import { copyJson } from "../../lib/json-copy.ts";
import type { Engine } from "../engine.ts";
import type { KubeObject } from "../kube-object.ts";
import { withOldTimes } from "../ownership.ts";
import type { ServedResource } from "../resource-registry.ts";
import { emptyStatusOf } from "../strategy/empty-status.ts";
import type { CachedObject } from "../watch-cache/cached-object.ts";
import { admissionRequestOf, mutate, validate } from "./admission.ts";
import { type Answer, type Call, isDryRun } from "./call.ts";
import { answerWith, bindToPath, insertObject, warn } from "./create.ts";
import { decodeBody } from "./decode-body.ts";
import {
  answerUnchanged,
  changeCurrent,
  isContentOf,
  isOfSameSize,
  servedState,
  STALE,
} from "./current-state.ts";
import { NEXT_STEP } from "./next-step.ts";
import { keepReadableManagers } from "./readable-managers.ts";
import { AFTER_ADMISSION, dropRepeatedOwners } from "./repeated-owners.ts";
import { checkStoredSize } from "./stored-size.ts";

/** How an update comes about. */
export interface UpdatePlan {
  /** Builds the wanted object, a new one, from the stored one; called again after a lost race. */
  wanted(old: KubeObject): KubeObject | Promise<KubeObject>;
  /** Which part of the object may change; the default is everything but status. */
  scope?: UpdateScope;
  /** What to do when there is no such object; the default is 404. */
  create?(): Promise<Answer>;
  /** Admission has seen the request in another form. */
  admitted?: boolean;
  /** `wanted` already wrote managedFields (server-side apply). */
  managed?: boolean;
  /** `wanted` comes from a patch: what it may not change is refused as such. */
  patched?: boolean;
  /** A race that is lost because the caller's own resourceVersion is old is never retried. */
  unconditional?: boolean;
}

/** Merges what a subresource may change into the stored object. */
export type UpdateScope = (wanted: KubeObject, old: KubeObject) => KubeObject;

/** PUT of an object or of its status. */
export async function replaceObject(
  engine: Engine,
  call: Call,
  scope?: UpdateScope,
): Promise<Answer> {
  const { served } = call;
  const object = decodeBody(call);
  checkPath(call, object);
  bindToPath(call, object);
  const creates = served.strategy.createOnUpdate && !call.target.subresource;
  return updateObject(engine, call, {
    wanted: () => {
      requireVersion(served, object);
      return copyJson(object);
    },
    ...(scope ? { scope } : {}),
    ...(creates ? { create: () => createReplaced(engine, call, object) } : {}),
  });
}

/** PUT of what is not there: no uid can match, and any version is none. */
function createReplaced(engine: Engine, call: Call, object: KubeObject): Promise<Answer> {
  const { uid, name = "" } = object.metadata;
  if (uid) throw uidConflict(call, { name, wanted: uid, current: "" });
  delete object.metadata.resourceVersion;
  return insertObject(engine, call, object);
}

/** Refuses to overwrite what the client may not have seen; a new object needs no version. */
function requireVersion({ strategy, resource }: ServedResource, { metadata }: KubeObject): void {
  if (metadata.resourceVersion || strategy.unconditionalUpdate) return;
  // Upstream names the resource here, where refusals otherwise name the kind.
  throw invalid({ group: resource.group, kind: resource.plural }, metadata.name ?? "", [
    {
      reason: "FieldValueInvalid",
      message: "Invalid value: 0x0: must be specified for an update",
      field: "metadata.resourceVersion",
    },
  ]);
}

/** Reads, changes and writes one object, as often as others interfere. */
export function updateObject(engine: Engine, call: Call, plan: UpdatePlan): Promise<Answer> {
  return changeCurrent(engine, call, {
    change: (current) => updateOnce(engine, call, { plan, current }),
    absent: plan.create,
  });
}

/** Subresources through which a status comes in. */
const WITH_STATUS: ReadonlySet<string | undefined> = new Set(["status", "approval"]);

async function updateOnce(
  engine: Engine,
  call: Call,
  { plan, current }: { plan: UpdatePlan; current: CachedObject },
): Promise<Answer> {
  const { served } = call;
  const state = servedState(served, current);
  const old = state instanceof Promise ? await state : state;
  const asked = plan.wanted(old);
  const wanted = asked instanceof Promise ? await asked : asked;
  await NEXT_STEP;
  checkPath(call, wanted);
  if (plan.patched || plan.managed) checkPatchedUid(served, wanted, old);
  checkPreconditions(call, wanted, old);
  let next = plan.scope ? plan.scope(wanted, old) : mainScope(served, wanted, old);
  carryMeta(next, old);
  dropRepeatedOwners(call, next.metadata, plan.patched ? AFTER_ADMISSION : "");
  if (!plan.managed) next = engine.manage(call, { object: next, old });
  const { managedFields } = next.metadata;
  const { subresource } = call.target;
  const context = { user: call.user, nowMs: engine.clock.now(), subresource };
  if (!plan.scope) served.strategy.prepareUpdate?.(next, old, context);
  else if (WITH_STATUS.has(subresource)) {
    served.strategy.prepareStatus?.(next, old, context);
  }
  const request = admissionRequestOf(call, { operation: "UPDATE", object: next, oldObject: old });
  const mutating = !plan.admitted && mutate(engine.admission, request);
  if (mutating instanceof Promise ? await mutating : mutating) {
    // Outsiders may change no more than the client could have.
    checkIdentity(served, next, old);
    next = plan.scope ? plan.scope(next, old) : mainScope(served, next, old);
    carryMeta(next, old);
    if (!plan.scope) served.strategy.prepareUpdate?.(next, old, context);
    keepReadableManagers(call, next.metadata, managedFields);
    dropRepeatedOwners(call, next.metadata, AFTER_ADMISSION);
    request.object = next;
  }
  served.codec.setDefaults(next);
  moveGeneration(served, { next, old, whole: !plan.scope });
  const allocation = engine.serviceNetwork.reallocate(served, next, old);
  try {
    served.validateUpdate(next, old, call.target.subresource);
    if (!plan.scope) warn(call, next, { old });
    const validating = plan.admitted ? undefined : validate(engine.admission, request);
    await (validating ?? NEXT_STEP);
    if (plan.managed) next = withOldTimes(next, old);
    return await storeUpdate(engine, call, { next, old, current, kept: () => allocation.commit() });
  } finally {
    allocation.release();
  }
}

async function storeUpdate(
  engine: Engine,
  call: Call,
  of: { next: KubeObject; old: KubeObject; current: CachedObject; kept: () => void },
): Promise<Answer> {
  const { served } = call;
  const { old, current } = of;
  if (isDryRun(call)) {
    of.next.metadata.resourceVersion = String(current.revision);
    return { kind: "value", status: 200, value: of.next };
  }
  const { conversion, codec, cache } = served;
  const next = conversion ? withoutVersion(of.next) : of.next;
  const managers = cache.managers.textOf(next.metadata.managedFields as ManagedFieldsEntry[]);
  const isSpliced = !conversion && served.splice === spliceResourceVersion;
  const bytes = codec.encode(conversion ? await conversion.toStored(next) : next, {
    managers,
    from: isSpliced ? { before: old, bytes: current.bytes } : undefined,
  });
  if (isGone(served, next)) {
    // The last finalizer went: this update is the removal, and answers with what it removed.
    const { key, revision } = current;
    const removed = await engine.store.delete(served.storage, key, revision);
    engine.serviceNetwork.released(served, next);
    return answerWith(served, { stored: { ...removed, bytes }, status: 200 });
  }
  const isUnchanged = isSame(served, bytes, { current, next, old });
  if (isUnchanged && !engine.store.isStale(served.storage, current.key)) {
    return answerUnchanged(served, { current, status: 200 });
  }
  checkStoredSize(bytes);
  if (!conversion) served.cache.expect(bytes, { object: next });
  const expectedRevision = current.revision;
  const write = { bytes, expectedRevision };
  const stored = await engine.store.update(served.storage, current.key, write);
  of.kept();
  const answer = answerWith(served, { stored, status: 200 });
  return answer instanceof Promise ? await answer : answer;
}

/** Whether the write would change nothing: such a write is not made, and moves no revision. */
function isSame(
  served: ServedResource,
  bytes: Uint8Array,
  { current, next, old }: { current: CachedObject; next: KubeObject; old: KubeObject },
): boolean {
  if (!isOfSameSize(served, bytes, current)) return false;
  if (isContentOf(served, bytes, current)) return true;
  return deepEqual(withoutVersion(next), withoutVersion(old));
}

/** Copied: an object that a member was deleted from is slow from then on. */
function withoutVersion(object: KubeObject): KubeObject {
  const { resourceVersion: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}

/** Whether nothing holds an object back whose deletion has begun. */
export function isGone(served: ServedResource, object: KubeObject): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds, finalizers } = object.metadata;
  if (!deletionTimestamp || (deletionGracePeriodSeconds ?? 0) > 0) return false;
  return !finalizers?.length && !served.strategy.holdsBack?.(object);
}

/** @throws StatusError Invalid for an object that became another one */
function checkIdentity(served: ServedResource, next: KubeObject, old: KubeObject): void {
  const causes = (["name", "namespace", "uid"] as const).flatMap((field) => {
    const value = next.metadata[field];
    if (value === old.metadata[field]) return [];
    const message = `Invalid value: ${JSON.stringify(value ?? "")}: field is immutable`;
    return [{ reason: "FieldValueInvalid", message, field: `metadata.${field}` }];
  });
  if (causes.length > 0) throw served.invalid(old.metadata.name ?? "", causes);
}

/** What was sent must be of the path that it was sent to. */
export function checkPath(
  { served, target }: Call,
  object: KubeObject,
  { nameless = false }: { nameless?: boolean } = {},
): void {
  const { name = "", namespace } = object.metadata;
  if (namespace && served.resource.namespaced && namespace !== target.namespace) {
    throw new StatusError(
      "BadRequest",
      "the namespace of the provided object does not match the namespace sent on the request",
    );
  }
  if (name === "" && !nameless) {
    throw new StatusError(
      "BadRequest",
      `the name of the object (${target.name} based on URL) was undeterminable: ` +
        "name must be provided",
    );
  }
  if (name !== "" && name !== target.name) {
    throw new StatusError(
      "BadRequest",
      `the name of the object (${name}) does not match the name on the URL (${target.name})`,
    );
  }
}

/** In an object that is sent whole a uid counts as a precondition. */
function checkPatchedUid(served: ServedResource, wanted: KubeObject, old: KubeObject): void {
  const { uid } = wanted.metadata;
  if (uid === undefined || uid === old.metadata.uid) return;
  throw served.invalid(old.metadata.name ?? "", [
    {
      reason: "FieldValueInvalid",
      message: `Invalid value: ${JSON.stringify(uid)}: field is immutable`,
      field: "metadata.uid",
    },
  ]);
}

function checkPreconditions(call: Call, wanted: KubeObject, old: KubeObject): void {
  const { uid, resourceVersion } = wanted.metadata;
  const current = old.metadata;
  const { name = "" } = current;
  if (uid && uid !== current.uid) {
    throw uidConflict(call, { name, wanted: uid, current: current.uid ?? "" });
  }
  if (resourceVersion && resourceVersion !== "0" && resourceVersion !== current.resourceVersion) {
    throw conflict(call.served.resource, name, STALE);
  }
}

function uidConflict(
  { served }: Call,
  { name, wanted, current }: { name: string; wanted: string; current: string },
): StatusError {
  const why = `Precondition failed: UID in precondition: ${wanted}, UID in object meta: ${current}`;
  return conflict(served.resource, name, why);
}

/** The main endpoint does not touch status where that is a subresource. */
function mainScope(served: ServedResource, wanted: KubeObject, old: KubeObject): KubeObject {
  const next: KubeObject = { ...wanted, metadata: { ...wanted.metadata } };
  if (!served.hasStatus) return next;
  if (old["status"] === undefined) delete next["status"];
  else next["status"] = copyJson(old["status"]);
  return next;
}

/** Makes fields of `to` what they are in `from`, absence too. */
export function carryFields(
  to: KubeObject["metadata"],
  from: KubeObject["metadata"],
  fields: readonly (keyof KubeObject["metadata"])[],
): void {
  const target = to as Record<string, unknown>;
  const source = from as Record<string, unknown>;
  for (const field of fields) {
    const value = source[field];
    if (value !== undefined) target[field] = value;
    else if (field in target) delete target[field];
  }
}

/**
 * Server-owned metadata cannot be changed by an update. A deletion that has begun keeps its time;
 * what else is said of deletion, validation refuses.
 */
function carryMeta(next: KubeObject, old: KubeObject): void {
  carryFields(next.metadata, old.metadata, CARRIED);
  const { deletionTimestamp, deletionGracePeriodSeconds: grace } = old.metadata;
  if (deletionTimestamp) next.metadata.deletionTimestamp = deletionTimestamp;
  if (grace !== undefined) next.metadata.deletionGracePeriodSeconds ??= grace;
  if (old.apiVersion) next.apiVersion = old.apiVersion;
  if (old.kind) next.kind = old.kind;
}

const CARRIED: readonly (keyof KubeObject["metadata"])[] = [
  "name",
  "namespace",
  "uid",
  "creationTimestamp",
  "generation",
];

function moveGeneration(
  served: ServedResource,
  { next, old, whole }: { next: KubeObject; old: KubeObject; whole: boolean },
): void {
  const { generation, fixedGeneration, annotationsCount, labelsCount } = served.strategy;
  if (!generation || fixedGeneration) return;
  const changed =
    (whole &&
      annotationsCount &&
      !deepEqual(next.metadata.annotations, old.metadata.annotations)) ||
    (labelsCount && !deepEqual(next.metadata.labels, old.metadata.labels)) ||
    [...new Set([...Object.keys(next), ...Object.keys(old)])].some(
      (field) =>
        field !== "metadata" &&
        !(field === "status" && served.hasStatus) &&
        !deepEqual(next[field], old[field]),
    );
  if (changed) next.metadata.generation = (old.metadata.generation ?? 0) + 1;
}

/** Built-in kinds whose status updates leave labels and annotations alone, as custom ones do. */
const STATUS_ONLY: ReadonlySet<string> = new Set([
  "APIService",
  "FlowSchema",
  "PriorityLevelConfiguration",
  "ValidatingAdmissionPolicy",
  "VolumeAttachment",
]);

/** The status subresource changes status, and what clients may of most built-in kinds' metadata. */
export function statusScope(served: ServedResource): UpdateScope {
  const withMeta = !served.custom && !STATUS_ONLY.has(served.resource.kind);
  const fields: (keyof KubeObject["metadata"])[] = ["managedFields"];
  if (withMeta) fields.push("annotations", "finalizers");
  if (withMeta) fields.push("deletionGracePeriodSeconds", "generateName", "selfLink");
  if (withMeta && served.resource.kind !== "Pod") {
    fields.push("ownerReferences", "deletionTimestamp");
  }
  if (withMeta && !served.strategy.statusKeepsLabels) fields.push("labels");
  const empty = served.custom ? undefined : emptyStatusOf(served.resource);
  return (wanted, old) => {
    const next = copyJson(old);
    const { status } = wanted;
    if (served.custom && status === undefined) delete next["status"];
    else
      next["status"] = empty
        ? { ...copyJson(empty), ...(status as object | undefined) }
        : (status ?? {});
    carryFields(next.metadata, wanted.metadata, fields);
    return next;
  };
}

/** Wire form of the moment a deletion ends. */
export function deletionTime(nowMs: number, graceSeconds: number): string {
  return formatTime(nowMs + graceSeconds * 1000);
}
