import { isNotFound } from "../../api/errors.ts";
import { ENDPOINT_SLICES } from "../../api/generated/resources.ts";
import type { EndpointSlice } from "../../api/generated/types/discovery-v1.ts";
import type { Client } from "../../client/client.ts";
import type { Clock } from "../../lib/clock.ts";
import { refOf, uidOf } from "../ownership.ts";
import { canonicalJson } from "../template-hash.ts";
import { WriteOverlay } from "../write-overlay.ts";
import type { SliceStep } from "./slice-packing.ts";

/** What a controller of slices remembers of its writes. */
export interface SliceMemory {
  overlay: WriteOverlay<EndpointSlice>;
  /** By UID: what the server did not keep, and the version that came of it. */
  unkept: Map<string, { sent: string; version: string | undefined }>;
}

export function createSliceMemory(): SliceMemory {
  return { overlay: new WriteOverlay(), unkept: new Map() };
}

/**
 * Carries steps out and tells the overlay, under the UID of the slices' owner. A server of an older
 * version drops fields that it does not know: the same update is not sent to it again and again.
 */
export function sliceWriter(
  { overlay, unkept }: SliceMemory,
  of: { owner: string; isOwnerThere: () => Promise<boolean>; client: Client; clock: Clock },
): (step: SliceStep) => Promise<void> {
  const { owner, client, clock } = of;
  const resource = client.for(ENDPOINT_SLICES);
  const update = async (slice: EndpointSlice, before: EndpointSlice) => {
    const uid = uidOf(slice);
    const sent = contentOf(slice);
    const last = unkept.get(uid);
    if (last?.sent === sent && last.version === before.metadata?.resourceVersion) return;
    const after = await resource.update(slice);
    overlay.updated(owner, before, after);
    if (contentOf(after) === sent) unkept.delete(uid);
    else unkept.set(uid, { sent, version: after.metadata?.resourceVersion });
  };
  return async (step) => {
    const { slice } = step;
    if (step.do === "create") {
      if (!(await of.isOwnerThere())) return;
      await overlay.create(
        owner,
        () => resource.create(slice),
        () => clock.now(),
      );
    } else if (step.do === "update") {
      await update(slice, step.before);
    } else {
      await resource.delete(refOf(slice)).catch((error: unknown) => {
        if (!isNotFound(error)) throw error;
      });
      unkept.delete(uidOf(slice));
      overlay.deleted(owner, slice, clock.now());
    }
  };
}

function contentOf({ endpoints, ports = [], metadata }: EndpointSlice): string {
  return canonicalJson([endpoints ?? [], ports, metadata?.labels ?? {}]);
}
