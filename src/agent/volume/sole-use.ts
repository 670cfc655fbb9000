import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { PersistentVolume } from "../../api/generated/types/core-v1.ts";
import { VolumeError } from "./contract.ts";

/** In the directory of a pod, a file for each volume that no other pod may use meanwhile. */
const SOLE = "sole-volumes";

/**
 * Takes a volume for a pod, if one pod at a time is all that may use it; on disk, so that the next
 * agent knows who has it. Idempotent. @throws VolumeError while another pod of the node has it
 */
export function takeSolely(volume: PersistentVolume, podDirectory: string): void {
  const { accessModes = [] } = volume.spec ?? {};
  // Of several modes it is not known which one the pod means.
  if (accessModes.length !== 1 || accessModes[0] !== "ReadWriteOncePod") return;
  const place = path.join(SOLE, volume.metadata?.name ?? "");
  const pods = path.dirname(podDirectory);
  const own = path.basename(podDirectory);
  const others = readdirSync(pods).filter((name) => name !== own);
  if (others.some((name) => existsSync(path.join(pods, name, place)))) {
    const mode = "volume uses the ReadWriteOncePod access mode";
    throw new VolumeError("in-use", `${mode} and is already in use by another pod`);
  }
  mkdirSync(path.join(podDirectory, SOLE), { recursive: true });
  writeFileSync(path.join(podDirectory, place), "");
}

/** Lets others have what a pod took. Idempotent. */
export function giveSolelyUsed(podDirectory: string): void {
  rmSync(path.join(podDirectory, SOLE), { recursive: true, force: true });
}
