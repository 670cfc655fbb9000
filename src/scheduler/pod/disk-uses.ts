import type { Volume } from "../../api/generated/types/core-v1.ts";

/** A disk that a pod names itself, without a claim; one writer keeps all others off the node. */
export interface DiskUse {
  /** Uses with a name in common are of one disk. */
  names: readonly string[];
  readOnly: boolean;
}

/** The disks that volumes name themselves. */
export function disksOf(volumes: readonly Volume[]): DiskUse[] {
  const uses: DiskUse[] = [];
  for (const { gcePersistentDisk, awsElasticBlockStore, iscsi, rbd } of volumes) {
    if (gcePersistentDisk) {
      const { pdName, readOnly = false } = gcePersistentDisk;
      uses.push({ names: [`gce ${pdName}`], readOnly });
    }
    // Two pods never share one of these, not even to read.
    if (awsElasticBlockStore) {
      uses.push({ names: [`aws ${awsElasticBlockStore.volumeID}`], readOnly: false });
    }
    if (iscsi) uses.push({ names: [`iscsi ${iscsi.iqn}`], readOnly: iscsi.readOnly ?? false });
    if (rbd) {
      const { monitors, pool, image, readOnly = false } = rbd;
      uses.push({ names: monitors.map((one) => `rbd ${one} ${pool} ${image}`), readOnly });
    }
  }
  return uses;
}

/** Whether two pods cannot have their disks on one node. */
export function disksConflict(some: readonly DiskUse[], others: readonly DiskUse[]): boolean {
  return some.some((one) =>
    others.some(
      (other) =>
        !(one.readOnly && other.readOnly) && one.names.some((name) => other.names.includes(name)),
    ),
  );
}
