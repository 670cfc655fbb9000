import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { unmount } from "./mount.ts";

/** A file system for tests whose answers can be held back. Disposing it unmounts it. */
export interface StallingMount extends AsyncDisposable {
  /** From here on it takes requests and answers none, as a server that is gone. */
  stall(): Promise<void>;
  /** Answers what has waited, and all that comes. */
  answer(): Promise<void>;
}

const DAEMON = fileURLToPath(new URL("./stalling-mount-daemon.js", import.meta.url));

/** Mounts one at a directory: it shows a directory "directory" and an empty file "file". */
export async function startStallingMount(target: string): Promise<StallingMount> {
  const daemon = spawn(process.execPath, [DAEMON, target], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: daemon.stdout })[Symbol.asyncIterator]();
  const heard = async (wanted: string) => {
    const { value } = (await lines.next()) as { value?: string };
    if (value !== wanted) throw new Error(`The daemon said ${value ?? "nothing"}, not ${wanted}`);
  };
  const tell = async (command: string) => {
    daemon.stdin.write(`${command}\n`);
    await heard(command);
  };
  const ended = once(daemon, "exit");
  await heard("mounted");
  return {
    stall: () => tell("stall"),
    answer: () => tell("answer"),
    async [Symbol.asyncDispose]() {
      // First, as it fails what waits: nobody is to hang on what is about to go.
      daemon.kill("SIGKILL");
      await ended;
      unmount(target);
    },
  };
}
