import { copyJson } from "../../lib/json-copy.ts";
import { conflict, StatusError } from "../../api/errors.ts";
import { formatTime } from "../../lib/clock.ts";
import type { Engine } from "../engine.ts";
import { asObject, fieldOf, type KubeObject, textOf } from "../kube-object.ts";
import { parseRawBody } from "../raw-body.ts";
import type { Answer, Call } from "../rest/call.ts";
import { admitBody } from "../rest/admission.ts";
import { successStatus } from "../rest/success-status.ts";
import { updateObject } from "../rest/update.ts";

type Condition = Record<string, unknown>;

/** POST of a Binding: puts a pod on a node, once. */
export async function bindPod(engine: Engine, call: Call): Promise<Answer> {
  const binding = parseRawBody(call.body);
  const node = fieldOf(binding, "target")["name"];
  if (typeof node !== "string" || node === "") {
    throw new StatusError("BadRequest", "a binding needs target.name, the name of a node");
  }
  await admitBody(engine.admission, call, { operation: "CREATE", object: asObject(binding) });
  const { annotations, uid } = fieldOf(binding, "metadata");
  const time = formatTime(engine.clock.now());
  await updateObject(engine, call, {
    wanted: (old) => {
      checkUnbound(call, old);
      checkUid(call, old, textOf(uid));
      const pod = copyJson(old);
      pod["spec"] = { ...fieldOf(pod, "spec"), nodeName: node };
      if (annotations) pod.metadata.annotations = { ...pod.metadata.annotations, ...annotations };
      const status = fieldOf(pod, "status");
      pod["status"] = { ...status, conditions: withScheduled(status["conditions"], time) };
      return pod;
    },
    scope: (wanted) => wanted,
    admitted: true,
  });
  return { kind: "value", status: 201, value: successStatus(201) };
}

/** POST to the `bindings` collection: the pod is the one that the binding is named after. */
export async function bindByBody(engine: Engine, call: Call): Promise<Answer> {
  const pods = engine.registry.find("", "v1", "pods");
  const name = textOf(fieldOf(parseRawBody(call.body), "metadata")["name"]);
  if (!pods || call.method !== "POST" || call.target.name !== undefined || !name) {
    throw new StatusError("MethodNotAllowed", "a binding is created, with the name of a pod");
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

function withScheduled(conditions: unknown, time: string): Condition[] {
  const others = Array.isArray(conditions) ? (conditions as Condition[]) : [];
  return [
    ...others.filter(({ type }) => type !== "PodScheduled"),
    { type: "PodScheduled", status: "True", lastProbeTime: null, lastTransitionTime: time },
  ];
}
