import type { NodeFilter, PluginContext, SchedulerPlugin } from "../framework/contract.ts";
import { disksConflict } from "../pod/disk-uses.ts";
import { isStorageOf } from "./storage-hint.ts";
import type { VolumeCatalog } from "./volume-catalog.ts";

const DISK_TAKEN = 1;
const REASONS = [
  "",
  "node(s) had no available disk",
  "node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode",
];

/** A ReadWriteOncePod claim is used by one pod at a time, a disk by one writer on a node. */
export function volumeRestrictions(catalog: VolumeCatalog): SchedulerPlugin {
  return {
    name: "VolumeRestrictions",
    filter: (context) => restrictionsFilter(context, catalog),
    hint(event, pod) {
      const { namespace, profile } = pod;
      if (event.kind === "storage-changed") return isStorageOf(pod, event);
      if (event.kind === "node-added") return profile.disks.length > 0;
      if (event.kind !== "pod-removed") return false;
      const other = event.pod.profile;
      return (
        disksConflict(profile.disks, other.disks) ||
        (event.pod.namespace === namespace &&
          other.claims.some((claim) => profile.claims.includes(claim)))
      );
    },
  };
}

function restrictionsFilter(
  { state, profile }: PluginContext,
  catalog: VolumeCatalog,
): NodeFilter | undefined {
  const { claims, disks } = profile;
  if (claims.length === 0 && disks.length === 0) return undefined;
  let isClaimTaken = false;
  return {
    begin(pod) {
      isClaimTaken = claims.some((name) => {
        const key = `${pod.namespace}/${name}`;
        const modes = catalog.claims.get(key)?.spec?.accessModes;
        return modes?.includes("ReadWriteOncePod") && state.usersOfClaim(key) > 0;
      });
      return isClaimTaken || disks.length > 0;
    },
    test(slot) {
      if (disks.length > 0) {
        for (const other of state.nodes[slot]?.pods ?? []) {
          if (disksConflict(disks, other.profile.disks)) return DISK_TAKEN;
        }
      }
      return isClaimTaken ? DISK_TAKEN + 1 : 0;
    },
    explain: (code) => ({ reasons: [REASONS[code] ?? ""] }),
  };
}
