import { mkdirSync, rmSync } from "node:fs";
import path from "node:path";
import type * as cri from "../format/cri/generated.ts";
import { namesIn, readJson, writeJson } from "../agent/runtime/container-record.ts";

/** A pod sandbox as its creator described it. */
export interface SandboxRecord {
  id: string;
  config: cri.PodSandboxConfig;
  runtimeHandler: string;
  createdAtMs: number;
  /** False before all of it exists, and from its stop on. */
  ready: boolean;
  /** Empty in the node's own network. */
  ip: string;
  bootId: string;
}

/** A container as its creator described it. */
export interface ContainerRecord {
  id: string;
  sandboxId: string;
  config: cri.ContainerConfig;
  imageId: string;
  stopSignal?: string;
  /** Empty when no log is kept. */
  logPath: string;
  createdAtMs: number;
  /** Its command could not be run; the runtime has nothing of it. */
  failure?: { message: string; atMs?: number };
}

/** Records in memory and on disk, one file each. */
export interface RecordTable<T extends { id: string }> {
  /** By id, or the start of one when no other begins so. */
  find(id: string): T | undefined;
  all(): T[];
  save(record: T): void;
  remove(id: string): void;
}

const SHORT_ID_MIN = 4;

/** Opens the records in `directory`, which is created; one cut short by a crash is dropped. */
export function openRecordTable<T extends { id: string }>(directory: string): RecordTable<T> {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const records = new Map<string, T>();
  const fileOf = (id: string) => path.join(directory, `${id}.json`);
  for (const name of namesIn(directory)) {
    const record = readJson<T>(path.join(directory, name));
    if (record) records.set(record.id, record);
    else rmSync(path.join(directory, name), { force: true });
  }
  return {
    find(id) {
      const exact = records.get(id);
      if (exact || id.length < SHORT_ID_MIN) return exact;
      const found = [...records.values()].filter((record) => record.id.startsWith(id));
      return found.length === 1 ? found[0] : undefined;
    },
    all: () => [...records.values()],
    save(record) {
      writeJson(fileOf(record.id), record);
      records.set(record.id, record);
    },
    remove(id) {
      rmSync(fileOf(id), { force: true });
      records.delete(id);
    },
  };
}
