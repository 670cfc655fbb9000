import { closeSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { Cgroups } from "../../sys/cgroup.ts";
import {
  borrowDescriptors,
  connectToName,
  finishSending,
  openStreamSocket,
  sendDescriptors,
} from "../../sys/control-socket.ts";
import { signalNumber } from "../../sys/process.ts";
import { joiningScript } from "./cgroup-script.ts";
import { MonitorError } from "./conmon.ts";
import { holderIdOf } from "./container-record.ts";
import type { Failpoint } from "./failpoints.ts";
import { callKernel, encodeCall, kernelSocketName } from "./gvisor-control.ts";
import { type Gofer, startGofer } from "./gvisor-gofer.ts";
import { type GvisorSpec, type GvisorStates, gvisorSettings } from "./gvisor-state.ts";
import { tellWaiter, WAITER_STREAMS } from "./gvisor-waiter.ts";
import type { DrivenContainer } from "./sandbox-driver.ts";

/** More would not fit a socket at once, and this process would wait for the kernel of a pod. */
const SPEC_MAX_BYTES = 64 * 1024;

/**
 * Starts containers on kernels that run, without gVisor's commands: two processes of 10 ms fewer,
 * and the gofer begins while the kernel still starts.
 */
export interface DirectStarts extends Disposable {
  /**
   * Begins to start a container whose bundle is complete. Returns the descriptor on which its
   * waiter will hear of its end; undefined for a container that gVisor's commands have to start.
   */
  prepare(container: DrivenContainer): number | undefined;
  /** Goes on; false for what was not prepared in the life of this process. @throws MonitorError */
  start(container: DrivenContainer): Promise<boolean>;
  /** Gives back what is kept of one that does not start any more. Idempotent. */
  forget(id: string): void;
}

/** What such starts need to know. */
export interface DirectOptions {
  gvisor: readonly string[];
  launcher: string;
  /** As gVisor's commands get it. */
  directory: string;
  states: GvisorStates;
  cgroups: Cgroups;
  failpoint: Failpoint;
}

interface PreparedStart {
  spec: GvisorSpec & { process: { args: string[] } };
  gofer: Gofer;
  /** Not connected yet; the waiter has it too. */
  waitFd: number;
}

/** Opens what keeps the starts that were prepared. */
export function directStarts(options: DirectOptions): DirectStarts {
  const prepared = new Map<string, PreparedStart>();
  const release = ({ gofer, waitFd }: PreparedStart) => {
    gofer[Symbol.dispose]();
    closeSync(waitFd);
  };
  return {
    prepare(container) {
      const { id, bundle, cgroup, tty } = container;
      const text = readFileSync(path.join(bundle, "config.json"), "utf8");
      // A terminal belongs to the container from its creation on.
      if (tty || text.length > SPEC_MAX_BYTES) return undefined;
      const spec = JSON.parse(text) as PreparedStart["spec"];
      const joining = joiningScript(options.cgroups, "$1");
      const gofer = startGofer({ ...options, bundle, spec, joining, cgroup });
      options.failpoint("container-gofer");
      const waitFd = openStreamSocket();
      prepared.set(id, { spec, gofer, waitFd });
      return waitFd;
    },
    async start(container) {
      const begun = prepared.get(container.id);
      if (!begun) return false;
      prepared.delete(container.id);
      try {
        await startPrepared(options, { container, begun });
        return true;
      } catch (error) {
        tellWaiter(container, "end");
        throw error;
      } finally {
        release(begun);
      }
    },
    forget(id) {
      const begun = prepared.get(id);
      if (begun && prepared.delete(id)) release(begun);
    },
    [Symbol.dispose]() {
      for (const begun of prepared.values()) release(begun);
      prepared.clear();
    },
  };
}

async function startPrepared(
  { directory, states, failpoint }: DirectOptions,
  { container, begun }: { container: DrivenContainer; begun: PreparedStart },
): Promise<void> {
  const { id, bundle, sandboxId } = container;
  const { gofer, waitFd } = begun;
  const kernel = holderIdOf(sandboxId);
  const spec = { ...begun.spec, mounts: await gofer.mounts() };
  const call = (method: string, argument: object, descriptors: readonly number[] = []) =>
    callKernel(kernel, { method: `containerManager.${method}`, argument, descriptors });
  await call("CreateSubcontainer", { CID: id });
  failpoint("kernel-has-container");
  const waiter = Number(readFileSync(path.join(bundle, "pidfile"), "utf8"));
  const streams = borrowDescriptors(waiter, WAITER_STREAMS);
  try {
    const argument = { Spec: spec, Conf: gvisorSettings(directory), CID: id };
    await call("StartSubcontainer", argument, [...streams, ...gofer.files]);
    failpoint("kernel-runs-container");
  } catch (error) {
    await destroyInKernel(kernel, id);
    if (!(error instanceof MonitorError)) throw error;
    const words = `starting [${spec.process.args.join(" ")}]: ${error.message}`;
    throw new MonitorError(words, { cause: error });
  } finally {
    for (const fd of streams) closeSync(fd);
  }
  connectToName(waitFd, kernelSocketName(kernel));
  sendDescriptors(waitFd, encodeCall({ method: "containerManager.Wait", argument: id }), []);
  finishSending(waitFd);
  tellWaiter(container, "wait");
  failpoint("waiter-told");
  // In the end: who is found in these files after a crash has a waiter that waits.
  states.save({ id, kernel, bundle, spec });
  failpoint("container-known");
  weighKernel(states, kernel);
}

/** A kernel is worth as much as the most precious of its containers, as gVisor has it. */
function weighKernel(states: GvisorStates, kernel: string): void {
  const score = states.oomScore(kernel);
  if (score === undefined) return;
  try {
    writeFileSync(`/proc/${states.kernelPid(kernel)}/oom_score_adj`, String(score));
  } catch (error) {
    // It has ended, which its monitor tells.
    if (!["ENOENT", "ESRCH"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
  }
}

/** Ends what a container left in a kernel, which may be gone. */
export async function destroyInKernel(kernel: string, id: string): Promise<void> {
  const call = { method: "containerManager.DestroySubcontainer", argument: id };
  await callKernel(kernel, call).catch(() => {});
}

/** Signals the first process of a container; without effect when it, or the kernel, has ended. */
export async function signalInKernel(
  kernel: string,
  { id, name }: { id: string; name: string },
): Promise<void> {
  const argument = { CID: id, Signo: signalNumber(name), PID: 0, Mode: 0 };
  await callKernel(kernel, { method: "containerManager.Signal", argument }).catch(() => {});
}
