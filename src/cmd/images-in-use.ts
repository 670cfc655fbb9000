import { readdirSync } from "node:fs";
import path from "node:path";
import {
  type ContainerRecord,
  namesIn,
  readJson,
  runtimePaths,
} from "../agent/runtime/container-record.ts";
import type { DataDirectory } from "./data-directory.ts";
import { runtimeOptionsOf } from "./runtime-options.ts";

/**
 * Whether a container of any node of this machine was made from an image: the nodes share their
 * images, and each is a process of its own. Read from the records on disk.
 */
export function createImageUse(directory: DataDirectory): (imageId: string) => boolean {
  return (imageId) =>
    nodeIndexes(directory).some((index) => {
      const { stateDirectory, runDirectory } = runtimeOptionsOf(directory.node(index));
      const { containers, container } = runtimePaths(stateDirectory, runDirectory);
      return namesIn(containers).some((id) => {
        const record = readJson<ContainerRecord>(path.join(container(id), "container.json"));
        return record?.status.imageId === imageId;
      });
    });
}

function nodeIndexes({ root }: DataDirectory): number[] {
  try {
    return readdirSync(path.join(root, "nodes")).map(Number).filter(Number.isInteger);
  } catch {
    return []; // no node has started yet
  }
}
