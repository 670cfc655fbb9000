import { type ContainerStatus, RuntimeError, type SandboxSpec } from "../contract.ts";
import type { KeptContainer } from "./cri-objects.ts";

/** A sandbox of a pod. */
export interface CriSandbox {
  spec: SandboxSpec;
  createdAtMs: number;
  /** The runtime's sandboxes for it, the one that is used last: a new one follows one that died. */
  remoteIds: readonly string[];
}

/** A container and its name at the runtime. */
export interface CriContainer {
  status: ContainerStatus;
  remoteId: string;
  kept: KeptContainer;
  /** Start time of the first process, beside `status.pid`. */
  startTime?: string;
  /** Directory with what it has written. */
  layer?: string;
}

/** What this node has at the container runtime, as far as it is known here. */
export interface CriTable {
  readonly sandboxes: Map<string, CriSandbox>;
  readonly containers: Map<string, CriContainer>;
  /** @throws RuntimeError "not-found" */
  sandbox(id: string): CriSandbox;
  /** @throws RuntimeError "not-found" */
  container(id: string): CriContainer;
  inSandbox(sandboxId: string): CriContainer[];
  /** Replaces what is known of a container; an end is told, once. */
  save(container: CriContainer): void;
  onExit(handler: (status: ContainerStatus) => void): Disposable;
  /** Resolves when the container has exited or is gone. */
  exited(id: string): Promise<void>;
  forget(id: string): void;
}

/** An empty table. */
export function createCriTable(): CriTable {
  const sandboxes = new Map<string, CriSandbox>();
  const containers = new Map<string, CriContainer>();
  const handlers = new Set<(status: ContainerStatus) => void>();
  const waiting = new Map<string, (() => void)[]>();
  const told = new Set<string>();
  const release = (id: string) => {
    for (const resolve of waiting.get(id) ?? []) resolve();
    waiting.delete(id);
  };
  return {
    sandboxes,
    containers,
    sandbox(id) {
      const found = sandboxes.get(id);
      if (!found) throw new RuntimeError("not-found", `Sandbox "${id}" does not exist`);
      return found;
    },
    container(id) {
      const found = containers.get(id);
      if (!found) throw new RuntimeError("not-found", `Container "${id}" does not exist`);
      return found;
    },
    inSandbox: (sandboxId) =>
      [...containers.values()].filter(({ status }) => status.sandboxId === sandboxId),
    save(container) {
      const { id, state } = container.status;
      containers.set(id, container);
      if (state !== "exited") return;
      release(id);
      if (told.has(id)) return;
      told.add(id);
      for (const handler of handlers) handler(container.status);
    },
    onExit(handler) {
      handlers.add(handler);
      return { [Symbol.dispose]: () => void handlers.delete(handler) };
    },
    exited(id) {
      const state = containers.get(id)?.status.state;
      if (state === undefined || state === "exited") return Promise.resolve();
      return new Promise((resolve) => waiting.set(id, [...(waiting.get(id) ?? []), resolve]));
    },
    forget(id) {
      containers.delete(id);
      told.delete(id);
      release(id);
    },
  };
}
