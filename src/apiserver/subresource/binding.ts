import { conflict, notFound, StatusError } from "../../api/errors.ts";
import { formatTime } from "../../lib/clock.ts";
import { isStoreError } from "../../store/errors.ts";
import type { Engine } from "../engine.ts";
import { deepFreeze, fieldOf, type KubeObject, textOf } from "../kube-object.ts";
import { admitBody } from "../rest/admission.ts";
import { type Answer, type Call, isDryRun } from "../rest/call.ts";
import { asServed } from "../rest/current-state.ts";
import { keyOfCall } from "../rest/read.ts";
import { successStatus } from "../rest/success-status.ts";
import { boundFromServed, boundPod } from "./bound-pod.ts";
import { checkNamed } from "./named-body.ts";

/** POST of a Binding: puts a pod on a node, once. */
export function bindPod(engine: Engine, call: Call): Promise<Answer> {
  const binding = engine.readBody(call, "Binding");
  checkNamed(call, binding, "Binding");
  const { name: node, kind } = fieldOf(binding, "target");
  if (kind && kind !== "Node") {
    const why = `target.kind: Unsupported value: ${JSON.stringify(kind)}: supported values: "Node"`;
    throw new StatusError("BadRequest", why);
  }
  if (typeof node !== "string" || node === "") {
    throw new StatusError("BadRequest", "a binding needs target.name, the name of a node");
  }
  const admitting = admitBody(engine.admission, call, {
    operation: "CREATE",
    object: binding,
  });
  const write = () => writeBinding(engine, call, { binding, node });
  return admitting ? admitting.then(write) : write();
}

function writeBinding(
  engine: Engine,
  call: Call,
  { binding, node }: { binding: Record<string, unknown>; node: string },
): Promise<Answer> {
  const metadata = fieldOf(binding, "metadata");
  const uid = textOf(metadata["uid"]);
  const resourceVersion = textOf(metadata["resourceVersion"]);
  const facts = { node, annotations: annotationsOf(metadata), uid, resourceVersion };
  return writeServed(engine, call, facts) ?? writeStored(engine, call, facts);
}

/** What a binding asks for. */
interface Wanted {
  node: string;
  annotations: object | undefined;
  /** Of the pod that was decided on; "" if it does not matter. */
  uid: string;
  /** The state that was decided on; "" if it does not matter. */
  resourceVersion: string;
}

const BOUND: Answer = deepFreeze({ kind: "value", status: 201, value: successStatus(201) });
const bound = (): Answer => BOUND;

/**
 * The usual binding: of the state in the cache, without looking it up in the store, which refuses
 * the write when it has another. Undefined when this binding is not a usual one: then nothing was
 * found out about the pod.
 */
function writeServed(engine: Engine, call: Call, of: Wanted): Promise<Answer> | undefined {
  const { cache, storage } = call.served;
  const key = keyOfCall(call);
  const cached = cache.get(key);
  if (!cached || of.annotations || isDryRun(call)) return undefined;
  const old = cached.object();
  if (refusalOf(call, old, of)) return undefined;
  const status = engine.boundStatuses.of(old["status"]);
  const next = boundFromServed(old, cached.bytes, { node: of.node, status });
  if (!next) return undefined;
  cache.expect(next.bytes, { readAs: next.readAs });
  const write = { bytes: next.bytes, expectedRevision: cached.revision };
  return engine.store.update(storage, key, write).then(
    ({ revision }) => (cache.revision < revision ? cache.waitFor(revision).then(bound) : BOUND),
    (error: unknown) => {
      if (!isLostRace(error)) throw error;
      return writeStored(engine, call, of);
    },
  );
}

/** Writes the next state of a pod, again when others wrote in between. */
async function writeStored(engine: Engine, call: Call, of: Wanted): Promise<Answer> {
  const { served } = call;
  const { node, annotations } = of;
  const facts = { node, annotations, time: formatTime(engine.clock.now()) };
  const key = keyOfCall(call);
  for (;;) {
    const current = await engine.store.getForUpdate(served.storage, key);
    if (!current) throw notFound(served.resource, call.target.name ?? "");
    const cached = served.cache.get(key);
    const state = cached?.revision === current.revision ? cached : asServed(served, current);
    const old = state.exact();
    const refusal = refusalOf(call, old, of);
    if (refusal) throw refusal;
    if (isDryRun(call)) return BOUND;
    const { bytes, object } = boundPod(old, current.bytes, facts);
    if (state === cached && cached.object() === old) served.cache.expect(bytes, { object });
    try {
      const write = { bytes, expectedRevision: current.revision };
      const { revision } = await engine.store.update(served.storage, key, write);
      if (served.cache.revision < revision) await served.cache.waitFor(revision);
      return BOUND;
    } catch (error) {
      if (!isLostRace(error)) throw error;
    }
  }
}

function isLostRace(error: unknown): boolean {
  return isStoreError(error, "conflict") || isStoreError(error, "not-found");
}

function annotationsOf(metadata: Record<string, unknown>): object | undefined {
  if (metadata["annotations"] === undefined) return undefined;
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
  const name = textOf(engine.readBody(call, "Binding").metadata.name);
  if (!pods || !name) {
    throw new StatusError("BadRequest", "a binding needs metadata.name, the name of a pod");
  }
  const target = { ...call.target, resource: "pods", name, subresource: "binding" };
  return bindPod(engine, { ...call, served: pods, target });
}

/** Why a pod cannot be bound, or not as the one that was decided on. */
function refusalOf(call: Call, pod: KubeObject, wanted: Wanted): StatusError | undefined {
  const { name = "", uid = "", resourceVersion = "", deletionTimestamp } = pod.metadata;
  const refused = (why: string) => conflict(call.served.resource, name, why);
  const differs = (what: string, asked: string, found: string) =>
    refused(
      `Precondition failed: ${what} in precondition: ${asked}, ${what} in object meta: ${found}`,
    );
  // A pod of the same name may have taken the place of the one that was decided on.
  if (wanted.uid && wanted.uid !== uid) return differs("UID", wanted.uid, uid);
  if (wanted.resourceVersion && wanted.resourceVersion !== resourceVersion) {
    return differs("ResourceVersion", wanted.resourceVersion, resourceVersion);
  }
  if (deletionTimestamp) {
    return refused(`pod ${name} is being deleted, cannot be assigned to a host`);
  }
  const { nodeName, schedulingGates } = fieldOf(pod, "spec");
  if (nodeName) return refused(`pod ${name} is already assigned to node "${textOf(nodeName)}"`);
  if (Array.isArray(schedulingGates) && schedulingGates.length > 0) {
    return refused(`pod ${name} has non-empty .spec.schedulingGates`);
  }
  return undefined;
}
