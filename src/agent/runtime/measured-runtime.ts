import type { ContainerRuntime } from "./contract.ts";

/** A kubelet's names of what it asks of a runtime. */
export type RuntimeOperation =
  | "run_podsandbox"
  | "stop_podsandbox"
  | "remove_podsandbox"
  | "create_container"
  | "start_container"
  | "stop_container"
  | "remove_container"
  | "update_container_resources"
  | "exec_sync"
  | "exec"
  | "attach"
  | "reopen_container_log";

/** Told when an operation has ended; of a sandbox that was asked for, with its handler, if any. */
export type OperationObserver = (
  operation: RuntimeOperation,
  outcome: { seconds: number; failed: boolean; handler?: string },
) => void;

/** The same runtime, whose operations are told of. */
export function measuredRuntime(
  runtime: ContainerRuntime,
  { monotonicMs, observe }: { monotonicMs: () => number; observe: OperationObserver },
): ContainerRuntime {
  const measured =
    <A extends unknown[], R>(
      operation: RuntimeOperation,
      act: (...args: A) => Promise<R>,
      handlerOf?: (...args: A) => string,
    ) =>
    async (...args: A): Promise<R> => {
      const beganMs = monotonicMs();
      let failed = true;
      try {
        const result = await act(...args);
        failed = false;
        return result;
      } finally {
        const outcome = { seconds: (monotonicMs() - beganMs) / 1000, failed };
        observe(operation, handlerOf ? { ...outcome, handler: handlerOf(...args) } : outcome);
      }
    };
  return {
    ...runtime,
    createSandbox: measured(
      "run_podsandbox",
      (spec) => runtime.createSandbox(spec),
      ({ handler = "" }) => handler,
    ),
    stopSandbox: measured("stop_podsandbox", (id) => runtime.stopSandbox(id)),
    removeSandbox: measured("remove_podsandbox", (id) => runtime.removeSandbox(id)),
    createContainer: measured("create_container", (spec) => runtime.createContainer(spec)),
    startContainer: measured("start_container", (id) => runtime.startContainer(id)),
    stopContainer: measured("stop_container", (id, stop) => runtime.stopContainer(id, stop)),
    removeContainer: measured("remove_container", (id) => runtime.removeContainer(id)),
    updateResources: measured("update_container_resources", (id, limits) =>
      runtime.updateResources(id, limits),
    ),
    execSync: measured("exec_sync", (id, command, timeoutMs) =>
      runtime.execSync(id, command, timeoutMs),
    ),
    exec: measured("exec", (id, options) => runtime.exec(id, options)),
    attach: measured("attach", (id, options) => runtime.attach(id, options)),
    reopenLog: measured("reopen_container_log", (id) => runtime.reopenLog(id)),
  };
}
