import { PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES } from "../../api/generated/resources.ts";
import type { PersistentVolumeClaim } from "../../api/generated/types/core-v1.ts";
import { type ControllerDefinition, defineController, input } from "../../client/controller.ts";
import { compareQuantities, parseQuantity } from "../../lib/quantity.ts";
import { isTerminating, refOf } from "../ownership.ts";
import { LOCAL_PROVISIONER } from "./contract.ts";

/**
 * Lets claims grow. A directory of a node has no size of its own, so that the figures are all there
 * is to change; volumes of other drivers are for the resizers of these.
 */
export function claimExpansionController(): ControllerDefinition {
  return defineController({
    name: "volume-expand",
    inputs: {
      claims: input(PERSISTENT_VOLUME_CLAIMS, (claim) => [refOf(claim)]),
      volumes: input(PERSISTENT_VOLUMES, ({ spec }) => {
        const { name, namespace } = spec?.claimRef ?? {};
        return name ? [{ name, namespace }] : [];
      }),
    },
    outputs: [
      { resource: PERSISTENT_VOLUME_CLAIMS, verbs: ["patch"], subresources: ["status"] },
      { resource: PERSISTENT_VOLUMES, verbs: ["patch"] },
    ],
    async reconcile({ inputs, client, events }, key) {
      const claim = inputs.claims.get(key.namespace, key.name);
      const wanted = claim && wantedSize(claim);
      const volume = inputs.volumes.get(undefined, claim?.spec?.volumeName ?? "");
      if (!claim || isTerminating(claim) || wanted === undefined || !volume) return;
      const about = { apiVersion: "v1", kind: "PersistentVolumeClaim", metadata: claim.metadata };
      if (volume.spec?.csi?.driver !== LOCAL_PROVISIONER) {
        const message = "waiting for an external controller to expand this PVC";
        return events.record({ about, type: "Normal", reason: "ExternalExpanding", message });
      }
      const storage = volume.spec.capacity?.["storage"];
      if (storage === undefined || isLess(storage, wanted)) {
        const { resourceVersion } = volume.metadata ?? {};
        const spec = { capacity: { storage: wanted } };
        await client
          .for(PERSISTENT_VOLUMES)
          .patch(refOf(volume), { metadata: { resourceVersion }, spec });
      }
      const { resourceVersion } = claim.metadata ?? {};
      const status = { capacity: { storage: wanted } };
      const patch = { metadata: { resourceVersion }, status };
      await client.for(PERSISTENT_VOLUME_CLAIMS).patch(key, patch, { subresource: "status" });
      const message = `Resized volume ${volume.metadata?.name} to ${wanted}`;
      events.record({ about, type: "Normal", reason: "VolumeResizeSuccessful", message });
    },
  });
}

/** What a bound claim asks for beyond what it has. */
function wantedSize({ spec, status }: PersistentVolumeClaim): string | undefined {
  const wanted = spec?.resources?.requests?.["storage"];
  const has = status?.capacity?.["storage"];
  if (status?.phase !== "Bound" || wanted === undefined || has === undefined) return undefined;
  return isLess(has, wanted) ? wanted : undefined;
}

function isLess(a: string, b: string): boolean {
  return compareQuantities(parseQuantity(a), parseQuantity(b)) < 0;
}
