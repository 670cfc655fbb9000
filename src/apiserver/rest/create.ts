import type { ManagedFieldsEntry } from "../../api/apply/managed-fields.ts";
import type { CommonSpec } from "../../api/common-spec.ts";
import { alreadyExists, StatusError } from "../../api/errors.ts";
import { warningsOf } from "../../api/warnings/warnings.ts";
import { formatTime } from "../../lib/clock.ts";
import { randomSuffix, randomUuid } from "../../lib/random.ts";
import { isStoreError } from "../../store/errors.ts";
import type { StoredObject } from "../../store/store.ts";
import type { Engine } from "../engine.ts";
import { type KubeObject, keyOf } from "../kube-object.ts";
import { CachedObject } from "../watch-cache/cached-object.ts";
import type { ServedResource } from "../resource-registry.ts";
import { admissionRequestOf, mutate, validate } from "./admission.ts";
import { type Answer, type Call, isDryRun } from "./call.ts";
import { plainParts } from "./common-specs.ts";
import { decodeBody } from "./decode-body.ts";
import { NEXT_STEP } from "./next-step.ts";
import { keepReadableManagers } from "./readable-managers.ts";
import { AFTER_ADMISSION, dropRepeatedOwners } from "./repeated-owners.ts";
import { checkStoredSize } from "./stored-size.ts";

/** Names made from generateName: this much of the base is kept, this much is random. */
const GENERATED_BASE_MAX = 58;
const GENERATED_SUFFIX = 5;
const GENERATE_ATTEMPTS = 8;

/** POST to a collection. */
export async function createObject(engine: Engine, call: Call): Promise<Answer> {
  const object = decodeBody(call);
  bindToPath(call, object);
  await NEXT_STEP;
  return await insertObject(engine, call, object);
}

/** Gives the object the namespace of the path. @throws StatusError BadRequest when they differ */
export function bindToPath(call: Call, object: KubeObject): void {
  const { target, served } = call;
  const { metadata } = object;
  if (!served.resource.namespaced) {
    delete metadata.namespace;
  } else {
    if (!target.namespace) {
      throw new StatusError("BadRequest", "an empty namespace may not be set during creation");
    }
    metadata.namespace ??= target.namespace;
    if (metadata.namespace === "") metadata.namespace = target.namespace;
    if (metadata.namespace !== target.namespace) {
      throw new StatusError(
        "BadRequest",
        "the namespace of the provided object does not match the namespace sent on the request",
      );
    }
  }
  if (target.name !== undefined && !target.subresource) {
    metadata.name ||= target.name;
    if (metadata.name !== target.name) {
      throw new StatusError(
        "BadRequest",
        `the name of the object (${metadata.name}) does not match the name on the URL ` +
          `(${target.name})`,
      );
    }
  }
}

/** What differs between the ways to create. */
export interface InsertOptions {
  /** The object has its managedFields; otherwise the caller's manager is recorded. */
  managed?: boolean;
}

/** Admits, completes, validates and stores a decoded object. */
export async function insertObject(
  engine: Engine,
  call: Call,
  asked: KubeObject,
  options: InsertOptions = {},
): Promise<Answer> {
  const { served } = call;
  if (asked.metadata.resourceVersion) {
    throw new StatusError(
      "BadRequest",
      "resourceVersion should not be set on objects to be created",
    );
  }
  dropUnsent(asked.metadata);
  dropRepeatedOwners(call, asked.metadata, "");
  const spec = options.managed ? undefined : served.commonSpecs?.ask(asked);
  const object = options.managed ? asked : engine.manage(call, { object: asked, asked: spec });
  const { metadata } = object;
  const { managedFields } = metadata;
  const operation = "CREATE";
  const request = admissionRequestOf(call, { operation, name: metadata.name ?? "", object });
  const mutating = mutate(engine.admission, request);
  if (mutating instanceof Promise ? await mutating : mutating) {
    checkPlace(call, object);
    dropUnsent(metadata);
    keepReadableManagers(call, metadata, managedFields);
    dropRepeatedOwners(call, metadata, AFTER_ADMISSION);
  }
  await NEXT_STEP;
  const name = metadata.name ?? "";
  served.codec.setDefaults(object);
  completeMeta(engine, served, object);
  served.strategy.prepareCreate?.(object, { user: call.user, nowMs: engine.clock.now() });
  const common = served.commonSpecs?.share(object, spec);
  for (let attempt = 1; ; attempt++) {
    if (!name && metadata.generateName) {
      metadata.name = generatedName(engine, metadata.generateName);
    }
    const allocation = engine.serviceNetwork.allocate(served, object);
    try {
      served.validateCreate(object, common);
      if (attempt === 1) warn(call, object, { common });
      request.name = metadata.name ?? "";
      await (validate(engine.admission, request) ?? NEXT_STEP);
      const key = keyOf(metadata.namespace, metadata.name ?? "");
      if (isDryRun(call)) {
        if (await engine.store.get(served.storage, key)) throw nameTaken(served, metadata);
        allocation.release();
        return { kind: "value", status: 201, value: object };
      }
      const { conversion, codec } = served;
      const stored = conversion ? await conversion.toStored(object) : object;
      const managers = common
        ? undefined
        : served.cache.managers.textOf(metadata.managedFields as ManagedFieldsEntry[]);
      const bytes = codec.encode(stored, { common, managers });
      checkStoredSize(bytes);
      const plain = common && plainParts(common);
      if (!conversion) served.cache.expect(bytes, { object, plain });
      const created = await engine.store.create(served.storage, key, bytes);
      const answer = answerWith(served, { stored: created, status: 201 });
      return answer instanceof Promise ? await answer : answer;
    } catch (error) {
      allocation.release();
      if (!isStoreError(error, "exists")) throw error;
      if (name || attempt >= GENERATE_ATTEMPTS) {
        throw nameTaken(served, metadata);
      }
    }
  }
}

