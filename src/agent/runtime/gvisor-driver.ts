import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { maskUpTo } from "../../format/oci/capabilities.ts";
import { MonitorError } from "./conmon.ts";
import { holderIdOf } from "./container-record.ts";
import type { SandboxSpec } from "./contract.ts";
import type { Failpoint } from "./failpoints.ts";
import { destroyInKernel, directStarts, signalInKernel } from "./gvisor-direct.ts";
import { kernelStarts } from "./gvisor-kernel.ts";
import { prepareLaunchers } from "./gvisor-launcher.ts";
import { KNOWN_RELEASE, openGvisorStates } from "./gvisor-state.ts";
import {
  holderScript,
  prepareWaiter,
  SHELL,
  shell,
  startByWaiter,
  startedHook,
  waiterScript,
} from "./gvisor-waiter.ts";
import { runProgram } from "./oci-command.ts";
import type { DriverContext, SandboxDriver } from "./sandbox-driver.ts";
import { createSeccompProfiles } from "./seccomp-choice.ts";

const UNCONFINED_EXEC =
  "gVisor would not confine it by the container's seccomp profile: use another profile or RuntimeClass";
/** It starts nothing that has others, as privileged containers would. */
const KNOWN_CAPABILITIES = maskUpTo("AUDIT_READ");
const INNER_PID = "inner-pid";
/** conmon says `--tty` although the process specification does, which gVisor does not know. */
const WITHOUT_TTY =
  'for word; do shift; [ "$word" = --tty ] || set -- "$@" "$word"; done; exec "$0" "$@"';
const TYPE = "io.kubernetes.cri.container-type";
const SANDBOX = "io.kubernetes.cri.sandbox-id";

/**
 * gVisor: a pod's containers run on a kernel in user space that its holder starts and they share.
 * Their processes are no processes of the node, so a monitor watches one that waits for theirs.
 */
export function gvisorDriver(context: DriverContext): SandboxDriver {
  const { paths, program, handler, cgroups, clock, failpoint } = context;
  const state = paths.runtimeState(handler);
  const settings = `${state}-sysctl`;
  const launchers = prepareLaunchers(paths.programs, { settings });
  const gvisor = [program, "--root", state, "--ignore-cgroups", "--oci-seccomp"];
  const command = [launchers.plain, ...gvisor];
  const run = (...args: string[]) => runProgram([...command, ...args]);
  const states = openGvisorStates(state);
  const release = openRelease(program, failpoint);
  const known = { gvisor, states, cgroups, failpoint };
  const kernels = kernelStarts({ ...known, launchers, clock });
  const launcher = launchers.gofer;
  const direct = directStarts({ ...known, launcher, directory: state });
  return {
    handler,
    command,
    hasOwnKernel: true,
    capabilities: KNOWN_CAPABILITIES,
    hasUserNamespaces: false,
    hasRecursiveReadOnly: false,
    placesItself: true,
    leavesGroupsWritable: false,
    needsFewMounts: false,
    seccomp: createSeccompProfiles("omitted"),
    execFailureCode: 128,
    ready: () => release.known(),
    refusal(spec) {
      // Meanwhile the sandbox is made.
      void release.known();
      return refusal(spec);
    },
    annotations: ({ isHolder, sandboxId }) =>
      isHolder ? { [TYPE]: "sandbox" } : { [TYPE]: "container", [SANDBOX]: holderIdOf(sandboxId) },
    startedHook: (container) =>
      container.isHolder || container.tty ? undefined : startedHook(container),
    // Namespaces of equal path are one; the kernel's first one has no path and is the pod's.
    processNamespace: ({ id, shared, target }) => (shared ? "host" : `/pid/${target?.id ?? id}`),
    creation(container) {
      if (!container.isHolder) {
        prepareWaiter(container);
        failpoint("waiter-prepared");
        const waitFd = release.isKnown() ? direct.prepare(container) : undefined;
        const descriptors = waitFd === undefined ? [] : [waitFd];
        return { command: shell(waiterScript(command, container)), descriptors };
      }
      hideSettings(settings);
      const kernel = release.isKnown() ? kernels.prepare(container) : undefined;
      if (kernel) return kernel;
      return { command: shell(holderScript([launchers.kernel, ...gvisor])) };
    },
    // Its kernel filters what the container starts with, and what that starts.
    execRefusal: ({ linux }) => (linux?.seccomp ? UNCONFINED_EXEC : undefined),
    execution: (more) => [SHELL, "-c", WITHOUT_TTY, ...command, ...more],
    execFiles: ({ directory }) => ["--internal-pid-file", path.join(directory, INNER_PID)],
    canKillExec: ({ directory }) => readText(path.join(directory, INNER_PID)) !== "",
    async killExec({ id, directory }) {
      const inner = readText(path.join(directory, INNER_PID));
      if (inner) await run("kill", "--pid", inner, id, "SIGKILL").catch(ignoreWords);
    },
    async start(container) {
      // What gVisor's command makes to hold a sandbox runs from its creation on.
      if (container.isHolder) return await kernels.start(container);
      if (await direct.start(container)) return;
      // An agent that died may have come as far as the kernel. With a terminal, a container is to be
      // there since its creation.
      if (!container.tty && (await release.known())) {
        await destroyInKernel(holderIdOf(container.sandboxId), container.id);
      }
      await startByWaiter(container);
    },
    async signal({ id, sandboxId, isHolder }, name) {
      // Its process is the kernel itself.
      if (isHolder) return false;
      // One that has ended, or never started, feels none.
      if (release.isKnown()) await signalInKernel(holderIdOf(sandboxId), { id, name });
      else await run("kill", id, name).catch(ignoreWords);
      return true;
    },
    async discard({ id, sandboxId }) {
      direct.forget(id);
      kernels.forget(id);
      const kernel = holderIdOf(sandboxId);
      const files = states.filesOf(id);
      // A kernel that has ended leaves nothing else.
      if (id !== kernel) {
        // Also what no file tells of: an agent may have died before it wrote it.
        if (await release.known()) await destroyInKernel(kernel, id);
        else if (files.length > 0) await run("delete", "--force", id).catch(ignoreWords);
        failpoint("kernel-lost-container");
      }
      for (const name of files) rmSync(path.join(state, name), { force: true });
      failpoint("container-forgotten");
    },
    [Symbol.dispose]() {
      direct[Symbol.dispose]();
      kernels[Symbol.dispose]();
    },
  };
}

