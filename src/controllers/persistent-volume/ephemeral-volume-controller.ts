import { isAlreadyExists } from "../../api/errors.ts";
import { PERSISTENT_VOLUME_CLAIMS, PODS } from "../../api/generated/resources.ts";
import type { Pod } from "../../api/generated/types/core-v1.ts";
import { type ControllerDefinition, defineController, input } from "../../client/controller.ts";
import { controllerOf, controllerReference, isTerminating, refersTo, refOf } from "../ownership.ts";
import { liveOwner } from "../live-owner.ts";
import { ephemeralClaimName, isOwnedByPod } from "./pod-claims.ts";

/** Makes the claims behind the generic ephemeral volumes of pods; they go with their pod. */
export function ephemeralVolumeController(): ControllerDefinition {
  return defineController({
    name: "ephemeral-volume-controller",
    inputs: {
      pods: input(PODS, (pod) => (ephemeralVolumesOf(pod).length > 0 ? [refOf(pod)] : [])),
      claims: input(PERSISTENT_VOLUME_CLAIMS, (claim) => {
        const owner = controllerOf(claim);
        if (!owner || !refersTo(PODS, owner)) return [];
        return [{ name: owner.name, namespace: claim.metadata?.namespace }];
      }),
    },
    outputs: [{ resource: PERSISTENT_VOLUME_CLAIMS, verbs: ["create"] }],
    async reconcile({ inputs, client, events }, key) {
      const pod = inputs.pods.get(key.namespace, key.name);
      if (!pod || isTerminating(pod)) return;
      const isThere = liveOwner(client, PODS, pod);
      for (const volume of ephemeralVolumesOf(pod)) {
        const name = ephemeralClaimName(pod, volume);
        const present = inputs.claims.get(key.namespace, name);
        if (present) {
          if (isOwnedByPod(present, pod)) continue;
          const about = { apiVersion: "v1", kind: "Pod", metadata: pod.metadata };
          const message = `PVC ${key.namespace}/${name} was not created for pod ${key.namespace}/${key.name} (pod is not owner)`;
          events.record({ about, type: "Warning", reason: "FailedMount", message });
          continue;
        }
        const template = volume.ephemeral?.volumeClaimTemplate;
        const { labels, annotations } = template?.metadata ?? {};
        const claim = {
          apiVersion: "v1" as const,
          kind: "PersistentVolumeClaim" as const,
          metadata: {
            name,
            namespace: key.namespace ?? "",
            ...(labels ? { labels } : {}),
            ...(annotations ? { annotations } : {}),
            ownerReferences: [controllerReference(PODS, pod)],
          },
          spec: template?.spec ?? {},
        };
        if (!(await isThere())) return;
        try {
          await client.for(PERSISTENT_VOLUME_CLAIMS).create(claim);
        } catch (error) {
          if (!isAlreadyExists(error)) throw error;
        }
      }
    },
  });
}

function ephemeralVolumesOf(pod: Pod): NonNullable<NonNullable<Pod["spec"]>["volumes"]> {
  return (pod.spec?.volumes ?? []).filter((volume) => volume.ephemeral?.volumeClaimTemplate);
}
