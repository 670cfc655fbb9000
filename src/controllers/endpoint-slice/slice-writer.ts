import { isNotFound } from "../../api/errors.ts";
import { ENDPOINT_SLICES } from "../../api/generated/resources.ts";
import type { EndpointSlice } from "../../api/generated/types/discovery-v1.ts";
import type { Client } from "../../client/client.ts";
import type { Clock } from "../../lib/clock.ts";
import { refOf } from "../ownership.ts";
import type { WriteOverlay } from "../write-overlay.ts";
import type { SliceStep } from "./slice-packing.ts";

/** Carries steps out and tells the overlay, under the UID of the slices' owner. */
export function sliceWriter(
  overlay: WriteOverlay<EndpointSlice>,
  { owner, client, clock }: { owner: string; client: Client; clock: Clock },
): (step: SliceStep) => Promise<void> {
  const resource = client.for(ENDPOINT_SLICES);
  return async (step) => {
    const { slice } = step;
    if (step.do === "create") {
      await overlay.create(
        owner,
        () => resource.create(slice),
        () => clock.now(),
      );
    } else if (step.do === "update") {
      overlay.updated(owner, step.before, await resource.update(slice));
    } else {
      await resource.delete(refOf(slice)).catch((error: unknown) => {
        if (!isNotFound(error)) throw error;
      });
      overlay.deleted(owner, slice, clock.now());
    }
  };
}
