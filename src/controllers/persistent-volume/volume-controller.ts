import { isNotFound } from "../../api/errors.ts";
import { PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES } from "../../api/generated/resources.ts";
import type { PersistentVolume } from "../../api/generated/types/core-v1.ts";
import type { Client } from "../../client/client.ts";
import { type ControllerDefinition, defineController, input } from "../../client/controller.ts";
import { isTerminating, refOf, uidOf } from "../ownership.ts";
import { BOUND_BY_CONTROLLER } from "./claim-plan.ts";
import { planVolume } from "./volume-plan.ts";

const BY_CLAIM = "claim";

/** Tells of each volume whether it is claimed, and reclaims those whose claim is gone. */
export function volumeController(): ControllerDefinition {
  return defineController({
    name: "persistentvolume-reclaimer",
    inputs: {
      volumes: input(PERSISTENT_VOLUMES, (volume) => [refOf(volume)], {
        indexes: { [BY_CLAIM]: (volume) => claimKeyOf(volume) },
      }),
      claims: input(PERSISTENT_VOLUME_CLAIMS, ({ metadata }, listers) =>
        listers
          .of(PERSISTENT_VOLUMES)
          .byIndex(BY_CLAIM, `${metadata?.namespace}/${metadata?.name}`)
          .map(refOf),
      ),
    },
    outputs: [
      { resource: PERSISTENT_VOLUMES, verbs: ["patch", "delete"], subresources: ["status"] },
    ],
    async reconcile({ inputs, client, events }, key) {
      const volume = inputs.volumes.get(undefined, key.name);
      if (!volume) return;
      const { name = "", namespace } = volume.spec?.claimRef ?? {};
      const plan = planVolume(volume, inputs.claims.get(namespace, name));
      const { phase, message, reason, act } = plan;
      // The cache may not know a claim yet, and what is deleted does not come back.
      if (act === "delete" && (await isClaimed(client, volume))) {
        throw new Error(`Cannot delete volume "${key.name}": its claim is there`);
      }
      const volumes = client.for(PERSISTENT_VOLUMES);
      if (volume.status?.phase !== phase || volume.status.message !== message) {
        const status = { phase, message: message ?? null };
        await volumes.patch(key, { status }, { subresource: "status" });
        if (reason && message) {
          const about = { apiVersion: "v1", kind: "PersistentVolume", metadata: volume.metadata };
          events.record({ about, type: "Warning", reason, message });
        }
      }
      if (act === "unbind") {
        const { resourceVersion } = volume.metadata ?? {};
        const metadata = { resourceVersion, annotations: { [BOUND_BY_CONTROLLER]: null } };
        await volumes.patch(key, { metadata, spec: { claimRef: null } });
      } else if (act === "unname") {
        const { resourceVersion } = volume.metadata ?? {};
        await volumes.patch(key, {
          metadata: { resourceVersion },
          spec: { claimRef: { uid: null, resourceVersion: null } },
        });
      } else if (act === "delete" && !isTerminating(volume)) {
        await volumes.delete(key, { preconditions: { uid: uidOf(volume) } }).catch((error) => {
          if (!isNotFound(error)) throw error;
        });
      }
    },
  });
}

async function isClaimed(client: Client, { metadata, spec }: PersistentVolume): Promise<boolean> {
  const { name = "", namespace = "", uid } = spec?.claimRef ?? {};
  const claim = await client
    .for(PERSISTENT_VOLUME_CLAIMS)
    .get({ namespace, name })
    .catch((error: unknown) => {
      if (isNotFound(error)) return undefined;
      throw error;
    });
  if (!claim || uidOf(claim) !== uid) return false;
  const { volumeName } = claim.spec ?? {};
  return !volumeName || volumeName === metadata?.name;
}

function claimKeyOf({ spec }: PersistentVolume): string[] {
  const { name, namespace } = spec?.claimRef ?? {};
  return name ? [`${namespace}/${name}`] : [];
}
