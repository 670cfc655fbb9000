import { closeSync } from "node:fs";
import { Socket } from "node:net";
import { makePipe } from "./file.ts";
import { reap, spawnProgram } from "./posix-spawn.ts";
import { descendantsOf, openProcess } from "./process.ts";

/** A child whose output comes through real pipes, so that it may reopen /dev/stdout. */
export interface PipedChild {
  stdin?: Socket;
  stdout?: Socket;
  stderr?: Socket;
  /** The exit code, or 128 + the number of the signal that ended it. */
  readonly exit: Promise<number>;
  /** Sends SIGKILL to it and to all that it started, while it runs; afterwards does nothing. */
  kill(): void;
}

/** Which streams to connect; the others are /dev/null. */
export interface PipedChildOptions {
  stdin: boolean;
  stdout: boolean;
  stderr: boolean;
}

/**
 * Starts a program, given by its absolute path, in "/" with this process's environment. Neither the
 * start nor the wait for its end blocks or occupies a thread. @throws SysError ENOENT, EACCES
 */
export function spawnPiped(command: readonly string[], options: PipedChildOptions): PipedChild {
  const [file = "", ...args] = command;
  const theirs: number[] = [];
  const ours: (Socket | undefined)[] = [];
  const connect = (wanted: boolean, weWrite: boolean) => {
    ours.push(undefined);
    if (!wanted) return "ignore" as const;
    const { readFd, writeFd } = makePipe();
    const [near, far] = weWrite ? [writeFd, readFd] : [readFd, writeFd];
    ours[ours.length - 1] = new Socket({ fd: near, readable: !weWrite, writable: weWrite });
    theirs.push(far);
    return far;
  };
  const { stdin, stdout, stderr } = options;
  // Nobody writes into the last pipe: it ends when the child does.
  const descriptors = [
    connect(stdin, true),
    connect(stdout, false),
    connect(stderr, false),
    connect(true, false),
  ];
  try {
    const pid = spawnProgram({ file, args, directory: "/", env: environment(), descriptors });
    const [input, output, errors, life] = ours;
    return {
      ...(input && { stdin: input }),
      ...(output && { stdout: output }),
      ...(errors && { stderr: errors }),
      ...watched(pid, life as Socket),
    };
  } catch (error) {
    for (const socket of ours) socket?.destroy();
    throw error;
  } finally {
    for (const fd of theirs) closeSync(fd);
  }
}

function watched(pid: number, life: Socket): Pick<PipedChild, "exit" | "kill"> {
  let reaped = false;
  life.resume();
  life.on("error", () => {}); // its end follows
  const exit = new Promise<number>((resolve, reject) => {
    life.once("close", () => {
      reaped = true;
      reap(pid).then(resolve, reject);
    });
  });
  const kill = () => {
    // Until it is reaped, no other process can have its number.
    if (reaped) return;
    process.kill(pid, "SIGSTOP"); // what it starts from here on would be missed
    for (const descendant of descendantsOf(pid)) {
      using handle = openProcess(descendant);
      handle?.signal("SIGKILL");
    }
    process.kill(pid, "SIGKILL");
  };
  return { exit, kill };
}

function environment(): Record<string, string> {
  const entries = Object.entries(process.env);
  return Object.fromEntries(
    entries.filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
