// The thread of image-thread.ts.
import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import type { LogFields, Logger } from "../../lib/logger.ts";
import { systemClock } from "../../sys/clock.ts";
import { systemRandom } from "../../sys/random.ts";
import type { ThreadAnswer, ThreadRequest } from "./image-thread.ts";
import { openStore, type StorePlace } from "./store-parts.ts";

/** Lines go to the logger of the thread that asks. */
function loggerTo(port: MessagePort, own: LogFields = {}): Logger {
  const say = (log: "debug" | "info" | "warn" | "error") => (message: string, more?: LogFields) =>
    port.postMessage({ log, message, fields: { ...own, ...more } } satisfies ThreadAnswer);
  return {
    debug: say("debug"),
    info: say("info"),
    warn: say("warn"),
    error: say("error"),
    with: (fields) => loggerTo(port, { ...own, ...fields }),
  };
}

function serve(port: MessagePort): void {
  const sources = { clock: systemClock, random: systemRandom, logger: loggerTo(port) };
  const { engine } = openStore(workerData as StorePlace, sources);
  const stops = new Map<number, AbortController>();
  const perform = async (asked: Exclude<ThreadRequest, { do: "abort" }>): Promise<string[]> => {
    const stop = new AbortController();
    stops.set(asked.job, stop);
    const { signal } = stop;
    if (asked.do === "import") return engine.import({ ...asked.request, signal });
    return [await engine.pull({ ...asked.request, signal })];
  };
  port.on("message", (asked: ThreadRequest) => {
    if (asked.do === "abort") return stops.get(asked.job)?.abort();
    const { job } = asked;
    return void perform(asked)
      .then(
        (ids): ThreadAnswer => ({ job, ids }),
        (error: Error & { code?: string }): ThreadAnswer => {
          const { name, code, message } = error;
          return { job, error: { name, message, ...(typeof code === "string" && { code }) } };
        },
      )
      .then((answer) => {
        stops.delete(job);
        port.postMessage(answer);
      });
  });
}

if (parentPort) serve(parentPort);
