import { closeSync, openSync, readFileSync, statSync } from "node:fs";
import { totalmem } from "node:os";
import path from "node:path";
import { type Clock, sleep } from "../../lib/clock.ts";
import type { Cgroups } from "../../sys/cgroup.ts";
import { listenOnName } from "../../sys/control-socket.ts";
import { makePipe } from "../../sys/file.ts";
import { SysError } from "../../sys/sys-error.ts";
import { joiningScript } from "./cgroup-script.ts";
import { MonitorError } from "./conmon.ts";
import type { Failpoint } from "./failpoints.ts";
import { kernelSocketName } from "./gvisor-control.ts";
import { type Gofer, startGofer } from "./gvisor-gofer.ts";
import { BOOT_DESCRIPTORS, type GvisorLaunchers } from "./gvisor-launcher.ts";
import type { GvisorSpec, GvisorStates } from "./gvisor-state.ts";
import { lastLogged, runProgram, shellWord } from "./oci-command.ts";
import type { Creation, DrivenContainer } from "./sandbox-driver.ts";

const SHELL = "/bin/sh";
const KERNEL_LOG = "kernel.log";
const ENTER_PASS_MS = 1;
const ENTER_PASSES = 10_000;
const PRODUCT_NAME = "/sys/devices/virtual/dmi/id/product_name";

/**
 * Starts the kernels of pods as gVisor's `run` does, without the processes by which that comes
 * there: `run` itself, the one that becomes nobody, and the one that waits to take /proc away. The
 * kernel, its gofer and the command that tells it of its network start at once.
 */
export interface KernelStarts extends Disposable {
  /** Begins; undefined when gVisor's command has to do it. */
  prepare(holder: DrivenContainer): Creation | undefined;
  /** Goes on when its monitor has begun; does nothing for others. @throws MonitorError */
  start(holder: DrivenContainer): Promise<void>;
  /** Gives back what is kept of one that does not start any more. Idempotent. */
  forget(id: string): void;
}

/** What such starts need to know. */
export interface KernelOptions {
  /** gVisor with its global arguments. */
  gvisor: readonly string[];
  launchers: GvisorLaunchers;
  states: GvisorStates;
  cgroups: Cgroups;
  clock: Clock;
  failpoint: Failpoint;
}

interface KernelSpec extends GvisorSpec {
  linux: { namespaces: { type: string; path?: string }[] };
}

interface PreparedKernel extends Disposable {
  spec: KernelSpec;
  /** File of the pod's network namespace. */
  network: string;
  descriptors: Creation["descriptors"];
}

/** Opens what keeps the starts that were prepared. */
export function kernelStarts(options: KernelOptions): KernelStarts {
  const prepared = new Map<string, PreparedKernel>();
  const forget = (id: string) => {
    prepared.get(id)?.[Symbol.dispose]();
    prepared.delete(id);
  };
  return {
    prepare(holder) {
      const kernel = prepareKernel(options, holder);
      if (!kernel) return undefined;
      prepared.set(holder.id, kernel);
      const command = [SHELL, "-c", bootScript(options, holder), SHELL];
      return { command, descriptors: kernel.descriptors ?? [] };
    },
    async start(holder) {
      const { id, bundle } = holder;
      const kernel = prepared.get(id);
      if (!kernel) return;
      forget(id);
      const pid = Number(readFileSync(path.join(bundle, "pidfile"), "utf8"));
      options.states.saveKernel({ id, bundle, spec: kernel.spec, pid });
      options.failpoint("kernel-known");
      try {
        await entersNetwork(pid, kernel.network, options.clock);
        const started = runProgram([options.launchers.kernel, ...options.gvisor, "start", id]);
        options.failpoint("kernel-starting");
        await started;
        options.failpoint("kernel-started");
      } catch (error) {
        const words = lastLogged(path.join(bundle, KERNEL_LOG));
        throw words === undefined ? error : new MonitorError(words, { cause: error });
      }
    },
    forget,
    [Symbol.dispose]() {
      for (const id of prepared.keys()) forget(id);
    },
  };
}

