import path from "node:path";
import { processStartTime } from "../../sys/process.ts";
import {
  type ContainerRecord,
  holderIdOf,
  type RuntimePaths,
  type SandboxRecord,
  writeJson,
} from "./container-record.ts";
import { type ContainerStatus, RuntimeError } from "./contract.ts";

/** What runs on the node, in memory and on disk. */
export interface ContainerTable {
  readonly sandboxes: Map<string, SandboxRecord>;
  readonly containers: Map<string, ContainerRecord>;
  /** Writes the record of a container and remembers it. */
  save(record: ContainerRecord): void;
  /** @throws RuntimeError "not-found" */
  container(id: string): ContainerRecord;
  /** @throws RuntimeError "not-found" */
  sandbox(id: string): SandboxRecord;
  /** The containers of a pod, without what holds its sandbox. */
  inSandbox(sandboxId: string): ContainerRecord[];
  /** What holds the sandbox, while its process runs. */
  holder(sandboxId: string): ContainerRecord | undefined;
  onExit(handler: (status: ContainerStatus) => void): Disposable;
  /** Tells of an exit, once per container. */
  announceExit(status: ContainerStatus): void;
  /** Resolves when the container has exited, or at once. */
  exited(id: string): Promise<void>;
}

/** An empty table. */
export function createContainerTable(paths: RuntimePaths): ContainerTable {
  const sandboxes = new Map<string, SandboxRecord>();
  const containers = new Map<string, ContainerRecord>();
  const handlers = new Set<(status: ContainerStatus) => void>();
  const waiting = new Map<string, (() => void)[]>();
  const announced = new Set<string>();
  return {
    sandboxes,
    containers,
    save(record) {
      containers.set(record.status.id, record);
      writeJson(path.join(paths.container(record.status.id), "container.json"), record);
    },
    container(id) {
      const record = containers.get(id);
      if (!record) throw new RuntimeError("not-found", `Container "${id}" does not exist`);
      return record;
    },
    sandbox(id) {
      const record = sandboxes.get(id);
      if (!record) throw new RuntimeError("not-found", `Sandbox "${id}" does not exist`);
      return record;
    },
    inSandbox: (sandboxId) =>
      [...containers.values()].filter(
        ({ status, isHolder }) => status.sandboxId === sandboxId && !isHolder,
      ),
    holder(sandboxId) {
      const record = containers.get(holderIdOf(sandboxId));
      const { pid, state } = record?.status ?? {};
      if (!record || pid === undefined || state !== "running") return undefined;
      return processStartTime(pid) === record.startTime ? record : undefined;
    },
    onExit(handler) {
      handlers.add(handler);
      return { [Symbol.dispose]: () => void handlers.delete(handler) };
    },
    announceExit(status) {
      for (const resolve of waiting.get(status.id) ?? []) resolve();
      waiting.delete(status.id);
      if (announced.has(status.id) || containers.get(status.id)?.isHolder) return;
      announced.add(status.id);
      for (const handler of handlers) handler(status);
    },
    exited(id) {
      const state = containers.get(id)?.status.state;
      if (state === undefined || state === "exited") return Promise.resolve();
      return new Promise((resolve) => {
        waiting.set(id, [...(waiting.get(id) ?? []), resolve]);
      });
    },
  };
}