/** Whether this is the release whose insides are known. */
interface Release {
  /** False as long as that is being found out, which begins when it is first asked. */
  isKnown(): boolean;
  known(): Promise<boolean>;
}

function openRelease(program: string, failpoint: Failpoint): Release {
  let isKnown = false;
  let finding: Promise<boolean> | undefined;
  const find = async () => {
    try {
      const words = await runProgram([program, "--version"]);
      isKnown = words.split("\n")[0] === `runsc version ${KNOWN_RELEASE}`;
    } catch {
      // Whoever starts a container with it hears why.
    }
    failpoint("release-known");
    return isKnown;
  };
  const known = () => (finding ??= find());
  return {
    known,
    isKnown() {
      void known();
      return isKnown;
    },
  };
}

function refusal(spec: SandboxSpec): string | undefined {
  const asked = [
    ...(spec.hostPid ? ["hostPID"] : []),
    ...(spec.hostIpc ? ["hostIPC"] : []),
    ...(spec.networkNamespacePath === undefined ? ["hostNetwork"] : []),
  ];
  const why = "as its kernel is not the node's: choose another RuntimeClass";
  if (asked.length > 0) return `A gVisor sandbox cannot share ${asked.join(", ")} ${why}`;
  const settings = Object.keys(spec.sysctls ?? {});
  return settings.length > 0 ? `A gVisor sandbox has no ${settings.join(", ")} ${why}` : undefined;
}

/**
 * gVisor of 2022 takes a network namespace for the node's when it has net.core.rmem_default, which
 * since Linux 6.7 all have: it starts with a /proc/sys that has nothing but what it needs.
 */
function hideSettings(directory: string): void {
  mkdirSync(path.join(directory, "vm"), { recursive: true, mode: 0o755 });
  const name = "vm/mmap_min_addr";
  writeFileSync(path.join(directory, name), readFileSync(`/proc/sys/${name}`));
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8").trim();
  } catch {
    return "";
  }
}

function ignoreWords(error: unknown): void {
  if (!(error instanceof MonitorError)) throw error;
}
