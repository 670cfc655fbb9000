import { Worker } from "node:worker_threads";
import type { Clock, Timer } from "../../lib/clock.ts";
import type { LogFields, Logger } from "../../lib/logger.ts";
import { OUTER_MEMORY } from "../../sys/memory-relief.ts";
import { ImageError, type ImageErrorCode } from "./contract.ts";
import type { EnginePull, ImageEngine } from "./image-engine.ts";
import type { ImportRequest } from "./image-import.ts";
import type { StorePlace } from "./store-parts.ts";

/** What a thread is asked; signals stay here. */
export type ThreadRequest =
  | { do: "pull"; job: number; request: Omit<EnginePull, "signal"> }
  | { do: "import"; job: number; request: Omit<ImportRequest, "signal"> }
  | { do: "abort"; job: number };

/** What it says. */
export type ThreadAnswer =
  | { job: number; ids: string[] }
  | { job: number; error: { name: string; code?: string; message: string } }
  | { log: "debug" | "info" | "warn" | "error"; message: string; fields: LogFields };

/** An engine in a thread of its own, which it ends when it is disposed. */
export interface ImageThread extends ImageEngine, AsyncDisposable {}

interface Job {
  worker: Worker;
  resolve(ids: string[]): void;
  reject(error: unknown): void;
}

const FILE = new URL("./image-thread-main.js", import.meta.url);
/** A thread costs 20 ms to start and some MB while it is there. */
const IDLE_MS = 10_000;
/** What comes in is never held as a whole: manifests and entries are the largest. */
const HEAP_LIMITS = { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 16 };

/**
 * Pulls and imports beside the thread that serves: what is unpacked would take it for seconds. The
 * thread starts with the first job and ends some time after the last one.
 */
export function createImageThread(
  place: StorePlace,
  { clock, logger }: { clock: Clock; logger: Logger },
): ImageThread {
  const jobs = new Map<number, Job>();
  let thread: Worker | undefined;
  let idle: Timer | undefined;
  let count = 0;

  const start = (): Worker => {
    const worker = new Worker(FILE, { workerData: place, resourceLimits: HEAP_LIMITS });
    worker.unref();
    let cause: unknown;
    worker.on("message", (answer: ThreadAnswer) => {
      if ("log" in answer) return logger[answer.log](answer.message, answer.fields);
      const job = jobs.get(answer.job);
      if (!job) return undefined;
      if ("ids" in answer) return job.resolve(answer.ids);
      return job.reject(errorOf(answer.error));
    });
    worker.on("error", (error) => (cause = error));
    worker.on("exit", () => {
      if (thread === worker) thread = undefined;
      // What it has freed would stay with this process.
      OUTER_MEMORY.trim();
      const why = cause instanceof Error ? cause.message : "it was stopped";
      const message = `the thread that gets images has ended: ${why}`;
      for (const job of jobs.values()) {
        if (job.worker === worker) job.reject(new ImageError("pull-failed", message));
      }
    });
    return worker;
  };

  const run = async (
    work: { do: "pull"; request: EnginePull } | { do: "import"; request: ImportRequest },
  ): Promise<string[]> => {
    const { signal, ...request } = work.request;
    signal?.throwIfAborted();
    idle?.cancel();
    const worker = (thread ??= start());
    // While it has work, the process is there for it.
    worker.ref();
    const job = count++;
    const abort = () => {
      worker.postMessage({ do: "abort", job } satisfies ThreadRequest);
      jobs.get(job)?.reject(signal?.reason);
    };
    try {
      return await new Promise<string[]>((resolve, reject) => {
        jobs.set(job, { worker, resolve, reject });
        signal?.addEventListener("abort", abort, { once: true });
        worker.postMessage({ do: work.do, job, request });
      });
    } finally {
      jobs.delete(job);
      signal?.removeEventListener("abort", abort);
      if (jobs.size === 0 && thread) {
        thread.unref();
        idle = clock.setTimer(IDLE_MS, () => void stop());
      }
    }
  };

  const stop = async (): Promise<void> => {
    idle?.cancel();
    const ending = thread;
    thread = undefined;
    await ending?.terminate();
  };

  return {
    async pull(request) {
      const [id = ""] = await run({ do: "pull", request });
      return id;
    },
    import: (request) => run({ do: "import", request }),
    [Symbol.asyncDispose]: stop,
  };
}

function errorOf({ name, code, message }: { name: string; code?: string; message: string }): Error {
  if (name === "ImageError") return new ImageError(code as ImageErrorCode, message);
  return Object.assign(new Error(message), { name, ...(code && { code }) });
}
