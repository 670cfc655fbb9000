import {
  closeSync,
  constants,
  mkdirSync,
  openSync,
  readFileSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { Socket } from "node:net";
import path from "node:path";
import { MonitorError } from "./conmon.ts";
import { holderIdOf } from "./container-record.ts";
import type { SandboxSpec } from "./contract.ts";
import { lastLogged, runProgram, shellWord } from "./oci-command.ts";
import type { DrivenContainer, DriverContext, SandboxDriver } from "./sandbox-driver.ts";
import { createSeccompProfiles } from "./seccomp-choice.ts";

const SHELL = "/bin/sh";
const START_FIFO = "start";
const STARTED_FIFO = "started";
const START_LOG = "start.log";
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
export function gvisorDriver({ paths, program, handler }: DriverContext): SandboxDriver {
  const state = paths.runtimeState(handler);
  const command = [program, "--root", state, "--ignore-cgroups"];
  const settings = `${state}-sysctl`;
  const run = (...args: string[]) => runProgram([...command, ...args]);
  return {
    handler,
    command,
    hasOwnKernel: true,
    placesItself: true,
    seccomp: createSeccompProfiles({ takesCompiled: false }),
    execFailureCode: 128,
    refusal,
    annotations: ({ isHolder, sandboxId }) =>
      isHolder ? { [TYPE]: "sandbox" } : { [TYPE]: "container", [SANDBOX]: holderIdOf(sandboxId) },
    // Namespaces of equal path are one; the kernel's first one has no path and is the pod's.
    processNamespace: ({ id, shared, target }) => (shared ? "host" : `/pid/${target?.id ?? id}`),
    creation: (container) =>
      container.isHolder ? command : [SHELL, "-c", waiterScript(command, container), SHELL],
    execution: (more) => [SHELL, "-c", WITHOUT_TTY, ...command, ...more],
    execFiles: ({ directory }) => ["--internal-pid-file", path.join(directory, INNER_PID)],
    async killExec({ id, directory }) {
      const inner = readText(path.join(directory, INNER_PID));
      if (inner) await run("kill", "--pid", inner, id, "SIGKILL").catch(ignoreWords);
    },
    async start(container) {
      const { id, isHolder } = container;
      if (isHolder) {
        hideSettings(settings);
        const start = [...command, "start", id].map(shellWord).join(" ");
        const script = `mount --bind ${shellWord(settings)} /proc/sys && exec ${start}`;
        await runProgram(["/usr/bin/unshare", "--mount", SHELL, "-c", script]);
        return;
      }
      await startByWaiter(container);
    },
    async signal(id, name) {
      // One that has ended, or never started, feels none.
      await run("kill", id, name).catch(ignoreWords);
      return true;
    },
    async discard(id) {
      await run("delete", "--force", id).catch(ignoreWords);
    },
    [Symbol.dispose]: () => {},
  };
}

function refusal(spec: SandboxSpec): string | undefined {
  const asked = [
    ...(spec.hostPid ? ["hostPID"] : []),
    ...(spec.hostIpc ? ["hostIPC"] : []),
    ...(spec.networkNamespacePath === undefined ? ["hostNetwork"] : []),
  ];
  if (asked.length === 0) return undefined;
  const why = "its kernel is not the node's";
  return `A gVisor sandbox cannot share ${asked.join(", ")} as ${why}: choose another RuntimeClass`;
}

/**
 * Creates the container and leaves a process behind that starts it when told, with the monitor's
 * streams, and whose life and exit code are from then on those of the container: that is what the
 * monitor watches.
 */
function waiterScript(command: readonly string[], { id, bundle }: DrivenContainer): string {
  const file = (name: string) => shellWord(path.join(bundle, name));
  const runsc = command.map(shellWord).join(" ");
  const logged = `${runsc} --log ${file(START_LOG)} --log-format json`;
  return [
    `mkfifo -m 600 ${file(START_FIFO)} ${file(STARTED_FIFO)} || exit`,
    // A shell gives what runs in its background no input but by another name.
    `exec 7<&0 8<>${file(STARTED_FIFO)} 9<>${file(START_FIFO)}`,
    `${runsc} "$@" 7<&- 8<&- 9<&- || exit`,
    "{",
    `  read -r go <&9; ${logged} start ${id} <&7 7<&- 8<&- 9<&-; end=$?`,
    `  exec </dev/null >/dev/null 2>&1 7<&-; echo $end >&8; exec 8<&- 9<&-`,
    `  [ $end = 0 ] || exit 128`,
    `  end=$(${runsc} wait ${id}); end=\${end##*:}; end=\${end%\\}*}; exit "\${end:-137}"`,
    "} &",
    `echo $! > ${file("pidfile")}`,
  ].join("\n");
}

/** Lets that process start the container. @throws MonitorError in gVisor's words */
async function startByWaiter({ bundle }: DrivenContainer): Promise<void> {
  const flags = constants.O_RDONLY | constants.O_NONBLOCK;
  const answers = new Socket({
    fd: openSync(path.join(bundle, STARTED_FIFO), flags),
    readable: true,
    writable: false,
  });
  const fd = openSync(path.join(bundle, START_FIFO), constants.O_WRONLY | constants.O_NONBLOCK);
  try {
    writeSync(fd, "go\n");
  } finally {
    closeSync(fd);
  }
  answers.setEncoding("utf8");
  for await (const answer of answers) {
    if (String(answer).trim() === "0") return;
    break;
  }
  throw new MonitorError(lastLogged(path.join(bundle, START_LOG)) ?? "its monitor has ended");
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
