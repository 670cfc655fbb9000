import { mkdirSync } from "node:fs";
import path from "node:path";
import type { ImageVolumeSource, Pod } from "../../api/generated/types/core-v1.ts";
import { MOUNT_FLAGS, mountOverlay } from "../../sys/mount.ts";
import type { LocalImage, PullPolicy } from "../image/contract.ts";
import { type PreparedVolume, VolumeError } from "./contract.ts";

/** Makes the image of a volume present, on behalf of its pod. */
export type OpenImage = (
  pod: Pod,
  image: { reference: string; policy: PullPolicy; signal: AbortSignal },
) => Promise<LocalImage>;

/** Mounts the files of an image, which nobody can change or run. Not idempotent. */
export async function mountImageVolume(
  { reference = "", pullPolicy = "IfNotPresent" }: ImageVolumeSource,
  of: { pod: Pod; directory: string; openImage: OpenImage; signal: AbortSignal },
): Promise<PreparedVolume> {
  const { pod, directory, signal } = of;
  if (!reference) throw new VolumeError("invalid", "the image volume names no image");
  const image = await of.openImage(pod, { reference, policy: pullPolicy, signal });
  if (image.layerPaths.length === 0) {
    const why = "its container runtime keeps images to itself";
    throw new VolumeError("invalid", `image volumes cannot be had on this node: ${why}`);
  }
  const [target, empty] = [path.join(directory, "root"), path.join(directory, "empty")];
  for (const made of [target, empty]) mkdirSync(made, { recursive: true, mode: 0o755 });
  const { readOnly, noExec, noSuid, noDevices } = MOUNT_FLAGS;
  // An overlay that nobody writes wants two layers at least.
  const layers = [empty, ...image.layerPaths];
  mountOverlay({ layers, target, flags: readOnly | noExec | noSuid | noDevices });
  return imageVolume(directory);
}

/** The volume once it is mounted. */
export function imageVolume(directory: string): PreparedVolume {
  return { hostPath: path.join(directory, "root"), readOnly: true, noExec: true };
}
