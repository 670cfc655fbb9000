import { isNotFound } from "../../api/errors.ts";
import { LEASES } from "../../api/generated/resources.ts";
import type { Lease } from "../../api/generated/types/coordination-v1.ts";
import { type ControllerDefinition, defineController, input } from "../../client/controller.ts";
import { refOf, uidOf } from "../ownership.ts";

/** API servers say by these Leases that they live. */
const IDENTITY_LABEL = "apiserver.kubernetes.io/identity";
const NAMESPACE = "kube-system";

/** When a Lease runs out; one that cannot say so has. */
function expiryMs({ spec }: Lease): number {
  const { renewTime, leaseDurationSeconds } = spec ?? {};
  const renewedMs = Date.parse(renewTime ?? "");
  if (Number.isNaN(renewedMs) || leaseDurationSeconds === undefined) return 0;
  return renewedMs + leaseDurationSeconds * 1_000;
}

/** Removes the Leases of API servers that are gone. */
export function leaseCleaningController(): ControllerDefinition {
  return defineController({
    name: "lease-cleaning",
    inputs: {
      leases: input(LEASES, (lease) => [refOf(lease)], {
        options: { namespace: NAMESPACE, labelSelector: IDENTITY_LABEL },
      }),
    },
    outputs: [{ resource: LEASES, verbs: ["delete"] }],
    async reconcile({ inputs, client, clock }, key) {
      const lease = inputs.leases.get(key.namespace, key.name);
      if (!lease) return {};
      const restMs = expiryMs(lease) - clock.now();
      // Renewals are seen as changes; this wakes for the one that does not come.
      if (restMs > 0) return { requeueAfterMs: restMs + 1 };
      const { resourceVersion } = lease.metadata ?? {};
      const preconditions = {
        uid: uidOf(lease),
        ...(resourceVersion === undefined ? {} : { resourceVersion }),
      };
      await client
        .for(LEASES)
        .delete(key, { preconditions })
        .catch((error: unknown) => {
          if (!isNotFound(error)) throw error;
        });
      return {};
    },
  });
}