function prepareKernel(
  { gvisor, launchers, cgroups, failpoint }: KernelOptions,
  { id, bundle, cgroup }: DrivenContainer,
): PreparedKernel | undefined {
  const specFile = path.join(bundle, "config.json");
  const spec = JSON.parse(readFileSync(specFile, "utf8")) as KernelSpec;
  const network = spec.linux.namespaces.find(({ type }) => type === "network")?.path;
  if (network === undefined) return undefined;
  const controller = listenOnceFree(id);
  if (controller === undefined) return undefined;
  const { readFd: procRead, writeFd: procWrite } = makePipe();
  const opened = [controller, procRead, procWrite];
  const open = (file: string, flags = "r") => {
    const fd = openSync(file, flags, 0o600);
    opened.push(fd);
    return fd;
  };
  let gofer: Gofer | undefined;
  const close = () => {
    gofer?.[Symbol.dispose]();
    for (const fd of opened.splice(0)) closeSync(fd);
  };
  try {
    const joining = joiningScript(cgroups, "$1");
    gofer = startGofer({ bundle, spec, launcher: launchers.gofer, gvisor, joining, cgroup });
    failpoint("kernel-gofer");
    // In the order of `BOOT_DESCRIPTORS`.
    const descriptors = [
      gofer.files[0] ?? -1,
      gofer.mountsFd,
      controller,
      open(specFile),
      "ignore",
      "ignore",
      "ignore",
      open(network),
      procRead,
      procWrite,
      open(gvisor[0] ?? ""),
      open(path.join(bundle, KERNEL_LOG), "a"),
      "ignore",
    ] as const;
    return { spec, network, descriptors, [Symbol.dispose]: close };
  } catch (error) {
    close();
    throw error;
  }
}

/**
 * Resolves when a kernel is in the network namespace of its pod. The command that starts it takes
 * the addresses away from where its process is: too early, those would be the node's own.
 * @throws MonitorError when it has ended, or does not come there
 */
export async function entersNetwork(pid: number, network: string, clock: Clock): Promise<void> {
  const wanted = statSync(network).ino;
  for (let pass = 0; pass < ENTER_PASSES; pass++) {
    const current = statSync(`/proc/${pid}/ns/net`, { throwIfNoEntry: false });
    if (!current) throw new MonitorError("the kernel of the pod has ended before its start");
    if (current.ino === wanted) return;
    await sleep(clock, ENTER_PASS_MS);
  }
  throw new MonitorError("the kernel of the pod does not enter the pod's network");
}

/** The monitor of a kernel that has just ended keeps its name for another moment. */
function listenOnceFree(id: string): number | undefined {
  try {
    return listenOnName(kernelSocketName(id));
  } catch (error) {
    if (error instanceof SysError && error.code === "EADDRINUSE") return undefined;
    throw error;
  }
}

/** Source: gVisor, runsc/cmd/boot.go. */
function bootScript({ gvisor, launchers }: KernelOptions, holder: DrivenContainer): string {
  const { id, bundle } = holder;
  const fd = BOOT_DESCRIPTORS;
  const product = productName();
  const command = [
    launchers.boot,
    "runsc-sandbox",
    ...gvisor.slice(1),
    `--log-fd=${fd.log}`,
    "--log-format=json",
    "boot",
    `--bundle=${bundle}`,
    `--io-fds=${fd.files}`,
    `--mounts-fd=${fd.mounts}`,
    `--controller-fd=${fd.controller}`,
    `--spec-fd=${fd.spec}`,
    ...fd.streams.map((stream) => `--stdio-fds=${stream}`),
    `--proc-mount-sync-fd=${fd.procWrite}`,
    `--start-sync-fd=${fd.started}`,
    `--total-memory=${totalmem()}`,
    ...(product === undefined ? [] : [`--product-name=${product}`]),
    id,
  ];
  const pidFile = shellWord(path.join(bundle, "pidfile"));
  return `${command.map(shellWord).join(" ")} </dev/null >/dev/null 2>&1 & echo $! > ${pidFile}`;
}

/** What programs in the pod see of the machine. */
function productName(): string | undefined {
  try {
    return readFileSync(PRODUCT_NAME, "utf8").trim() || undefined;
  } catch {
    return undefined;
  }
}
