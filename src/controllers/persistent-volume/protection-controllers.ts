import {
  PERSISTENT_VOLUME_CLAIMS,
  PERSISTENT_VOLUMES,
  PODS,
} from "../../api/generated/resources.ts";
import type { Pod } from "../../api/generated/types/core-v1.ts";
import { type ControllerDefinition, defineController, input } from "../../client/controller.ts";
import { type ApiObject, isTerminating, refOf } from "../ownership.ts";
import { claimNamesOf, ephemeralClaimName, isOwnedByPod } from "./pod-claims.ts";

const CLAIM_FINALIZER = "kubernetes.io/pvc-protection";
const VOLUME_FINALIZER = "kubernetes.io/pv-protection";
const BY_CLAIM = "claim";

/** Lets a deleted claim go when no pod on a node uses it any more. */
export function claimProtectionController(): ControllerDefinition {
  return defineController({
    name: "pvc-protection-controller",
    inputs: {
      claims: input(PERSISTENT_VOLUME_CLAIMS, (claim) =>
        isHeld(claim, CLAIM_FINALIZER) ? [refOf(claim)] : [],
      ),
      pods: input(
        PODS,
        (pod) => claimNamesOf(pod).map((name) => ({ name, namespace: pod.metadata?.namespace })),
        { indexes: { [BY_CLAIM]: (pod) => claimNamesOf(pod).map((name) => keyOf(pod, name)) } },
      ),
    },
    outputs: [{ resource: PERSISTENT_VOLUME_CLAIMS, verbs: ["patch"] }],
    async reconcile({ inputs, client }, key) {
      const claim = inputs.claims.get(key.namespace, key.name);
      if (!claim || !isHeld(claim, CLAIM_FINALIZER)) return;
      const isUser = (pod: Pod) =>
        pod.spec?.nodeName && uses(pod, { name: key.name, owned: isOwnedByPod(claim, pod) });
      if (inputs.pods.byIndex(BY_CLAIM, `${key.namespace}/${key.name}`).some(isUser)) return;
      // The cache may not know the newest pod yet, and a claim that is gone does not come back.
      const { items } = await client.for(PODS).list({ namespace: key.namespace });
      if (items.some(isUser)) throw new Error(`Cannot let claim "${key.name}" go: a pod uses it`);
      await client.for(PERSISTENT_VOLUME_CLAIMS).patch(key, without(claim, CLAIM_FINALIZER));
    },
  });
}

/** Lets a deleted volume go when it is bound no more. */
export function volumeProtectionController(): ControllerDefinition {
  return defineController({
    name: "pv-protection-controller",
    inputs: {
      volumes: input(PERSISTENT_VOLUMES, (volume) =>
        isHeld(volume, VOLUME_FINALIZER) ? [refOf(volume)] : [],
      ),
    },
    outputs: [{ resource: PERSISTENT_VOLUMES, verbs: ["patch"] }],
    async reconcile({ inputs, client }, key) {
      const volume = inputs.volumes.get(undefined, key.name);
      if (!volume || !isHeld(volume, VOLUME_FINALIZER) || volume.status?.phase === "Bound") return;
      await client.for(PERSISTENT_VOLUMES).patch(key, without(volume, VOLUME_FINALIZER));
    },
  });
}

function keyOf(pod: Pod, claim: string): string {
  return `${pod.metadata?.namespace}/${claim}`;
}

/** A claim that is only named like an ephemeral one is not the pod's. */
function uses(pod: Pod, { name, owned }: { name: string; owned: boolean }): boolean {
  return (pod.spec?.volumes ?? []).some((volume) => {
    if (volume.persistentVolumeClaim) return volume.persistentVolumeClaim.claimName === name;
    return volume.ephemeral !== undefined && owned && ephemeralClaimName(pod, volume) === name;
  });
}

function isHeld(object: ApiObject, finalizer: string): boolean {
  return isTerminating(object) && (object.metadata?.finalizers ?? []).includes(finalizer);
}

function without({ metadata }: ApiObject, finalizer: string): object {
  const finalizers = (metadata?.finalizers ?? []).filter((name) => name !== finalizer);
  return { metadata: { resourceVersion: metadata?.resourceVersion, finalizers } };
}
