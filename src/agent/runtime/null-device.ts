import { chmodSync, chownSync, statSync } from "node:fs";

const NULL_DEVICE = "/dev/null";
const MODE = 0o666;

/**
 * Takes the node's /dev/null back from the root of a pod, whom crun gave it to as the standard
 * input of a container. Nothing happens where it is mounted read-only, see `enterPrivateMounts`.
 */
export function reclaimNullDevice(firstId: number): void {
  if (statSync(NULL_DEVICE).uid !== firstId) return;
  chownSync(NULL_DEVICE, 0, 0);
  chmodSync(NULL_DEVICE, MODE);
}
