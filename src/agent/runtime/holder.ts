import { existsSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import { initProgram } from "../../format/elf/init-program.ts";
import { holderIdOf } from "./container-record.ts";
import { removeContainer } from "./container-removal.ts";
import { createContainer, startContainer } from "./container-start.ts";
import { type ContainerSpec, RuntimeError, type SandboxSpec } from "./contract.ts";
import { programMachine } from "./own-program.ts";
import type { RuntimeContext } from "./runtime-context.ts";

const NOBODY = "65535:65535";

/** A sandbox whose namespaces, or whose kernel, live only as long as a process in them. */
export function needsHolder(context: RuntimeContext, spec: SandboxSpec): boolean {
  const { hasOwnKernel } = context.drivers.of(spec.handler);
  return hasOwnKernel || ((spec.shareProcessNamespace ?? false) && !spec.hostPid);
}

/**
 * Begins to make the holder of a new sandbox; waits for it unless only the start of a container
 * needs it, which asks for it again and then hears why there is none.
 */
export async function beginHolder(context: RuntimeContext, spec: SandboxSpec): Promise<void> {
  const made = ensureHolder(context, spec.id);
  if (!context.drivers.of(spec.handler).hasOwnKernel) return await made;
  made.catch((error: unknown) => {
    context.logger.warn("cannot start the kernel of a pod", { pod: spec.podName, error });
  });
}

/** Waits for a holder that is being made, whatever comes of it. */
export async function settleHolder(context: RuntimeContext, sandboxId: string): Promise<void> {
  await context.holding.get(sandboxId)?.catch(() => {});
}

/**
 * Makes the holder of a sandbox, if it needs one and has none that lives. Without it, all that the
 * sandbox runs has ended too. Idempotent; several callers wait for the same one.
 */
export function ensureHolder(context: RuntimeContext, sandboxId: string): Promise<void> {
  const { spec } = context.table.sandbox(sandboxId);
  if (!needsHolder(context, spec) || context.table.holder(sandboxId)) return Promise.resolve();
  const begun = context.holding.get(sandboxId);
  if (begun) return begun;
  const making = makeHolder(context, spec).finally(() => context.holding.delete(sandboxId));
  context.holding.set(sandboxId, making);
  return making;
}

async function makeHolder(context: RuntimeContext, spec: SandboxSpec): Promise<void> {
  const id = holderIdOf(spec.id);
  await removeContainer(context, id);
  if (context.drivers.of(spec.handler).hasOwnKernel) {
    for (const handler of context.kernelHandlers) handler(spec.id);
  }
  await createContainer(context, holderSpec(context, spec), { isHolder: true });
  const { state } = await startContainer(context, id);
  if (state === "running") return;
  const message = `Cannot hold the sandbox of pod "${spec.podName}": its first process ended`;
  throw new RuntimeError("runtime-failed", message);
}

function holderSpec(context: RuntimeContext, { id: sandboxId }: SandboxSpec): ContainerSpec {
  return {
    id: holderIdOf(sandboxId),
    sandboxId,
    name: "sandbox",
    attempt: 0,
    image: {
      id: "",
      references: [],
      sizeBytes: 0,
      config: {},
      layerPaths: [prepareLayer(context.paths.holderLayer)],
    },
    imageReference: "",
    command: ["/init"],
    environment: [],
    workingDirectory: "/",
    mounts: [],
    logPath: "",
    resources: { cpuShares: 2, oomScoreAdj: -998 },
    security: {
      user: NOBODY,
      allowPrivilegeEscalation: false,
      dropCapabilities: ["ALL"],
      readOnlyRootFilesystem: true,
      seccomp: "runtime-default",
    },
  };
}

/** A root file system with one program. Its mount points exist, as it is read-only. */
function prepareLayer(directory: string): string {
  const file = path.join(directory, "init");
  if (existsSync(file)) return directory;
  const machine = programMachine();
  for (const name of ["dev", "proc", "sys"]) {
    mkdirSync(path.join(directory, name), { recursive: true, mode: 0o755 });
  }
  // Whole or not at all, whenever this process ends.
  writeFileSync(`${file}.new`, initProgram(machine), { mode: 0o755 });
  renameSync(`${file}.new`, file);
  return directory;
}
