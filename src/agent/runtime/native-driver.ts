import { closeSync, constants, openSync, unlinkSync, writeSync } from "node:fs";
import { release } from "node:os";
import path from "node:path";
import { ALL_CAPABILITIES } from "../../format/oci/capabilities.ts";
import { sealProgram } from "../../sys/sealed-program.ts";
import { runProgram } from "./oci-command.ts";
import type { DriverContext, SandboxDriver } from "./sandbox-driver.ts";
import { createSeccompProfiles } from "./seccomp-choice.ts";

/** crun and runc: containers on the node's own kernel, in namespaces. */
export function nativeDriver(context: DriverContext): SandboxDriver {
  const { paths, cgroups, program, handler } = context;
  const isCrun = handler === "crun";
  const placesItself = isCrun && cgroups.version === 1;
  const manager = isCrun ? [`--cgroup-manager=${placesItself ? "disabled" : "cgroupfs"}`] : [];
  // They would make such a copy at every start, and start again from it.
  const sealed = sealProgram(program);
  const command = [sealed.path, "--root", paths.runtimeState(handler), ...manager];
  return {
    handler,
    command,
    hasOwnKernel: false,
    capabilities: ALL_CAPABILITIES,
    // runc 1.1 joins none that somebody else has made.
    hasUserNamespaces: isCrun,
    hasRecursiveReadOnly: hasMountAttributes(),
    placesItself,
    leavesGroupsWritable: isCrun && cgroups.version === 1,
    // It alone reads and copies them all.
    needsFewMounts: isCrun,
    seccomp: createSeccompProfiles(isCrun ? "compiled" : "json"),
    execFailureCode: 255,
    refusal: () => undefined,
    annotations: () => ({}),
    startedHook: () => undefined,
    processNamespace({ hostPid, target }) {
      if (target) return `/proc/${target.pid}/ns/pid`;
      return hostPid ? "host" : undefined;
    },
    creation: () => ({ command }),
    execRefusal: () => undefined,
    execution: (more) => [...command, ...more],
    execFiles: () => [],
    canKillExec: () => true,
    killExec: () => Promise.resolve(),
    async start({ id }) {
      const letGo = () => context.failpoint("container-let-go");
      if (!isCrun || !releaseInit(path.join(paths.runtimeState(handler), id), letGo)) {
        await runProgram([...command, "start", id]);
      }
    },
    signal: () => Promise.resolve(false),
    discard({ id }) {
      // All that these runtimes keep of a container that has ended.
      context.discard(path.join(paths.runtimeState(handler), id));
      return Promise.resolve();
    },
    [Symbol.dispose]: () => sealed[Symbol.dispose](),
  };
}

/** mount_setattr(2), by which crun and runc do it, is there from Linux 5.12 on. */
function hasMountAttributes(): boolean {
  const [major = 0, minor = 0] = release().split(".").map(Number);
  return major > 5 || (major === 5 && minor >= 12);
}

/**
 * Does what `crun start` does, without its process: the waiting first process reads a byte from a
 * FIFO. The name goes last: without it, the process counts as released. False when it is not there.
 */
function releaseInit(directory: string, letGo: () => void): boolean {
  const fifo = path.join(directory, "exec.fifo");
  try {
    const fd = openSync(fifo, constants.O_WRONLY | constants.O_NONBLOCK);
    try {
      writeSync(fd, "1");
      letGo();
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    // Nobody waits there any more: an agent that died before it took the name away has released it.
    if ((error as NodeJS.ErrnoException).code !== "ENXIO") return false;
  }
  unlinkSync(fifo);
  return true;
}
