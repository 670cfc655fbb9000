import { conflict, notFound, StatusError } from "../../api/errors.ts";
import { formatTime } from "../../lib/clock.ts";
import { isStoreError } from "../../store/errors.ts";
import type { Engine } from "../engine.ts";
import { asObject, fieldOf, type KubeObject, textOf } from "../kube-object.ts";
import { parseRawBody } from "../raw-body.ts";
import { admitBody } from "../rest/admission.ts";
import { type Answer, type Call, isDryRun } from "../rest/call.ts";
import { keyOfCall } from "../rest/read.ts";
import { successStatus } from "../rest/success-status.ts";
import { parsedOf } from "../rest/update.ts";
import { type BindingFacts, boundFromServed, boundPod } from "./bound-pod.ts";

/** POST of a Binding: puts a pod on a node, once. */
export async function bindPod(engine: Engine, call: Call): Promise<Answer> {
  const binding = parseRawBody(call.body);
  const node = fieldOf(binding, "target")["name"];
  if (typeof node !== "string" || node === "") {
    throw new StatusError("BadRequest", "a binding needs target.name, the name of a node");
  }
  await admitBody(engine.admission, call, { operation: "CREATE", object: asObject(binding) });
  const metadata = fieldOf(binding, "metadata");
  const annotations = annotationsOf(metadata);
  const time = formatTime(engine.clock.now());
  const facts = { node, annotations, time, uid: textOf(metadata["uid"]) };
  const isStored = await bindServed(engine, call, facts);
  if (!isStored) await storeBound(engine, call, facts);
  return { kind: "value", status: 201, value: successStatus(201) };
}

/**
 * The usual binding: of the state in the cache, without looking it up in the store, which refuses
 * the write when it has another. False when it did, or when this binding is not a usual one:
 * nothing was written then, and nothing was found out about the pod.
 */
async function bindServed(
  engine: Engine,
  call: Call,
  of: BindingFacts & { uid: string },
): Promise<boolean> {
  const { served } = call;
  const key = keyOfCall(call);
  const cached = served.cache.get(key);
  if (!cached || of.annotations || isDryRun(call)) return false;
  const old = cached.object();
  if (refusalOf(call, old, of.uid)) return false;
  const next = boundFromServed(old, cached.bytes, of);
  if (!next) return false;
  served.cache.expect(next.bytes, next.object);
  const write = { bytes: next.bytes, expectedRevision: cached.revision };
  try {
    const { revision } = await engine.store.update(served.storage, key, write);
    if (served.cache.revision < revision) await served.cache.waitFor(revision);
    return true;
  } catch (error) {
    if (isLostRace(error)) return false;
    throw error;
  }
}

/** Writes the next state of a pod, again when others wrote in between. */
async function storeBound(
  engine: Engine,
  call: Call,
  of: BindingFacts & { uid: string },
): Promise<void> {
  const { served } = call;
  const key = keyOfCall(call);
  for (;;) {
    const current = await engine.store.getForUpdate(served.storage, key);
    if (!current) throw notFound(served.resource, call.target.name ?? "");
    const old = parsedOf(served, current);
    const refusal = refusalOf(call, old, of.uid);
    if (refusal) throw refusal;
    if (isDryRun(call)) return;
    const { bytes, object } = boundPod(old, current.bytes, of);
    const shared = served.cache.get(key);
    if (shared?.revision === current.revision && shared.object() === old) {
      served.cache.expect(bytes, object);
    }
    try {
      const write = { bytes, expectedRevision: current.revision };
      const { revision } = await engine.store.update(served.storage, key, write);
      if (served.cache.revision < revision) await served.cache.waitFor(revision);
      return;
    } catch (error) {
      if (!isLostRace(error)) throw error;
    }
  }
}

function isLostRace(error: unknown): boolean {
  return isStoreError(error, "conflict") || isStoreError(error, "not-found");
}

function annotationsOf(metadata: Record<string, unknown>): object | undefined {
  const annotations = fieldOf(metadata, "annotations");
  const values = Object.values(annotations);
  if (values.some((value) => typeof value !== "string")) {
    throw new StatusError("BadRequest", "the values of a binding's annotations must be texts");
  }
  return values.length > 0 ? annotations : undefined;
}

/** POST to the `bindings` collection: the pod is the one that the binding is named after. */
export async function bindByBody(engine: Engine, call: Call): Promise<Answer> {
  const pods = engine.registry.find("", "v1", "pods");
  const name = textOf(fieldOf(parseRawBody(call.body), "metadata")["name"]);
  if (!pods || !name) {
    throw new StatusError("BadRequest", "a binding needs metadata.name, the name of a pod");
  }
  const target = { ...call.target, resource: "pods", name, subresource: "binding" };
  return bindPod(engine, { ...call, served: pods, target });
}

/** Why a pod cannot be bound, or not as the one that was decided on. */
function refusalOf(call: Call, pod: KubeObject, wantedUid: string): StatusError | undefined {
  const { name = "", uid = "", deletionTimestamp } = pod.metadata;
  const refused = (why: string) => conflict(call.served.resource, name, why);
  if (deletionTimestamp) {
    return refused(`pod ${name} is being deleted, cannot be assigned to a host`);
  }
  const { nodeName, schedulingGates } = fieldOf(pod, "spec");
  if (nodeName) return refused(`pod ${name} is already assigned to node "${textOf(nodeName)}"`);
  if (Array.isArray(schedulingGates) && schedulingGates.length > 0) {
    return refused(`pod ${name} has non-empty .spec.schedulingGates`);
  }
  // A pod of the same name may have taken the place of the one that was decided on.
  if (!wantedUid || wantedUid === uid) return undefined;
  return refused(
    `Precondition failed: UID in precondition: ${wantedUid}, UID in object meta: ${uid}`,
  );
}
