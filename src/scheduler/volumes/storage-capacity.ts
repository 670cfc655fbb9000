import type { PersistentVolumeClaim } from "../../api/generated/types/core-v1.ts";
import type { CSIStorageCapacity, StorageClass } from "../../api/generated/types/storage-v1.ts";
import { matchesSelector } from "../../lib/labels.ts";
import { quantityToNumber } from "../../lib/quantity.ts";
import type { VolumeCatalog } from "./volume-catalog.ts";
import type { VolumeNode } from "./volume-match.ts";

/**
 * Whether a driver has room to make the claim's volume for a node. A driver that does not publish
 * capacity (`CSIDriver.spec.storageCapacity`) is taken to have it.
 */
export function hasCapacity(
  claim: PersistentVolumeClaim,
  of: { storageClass: StorageClass; node: VolumeNode; catalog: VolumeCatalog },
): boolean {
  const { storageClass, node, catalog } = of;
  const wanted = claim.spec?.resources?.requests?.["storage"];
  if (wanted === undefined) return true;
  if (!catalog.csiDrivers.get(storageClass.provisioner)?.spec.storageCapacity) return true;
  const wantedBytes = quantityToNumber(wanted);
  for (const capacity of catalog.capacities.values()) {
    if (capacity.storageClassName !== storageClass.metadata?.name) continue;
    if (largestVolume(capacity) < wantedBytes) continue;
    const { nodeTopology } = capacity;
    if (nodeTopology && matchesSelector(nodeTopology, node.labels)) return true;
  }
  return false;
}

/** In bytes; less than any volume where nothing is told. */
function largestVolume({ maximumVolumeSize, capacity }: CSIStorageCapacity): number {
  const limit = maximumVolumeSize ?? capacity;
  return limit === undefined ? -1 : quantityToNumber(limit);
}
