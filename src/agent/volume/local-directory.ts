import { statSync } from "node:fs";
import { VolumeError } from "./contract.ts";
import { giveToGroup, type VolumeGroup } from "./volume-ownership.ts";

/** Checks the directory of a local volume, and gives it to a group. @throws VolumeError "invalid" */
export function prepareLocalDirectory(directory: string, group?: VolumeGroup): void {
  if (!statSync(directory, { throwIfNoEntry: false })?.isDirectory()) {
    throw new VolumeError("invalid", `local volume "${directory}" is no directory here`);
  }
  if (group) giveToGroup(directory, group);
}
