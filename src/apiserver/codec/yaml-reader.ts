import { Worker } from "node:worker_threads";
import { StatusError } from "../../api/errors.ts";
import type { DecodedYaml } from "../../format/yaml-decode.ts";
import type { YamlAnswer } from "./yaml-answer.ts";

/** Longer texts are read by a thread of their own, while others are served. */
const OWN_THREAD_MIN_BYTES = 64 * 1024;
/** Of a thread; nothing that fits into a request needs as much. */
const THREAD_MAX_MB = 256;
/** Further ones are told to come again. */
const WAITING_MAX = 16;

/**
 * Reads the YAML of requests. Whatever is large is read by one thread at a time, so that neither
 * the event loop nor the memory depends on what clients send.
 */
export class YamlReader {
  #waiting = 0;
  /** Ends when all who came before have been read. */
  #before: Promise<unknown> = Promise.resolve();

  /** @throws StatusError BadRequest | RequestEntityTooLarge | TooManyRequests */
  async read(bytes: Uint8Array): Promise<DecodedYaml> {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
    const isLarge = bytes.byteLength >= OWN_THREAD_MIN_BYTES;
    const answer = await (isLarge ? this.#inTurn(() => readInThread(text)) : readHere(text));
    if (!("syntaxError" in answer)) return answer;
    throw new StatusError("BadRequest", `error converting YAML to JSON: ${answer.syntaxError}`);
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#waiting >= WAITING_MAX) {
      const why = "too many large YAML bodies are being read; send JSON or try again later";
      throw new StatusError("TooManyRequests", why, { retryAfterSeconds: 1 });
    }
    this.#waiting++;
    const mine = this.#before.then(work);
    this.#before = mine.catch(() => {});
    try {
      return await mine;
    } finally {
      this.#waiting--;
    }
  }
}

/** Loaded when first needed: most servers never see YAML. */
async function readHere(text: string): Promise<YamlAnswer> {
  const { answerTo } = await import("./yaml-answer.ts");
  return answerTo(text);
}

function readInThread(text: string): Promise<YamlAnswer> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL("./yaml-worker.js", import.meta.url), {
      workerData: text,
      resourceLimits: { maxOldGenerationSizeMb: THREAD_MAX_MB },
    });
    worker.once("message", resolve);
    worker.once("error", (error: NodeJS.ErrnoException) => {
      const isLarge = error.code === "ERR_WORKER_OUT_OF_MEMORY";
      const why = "the YAML of the body needs too much memory; send it as JSON or in parts";
      reject(isLarge ? new StatusError("RequestEntityTooLarge", why) : error);
    });
    worker.once("exit", () => reject(new Error("the thread that reads YAML ended early")));
  });
}