function nameTaken(
  served: ServedResource,
  { name = "", namespace }: KubeObject["metadata"],
): Error {
  const holder = served.cache.get(keyOf(namespace, name))?.exact();
  const leaving = holder?.metadata.deletionTimestamp !== undefined;
  return alreadyExists(served.resource, name, { leaving });
}

/** Admission may name an object, but not move it away from where the request put it. */
function checkPlace({ target, served }: Call, { metadata }: KubeObject): void {
  const isMoved = served.resource.namespaced && metadata.namespace !== target.namespace;
  const isRenamed =
    target.name !== undefined && !target.subresource && metadata.name !== target.name;
  if (!isMoved && !isRenamed) return;
  const what = isMoved ? "namespace" : "name";
  throw new StatusError(
    "BadRequest",
    `the ${what} of the object that admission returned does not match the one on the URL`,
  );
}

/** Tells the client what is valid but likely not meant. */
export function warn(
  call: Call,
  object: KubeObject,
  more: { old?: KubeObject | undefined; common?: CommonSpec | undefined } = {},
): void {
  const { custom, resource } = call.served;
  if (custom) return;
  for (const text of warningsOf(resource, object, more)) call.warn(text);
}

/** No new object has these, whoever says so; the server sets some of them later. */
const NEVER_SENT = [
  "resourceVersion",
  "uid",
  "creationTimestamp",
  "deletionTimestamp",
  "deletionGracePeriodSeconds",
  "selfLink",
] as const satisfies readonly (keyof KubeObject["metadata"])[];

/** What is absent is not deleted, which would cost. */
function dropUnsent(metadata: KubeObject["metadata"]): void {
  for (const field of NEVER_SENT) if (field in metadata) delete metadata[field];
}

/** Fields that every new object gets from the server and from nobody else. */
function completeMeta(engine: Engine, served: ServedResource, object: KubeObject): void {
  const { metadata } = object;
  metadata.uid = randomUuid(engine.random);
  metadata.creationTimestamp = formatTime(engine.clock.now());
  const { generation, lateGeneration, keepsStatusOnCreate } = served.strategy;
  if (generation && !lateGeneration) metadata.generation = 1;
  else if (lateGeneration || metadata.generation === 0) delete metadata.generation;
  const dropsStatus = served.hasStatus && !keepsStatusOnCreate;
  if (dropsStatus && "status" in object) delete object["status"];
}

function generatedName(engine: Engine, base: string): string {
  return base.slice(0, GENERATED_BASE_MAX) + randomSuffix(engine.random, GENERATED_SUFFIX);
}

/** Answers a write with its object once the cache has it, so that the caller reads its write. */
export function answerWith(
  served: ServedResource,
  of: { stored: StoredObject; status: number },
): Answer | Promise<Answer> {
  const { revision } = of.stored;
  if (served.cache.revision >= revision) return answerNow(served, of);
  return served.cache.waitFor(revision).then(() => answerNow(served, of));
}

function answerNow(
  served: ServedResource,
  { stored, status }: { stored: StoredObject; status: number },
): Answer {
  let object = served.cache.get(stored.key);
  if (object?.revision !== stored.revision) {
    const bytes = served.splice(stored.bytes, stored.revision);
    object = new CachedObject(stored.key, stored.revision, bytes);
  }
  return { kind: "object", status, served, object };
}
