import { type ChildProcess, spawn } from "node:child_process";
import { closeSync } from "node:fs";
import { Socket } from "node:net";
import { makePipe } from "./file.ts";

/** A child whose output comes through real pipes, so that it may reopen /dev/stdout. */
export interface PipedChild {
  process: ChildProcess;
  stdin?: Socket;
  stdout?: Socket;
  stderr?: Socket;
  /** The exit code, or 128 + the number of the signal that ended it; rejects if not started. */
  exit: Promise<number>;
}

/** Which streams to connect; the others are /dev/null. */
export interface PipedChildOptions {
  stdin: boolean;
  stdout: boolean;
  stderr: boolean;
  /** Number for a signal's name. */
  signalNumber: (name: string) => number;
}

/** Starts a program with real pipes; `spawn` itself connects socket pairs. */
export function spawnPiped(command: readonly string[], options: PipedChildOptions): PipedChild {
  const [file = "", ...args] = command;
  const theirs: number[] = [];
  const ours: (Socket | undefined)[] = [];
  const wanted = [options.stdin, options.stdout, options.stderr];
  const stdio = wanted.map((want, at) => {
    ours.push(undefined);
    if (!want) return "ignore" as const;
    const { readFd, writeFd } = makePipe();
    const [near, far] = at === 0 ? [writeFd, readFd] : [readFd, writeFd];
    ours[at] = new Socket({ fd: near, readable: at > 0, writable: at === 0 });
    theirs.push(far);
    return far;
  });
  const process = spawn(file, args, { stdio, cwd: "/" });
  for (const fd of theirs) closeSync(fd);
  const exit = new Promise<number>((resolve, reject) => {
    process.once("error", reject);
    process.once("exit", (code, signal) =>
      resolve(code ?? 128 + options.signalNumber(signal ?? "SIGKILL")),
    );
  });
  const [stdin, stdout, stderr] = ours;
  return {
    process,
    exit,
    ...(stdin && { stdin }),
    ...(stdout && { stdout }),
    ...(stderr && { stderr }),
  };
}
