/**
 * Places where a process can be made to die in tests while it changes the image store, in the order
 * in which an image comes to them: after each step that leaves something on disk. Whoever adds such
 * a step adds its place; `image-crash.test.ts` goes through all of them.
 */
export const IMAGE_FAILPOINTS = [
  "download-begun",
  "layers-downloaded",
  "archive-decompressed",
  "layer-begun",
  "layer-unpacked",
  "layer-kept",
  "layers-durable",
  "record-written",
  "record-kept",
  "record-removed",
  "layer-condemned",
  "layer-removed",
] as const;

/** Name of such a place. */
export type ImageFailpointName = (typeof IMAGE_FAILPOINTS)[number];

/** Called at each place; does nothing but in tests. */
export type ImageFailpoint = (name: ImageFailpointName) => void;
