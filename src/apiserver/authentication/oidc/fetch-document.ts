import https from "node:https";
import type { Clock } from "../../../lib/clock.ts";
import type { FetchDocument } from "./issuer-keys.ts";

const TIMEOUT_MS = 10_000;
const ANSWER_MAX_BYTES = 1024 * 1024;

/** Gets JSON by HTTPS, from servers that the system's authorities or a given one vouch for. */
export function createFetchDocument(clock: Clock): FetchDocument {
  return (url, { caPem }) =>
    new Promise((resolve, reject) => {
      const refuse = (why: string) => reject(new Error(`Cannot get ${url}: ${why}`));
      const request = https.get(url, {
        agent: false,
        headers: { accept: "application/json" },
        ...(caPem ? { ca: caPem } : {}),
      });
      const timer = clock.setTimer(TIMEOUT_MS, () =>
        request.destroy(new Error("it takes too long")),
      );
      request.once("close", () => timer.cancel());
      request.once("error", (error) => refuse(error.message));
      request.once("response", (response) => {
        const chunks: Buffer[] = [];
        let sizeBytes = 0;
        response.on("error", (error) => refuse(error.message));
        response.on("data", (chunk: Buffer) => {
          sizeBytes += chunk.byteLength;
          if (sizeBytes > ANSWER_MAX_BYTES) request.destroy(new Error("the answer is too large"));
          else chunks.push(chunk);
        });
        response.on("end", () => {
          if (response.statusCode !== 200) return refuse(`it answers ${response.statusCode}`);
          try {
            resolve(JSON.parse(Buffer.concat(chunks).toString()));
          } catch {
            refuse("the answer is no JSON");
          }
        });
      });
    });
}
