import type { ChildProcess } from "node:child_process";
import { once } from "node:events";

/** A command that goes on, with what it printed so far; disposing it ends it. */
export interface RunningCommand extends AsyncDisposable {
  stdout(): string;
  stderr(): string;
}

/** Collects the output of `child`, which must have been started just now. */
export function followCommand(child: ChildProcess): RunningCommand {
  const output = { stdout: "", stderr: "" };
  const closed = once(child, "close");
  for (const name of ["stdout", "stderr"] as const) {
    child[name]?.setEncoding("utf8").on("data", (text: string) => {
      output[name] += text;
    });
  }
  return {
    stdout: () => output.stdout,
    stderr: () => output.stderr,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await closed;
    },
  };
}
