import { conflict, StatusError } from "../../api/errors.ts";
import { copyJson } from "../../lib/json-copy.ts";
import type { Engine } from "../engine.ts";
import type { KubeObject } from "../kube-object.ts";
import { parseRawBody } from "../raw-body.ts";
import type { ServedResource } from "../resource-registry.ts";
import type { CachedObject } from "../watch-cache/cached-object.ts";
import { admissionRequestOf, mutate, validate } from "./admission.ts";
import type { Answer, Call } from "./call.ts";
import { answerWith } from "./create.ts";
import { type DeleteOptions, deleteOptionsOf } from "./delete-options.ts";
import { answerUnchanged, changeCurrent, isContentOf, servedState } from "./current-state.ts";
import { listPage } from "./read.ts";
import { deletionTime, isGone } from "./update.ts";

const ORPHAN = "orphan";
const FOREGROUND = "foregroundDeletion";
/** Deletions of a collection that are under way at once. */
const DELETIONS_MAX = 64;

/** DELETE of one object. */
export async function deleteObject(
  engine: Engine,
  call: Call,
  /** Admission has seen the request in another form. */
  { admitted = false }: { admitted?: boolean } = {},
): Promise<Answer> {
  const options = deleteOptionsOf(call, optionsBody(call));
  warnOfOrphans(call, options);
  return deleteByKey(engine, call, { ...options, admitted });
}

/** DELETE of a collection: what a list with its query holds, each by the rules of one deletion. */
export async function deleteCollection(engine: Engine, call: Call): Promise<Answer> {
  const { served } = call;
  const options = deleteOptionsOf(call, optionsBody(call));
  const page = await listPage(engine, call);
  const selected = page.items;
  warnOfOrphans(call, options);
  const deleted = new Set<CachedObject>();
  let next = 0;
  // Deletions under way together share a commit; after a refusal no other one begins.
  const work = async () => {
    while (next < selected.length) {
      const object = selected[next++] as CachedObject;
      const { name = "", namespace } = object.object().metadata;
      const target = { ...call.target, name, ...(namespace ? { namespace } : {}) };
      try {
        await deleteByKey(engine, { ...call, target }, options);
        deleted.add(object);
      } catch (error) {
        if (error instanceof StatusError && error.reason === "NotFound") continue;
        next = selected.length;
        throw error;
      }
    }
  };
  const workers = Math.min(DELETIONS_MAX, selected.length);
  await Promise.all(Array.from({ length: workers }, work));
  const items = selected.filter((object) => deleted.has(object));
  return { kind: "list", status: 200, served, list: { ...page, items } };
}

/** Jobs leave their pods unless the deletion says what to do with them, which few expect. */
function warnOfOrphans({ served, warn }: Call, options: DeleteOptions): void {
  const { propagation, orphanDependents } = options;
  if (served.storage !== "batch/jobs" || propagation || orphanDependents !== undefined) return;
  warn(
    "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background " +
      "to remove them or set propagationPolicy=Orphan to suppress this warning",
  );
}

function optionsBody(call: Call): Record<string, unknown> {
  if (call.body.kind === "none") return {};
  if (call.body.kind === "bytes" && call.body.bytes.byteLength === 0) return {};
  return parseRawBody(call.body);
}

async function deleteByKey(
  engine: Engine,
  call: Call,
  options: DeleteOptions & { admitted?: boolean },
): Promise<Answer> {
  const { served } = call;
  const change = async (current: CachedObject) => {
    const state = servedState(served, current);
    const old = state instanceof Promise ? await state : state;
    checkPreconditions(served, old, options);
    const request = admissionRequestOf(call, { operation: "DELETE", oldObject: old });
    if (!options.admitted) {
      await mutate(engine.admission, request);
      await validate(engine.admission, request);
    }
    return deleteOnce(engine, call, { current, old, options });
  };
  return changeCurrent(engine, call, { change });
}

/** @throws StatusError Conflict when the object is not the one that is meant */
export function checkPreconditions(
  served: ServedResource,
  old: KubeObject,
  options: Pick<DeleteOptions, "uid" | "resourceVersion">,
): void {
  const { name = "", uid, resourceVersion } = old.metadata;
  const refuse = (why: string) => {
    // Upstream names the kind here, where conflicts otherwise name the resource.
    const { group, kind } = served.resource;
    return conflict({ group, plural: kind }, name, why);
  };
  if (options.uid && options.uid !== uid) {
    throw refuse(
      `the UID in the precondition (${options.uid}) does not match the UID in record (${uid}). ` +
        "The object might have been deleted and then recreated",
    );
  }
  if (options.resourceVersion && options.resourceVersion !== resourceVersion) {
    throw refuse(
      `the ResourceVersion in the precondition (${options.resourceVersion}) does not match the ` +
        `ResourceVersion in record (${resourceVersion}). The object might have been modified`,
    );
  }
}

