/** How many nodes and pods a volume can be used from. */
export const ACCESS_MODES: readonly string[] = [
  "ReadOnlyMany",
  "ReadWriteMany",
  "ReadWriteOnce",
  "ReadWriteOncePod",
];

/** Whether a volume is used as a directory or as a device. */
export const VOLUME_MODES: readonly string[] = ["Block", "Filesystem"];
