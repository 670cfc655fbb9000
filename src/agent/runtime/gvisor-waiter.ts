import { closeSync, constants, openSync, writeSync } from "node:fs";
import { Socket } from "node:net";
import path from "node:path";
import { makeSpecialFile } from "../../sys/file.ts";
import { MonitorError } from "./conmon.ts";
import { lastLogged, shellWord } from "./oci-command.ts";
import type { DrivenContainer } from "./sandbox-driver.ts";

export const SHELL = "/bin/sh";
const START_FIFO = "start";
const STARTED_FIFO = "started";
const START_LOG = "start.log";

/** A command line; what a monitor appends to it are the arguments of the script. */
export function shell(script: string): string[] {
  return [SHELL, "-c", script, SHELL];
}

/** Runs what holds a sandbox: one process instead of two for its creation and its start. */
export function holderScript(command: readonly string[]): string {
  // The first of the monitor's arguments is "create".
  return `shift; exec ${command.map(shellWord).join(" ")} run --detach "$@"`;
}

/** Makes what a container's waiter is told through, and answers. */
export function prepareWaiter({ bundle }: DrivenContainer): void {
  for (const name of [START_FIFO, STARTED_FIFO]) {
    makeSpecialFile(path.join(bundle, name), { file: { kind: "fifo" }, mode: 0o600 });
  }
}

/** The descriptors of a waiter that are the streams of its container. */
export const WAITER_STREAMS: readonly number[] = [7, 1, 2];

/** What a waiter can be told: run the container, wait for the end of one that runs, or end. */
type WaiterTask = "go" | "wait" | "end";

/**
 * Reads the answer of the kernel to the question how the container ended, which somebody else asked
 * on descriptor 4: a status as of wait(2). None comes from a kernel that has ended.
 */
const AWAIT_END = [
  `  if [ "$go" = wait ]; then`,
  `    exec 7<&- 8<&- 9<&-; read -r end <&4; end=\${end##*:}; end=\${end%\\}*}`,
  `    case $end in ""|*[!0-9]*) exit 137;; esac`,
  `    [ $((end & 127)) = 0 ] || exit $((128 + (end & 127)))`,
  `    exit $((end >> 8 & 255))`,
  `  fi`,
  `  [ "$go" = end ] && exit 128`,
  `  exec 4<&-`,
];

/**
 * Leaves a process behind that runs the container when told, with the monitor's streams, and whose
 * life and exit code are from then on those of the container: that is what the monitor watches. A
 * terminal belongs to the container from its creation on, which is then a step of its own. When
 * somebody else starts the container, it only waits for its end.
 */
export function waiterScript(command: readonly string[], container: DrivenContainer): string {
  const { id, bundle, tty } = container;
  const file = (name: string) => shellWord(path.join(bundle, name));
  const runsc = command.map(shellWord).join(" ");
  const log = file(START_LOG);
  const logged = `${runsc} --log ${log} --log-format json`;
  const streams = "<&7 7<&- 8<&- 9<&-";
  const wait = tty
    ? [
        `  ${logged} start ${id} ${streams}; end=$?`,
        `  exec </dev/null >/dev/null 2>&1 7<&-; echo $end >&8; exec 8<&- 9<&-`,
        `  [ $end = 0 ] || exit 128`,
        `  end=$(${runsc} wait ${id}); end=\${end##*:}; end=\${end%\\}*}; exit "\${end:-137}"`,
      ]
    : [
        // The hook has told of a start already; else, this tells why there was none.
        `  ${logged} run --bundle ${shellWord(bundle)} ${id} ${streams}; end=$?; echo $end >&8`,
        // It ended with the kernel that it ran on: what it logs is no start's failure.
        `  [ $end = 128 ] && [ -s ${log} ] && end=137; exit $end`,
      ];
  return [
    // A shell gives what runs in its background no input but by another name.
    `exec 7<&0 8<>${file(STARTED_FIFO)} 9<>${file(START_FIFO)}`,
    ...(tty ? [`${runsc} "$@" 7<&- 8<&- 9<&- || exit`] : []),
    "{",
    `  read -r go <&9`,
    ...AWAIT_END,
    ...wait,
    "} &",
    `echo $! > ${file("pidfile")}`,
  ].join("\n");
}

/** The command that gVisor runs when it has started the container. */
export function startedHook({ bundle }: DrivenContainer): string[] {
  return [SHELL, "-c", `echo 0 > ${shellWord(path.join(bundle, STARTED_FIFO))}`];
}

/** Lets that process start the container. @throws MonitorError in gVisor's words */
export async function startByWaiter(container: DrivenContainer): Promise<void> {
  const { bundle } = container;
  const flags = constants.O_RDONLY | constants.O_NONBLOCK;
  const answers = new Socket({
    fd: openSync(path.join(bundle, STARTED_FIFO), flags),
    readable: true,
    writable: false,
  });
  tellWaiter(container, "go");
  answers.setEncoding("utf8");
  for await (const answer of answers) {
    if (String(answer).startsWith("0")) return;
    break;
  }
  throw new MonitorError(lastLogged(path.join(bundle, START_LOG)) ?? "its monitor has ended");
}

/** Tells a waiter what to do. @throws ENXIO when it has ended */
export function tellWaiter({ bundle }: DrivenContainer, task: WaiterTask): void {
  const fd = openSync(path.join(bundle, START_FIFO), constants.O_WRONLY | constants.O_NONBLOCK);
  try {
    writeSync(fd, `${task}\n`);
  } finally {
    closeSync(fd);
  }
}
