import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { HostPathVolumeSource } from "../api/generated/types/core-v1.ts";
import type { Clock, Timer } from "../lib/clock.ts";
import { spawnPiped } from "../sys/child.ts";
import type { DiskUsage } from "./eviction/disk-usage.ts";
import type { FileSystemUsage } from "./metrics/contract.ts";

/** Work on files that may never answer. */
export type FarJob =
  | { do: "look"; file: string }
  | { do: "host-path"; source: HostPathVolumeSource }
  | {
      do: "local-directory";
      directory: string;
      group?: { groupId: number; onlyOnMismatch: boolean };
    }
  | { do: "sub-path"; volume: string; subPath: string; target: string }
  | { do: "usage"; directory: string };

/** What a volume takes, and how full its file system is. */
export interface FarUsage extends DiskUsage {
  fileSystem: FileSystemUsage;
}

/** What the process says, a line each. */
export type FarAnswer =
  | { is: "progress" }
  | { is: "done"; usage?: FarUsage }
  | { is: "failed"; name: string; message: string; code?: string };

/** The work itself failed: `name` and `code` are those of the error that was thrown there. */
export class FarJobError extends Error {
  override readonly name: string;
  readonly code: string | undefined;

  constructor({ name, message, code }: { name: string; message: string; code?: string }) {
    super(message);
    this.name = name;
    this.code = code;
  }
}

/** There was neither an answer nor progress in time. */
export class NoAnswerError extends Error {
  override readonly name = "NoAnswerError";
}

/** A process that does one job at a time. */
export interface FarProcess extends Disposable {
  /** Resolves when the process is gone. */
  readonly ended: Promise<void>;
  /** To be called again when it has resolved. @throws FarJobError, NoAnswerError */
  perform(job: FarJob, deadlineMs: number): Promise<FarUsage | undefined>;
}

const MAIN = fileURLToPath(new URL("./far-process-main.js", import.meta.url));

/** Starts one; disposing it kills it, at the latest when what it waits for answers. */
export function startFarProcess(clock: Clock): FarProcess {
  const command = [process.execPath, "--max-semi-space-size=1", MAIN, String(process.pid)];
  const child = spawnPiped(command, { stdin: true, stdout: true, stderr: false });
  const { stdin, stdout } = child;
  if (!stdin || !stdout) throw new TypeError("Cannot talk to a process without streams");
  stdin.on("error", () => {}); // its end follows
  let hear: (answer: FarAnswer) => void = () => {};
  let lose = () => {};
  createInterface({ input: stdout }).on("line", (line) => hear(JSON.parse(line) as FarAnswer));
  const ended = child.exit.then(
    () => {},
    () => {},
  );
  return {
    ended,
    perform(job, deadlineMs) {
      let timer: Timer | undefined;
      const answered = new Promise<FarUsage | undefined>((resolve, reject) => {
        const wait = () => {
          timer?.cancel();
          timer = clock.setTimer(deadlineMs, () => reject(new NoAnswerError("no answer in time")));
        };
        hear = (answer) => {
          if (answer.is === "progress") wait();
          else if (answer.is === "done") resolve(answer.usage);
          else reject(new FarJobError(answer));
        };
        lose = () => {
          const message = "the process that looks after it has ended";
          reject(new FarJobError({ name: "Error", message }));
        };
        void ended.then(lose);
        wait();
        stdin.write(`${JSON.stringify(job)}\n`);
      });
      return answered.finally(() => timer?.cancel());
    },
    [Symbol.dispose]() {
      child.kill();
      lose();
      for (const stream of [stdin, stdout]) stream.destroy();
    },
  };
}
