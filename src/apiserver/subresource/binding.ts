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
import { type BindingFacts, boundPod } from "./bound-pod.ts";

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
  await storeBound(engine, call, { node, annotations, time, uid: textOf(metadata["uid"]) });
  return { kind: "value", status: 201, value: successStatus(201) };
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
    checkUnbound(call, old);
    checkUid(call, old, of.uid);
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
      if (!isStoreError(error, "conflict") && !isStoreError(error, "not-found")) throw error;
    }
  }
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

function checkUnbound(call: Call, pod: KubeObject): void {
  const name = pod.metadata.name ?? "";
  const { resource } = call.served;
  if (pod.metadata.deletionTimestamp) {
    const why = `pod ${name} is being deleted, cannot be assigned to a host`;
    throw conflict(resource, name, why);
  }
  const { nodeName, schedulingGates } = fieldOf(pod, "spec");
  if (nodeName) {
    throw conflict(resource, name, `pod ${name} is already assigned to node "${textOf(nodeName)}"`);
  }
  if (Array.isArray(schedulingGates) && schedulingGates.length > 0) {
    throw conflict(resource, name, `pod ${name} has non-empty .spec.schedulingGates`);
  }
}

/** A pod of the same name may have taken the place of the one that was decided on. */
function checkUid(call: Call, pod: KubeObject, wanted: string | undefined): void {
  const { name = "", uid = "" } = pod.metadata;
  if (!wanted || wanted === uid) return;
  const why = `Precondition failed: UID in precondition: ${wanted}, UID in object meta: ${uid}`;
  throw conflict(call.served.resource, name, why);
}