async function deleteOnce(
  engine: Engine,
  call: Call,
  of: { current: CachedObject; old: KubeObject; options: DeleteOptions },
): Promise<Answer> {
  const { served } = call;
  const { current, old, options } = of;
  const marked = markForDeletion(served, old, { options, nowMs: engine.clock.now() });
  if (isGone(served, marked)) {
    if (options.dryRun) return removedAnswer(served, old);
    const removed = await engine.store.delete(served.storage, current.key, current.revision);
    engine.serviceNetwork.released(served, old);
    if (!served.strategy.returnsDeleted) return removedAnswer(served, old);
    if (!served.strategy.gracePeriodSeconds) {
      await served.cache.waitFor(removed.revision);
      const object = current.atRevision(removed.revision);
      return { kind: "object", status: 200, served, object };
    }
    // What could have had a grace period says that it had none.
    return { kind: "value", status: 200, value: marked };
  }
  const accepted = options.orphanDependents === false;
  const status = accepted ? 202 : 200;
  if (options.dryRun) return { kind: "value", status, value: marked };
  delete marked.metadata.resourceVersion;
  const { conversion, codec } = served;
  const bytes = codec.encode(conversion ? await conversion.toStored(marked) : marked);
  if (isContentOf(served, bytes, current)) return answerUnchanged(served, { current, status });
  const write = { bytes, expectedRevision: current.revision };
  const stored = await engine.store.update(served.storage, current.key, write);
  return answerWith(served, { stored, status });
}

function removedAnswer(served: ServedResource, old: KubeObject): Answer {
  const { name, uid } = old.metadata;
  const { group, plural } = served.resource;
  const details = { name, ...(group ? { group } : {}), kind: plural, uid };
  const value = { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", details };
  return { kind: "value", status: 200, value };
}

/** A copy of `old` as the beginning of its deletion leaves it (rules of rest.BeforeDelete). */
function markForDeletion(
  served: ServedResource,
  old: KubeObject,
  of: { options: DeleteOptions; nowMs: number },
): KubeObject {
  const { options, nowMs } = of;
  const marked = copyJson(old);
  const { metadata } = marked;
  metadata.finalizers = finalizersFor(served, metadata.finalizers ?? [], options);
  if (metadata.finalizers.length === 0) delete metadata.finalizers;
  if (metadata.deletionTimestamp) {
    shortenGrace(metadata, options.gracePeriodSeconds);
    return marked;
  }
  const grace = served.strategy.gracePeriodSeconds?.(old, options.gracePeriodSeconds) ?? 0;
  metadata.deletionTimestamp = deletionTime(nowMs, grace);
  metadata.deletionGracePeriodSeconds = grace;
  if (metadata.generation) metadata.generation++;
  served.strategy.prepareDelete?.(marked);
  return marked;
}

/** Once a deletion has begun, its grace period may only become shorter. */
function shortenGrace(metadata: KubeObject["metadata"], asked: number | undefined): void {
  const current = metadata.deletionGracePeriodSeconds ?? 0;
  if (asked === undefined || current === 0) return;
  const grace = asked < 0 ? 1 : asked;
  if (grace >= current) return;
  const began = Date.parse(metadata.deletionTimestamp ?? "") - current * 1000;
  metadata.deletionTimestamp = deletionTime(began, grace);
  metadata.deletionGracePeriodSeconds = grace;
}

function finalizersFor(
  served: ServedResource,
  present: readonly string[],
  options: DeleteOptions,
): string[] {
  const others = present.filter((name) => name !== ORPHAN && name !== FOREGROUND);
  let policy = options.propagation;
  if (options.orphanDependents !== undefined) {
    policy = options.orphanDependents ? "Orphan" : "Background";
  }
  if (policy === undefined) {
    if (others.length !== present.length) return [...present];
    policy = served.strategy.propagation;
  }
  if (policy === "Orphan") return [...others, ORPHAN];
  if (policy === "Foreground") return [...others, FOREGROUND];
  return others;
}
