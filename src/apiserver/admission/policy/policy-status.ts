import { isNotFound } from "../../../api/errors.ts";
import type { ValidatingAdmissionPolicy } from "../../../api/generated/types/admissionregistration-v1.ts";
import { createKubernetesEnvironment } from "../../../lib/cel/kubernetes-environment.ts";
import { copyJson } from "../../../lib/json-copy.ts";
import type { Engine } from "../../engine.ts";
import type { KubeObject } from "../../kube-object.ts";
import type { ServedResource } from "../../resource-registry.ts";
import { selfCall } from "../../rest/self-call.ts";
import { updateObject } from "../../rest/update.ts";
import { typeWarnings } from "./type-check.ts";

/**
 * Says in the status of every ValidatingAdmissionPolicy what its expressions get wrong about the
 * kinds that it is for. A policy works before and without it.
 */
export function startPolicyStatus(engine: Engine, policies: ServedResource): Disposable {
  const { cache } = policies;
  let work: Promise<void> = Promise.resolve();
  const take = (object: KubeObject | undefined): void => {
    const policy = object as unknown as ValidatingAdmissionPolicy | undefined;
    if (!policy || isObserved(policy)) return;
    work = work
      .then(() => observe(engine, policies, policy))
      .catch((error: unknown) => {
        engine.logger.error("the status of an admission policy could not be written", { error });
      });
  };
  for (const key of cache.keys("")) take(cache.get(key)?.object());
  const subscription = cache.follow({
    deliver: (event) => {
      if (!event.removed) take(event.object.object());
    },
    ended: () => {},
  });
  return subscription;
}

function isObserved({ metadata, status }: ValidatingAdmissionPolicy): boolean {
  return status?.observedGeneration === metadata?.generation;
}

async function observe(
  engine: Engine,
  policies: ServedResource,
  policy: ValidatingAdmissionPolicy,
): Promise<void> {
  const { registry } = engine;
  const base = createKubernetesEnvironment();
  const expressionWarnings = typeWarnings(policy, { registry, base });
  const call = selfCall(policies, { name: policy.metadata?.name ?? "", subresource: "status" });
  const wanted = (old: KubeObject): KubeObject => {
    const object = copyJson(old);
    // Who changed the policy meanwhile gets another turn.
    if (old.metadata.generation !== policy.metadata?.generation) return object;
    const typeChecking = expressionWarnings.length > 0 ? { expressionWarnings } : {};
    const observedGeneration = policy.metadata?.generation;
    object["status"] = { ...(object["status"] as object), observedGeneration, typeChecking };
    return object;
  };
  try {
    await updateObject(engine, call, { wanted, scope: (object) => object });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
