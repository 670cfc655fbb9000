import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import type { HttpsTransportOptions } from "../src/client/https-transport.ts";
import { NAMESPACE, podOf } from "./bench-cluster.ts";
import { expect } from "./bench-target.ts";
import { LeanConnection } from "./lean-http-client.ts";

/** Where pods are created, how many, and over how many connections at once. */
export interface PodLoadOptions {
  target: HttpsTransportOptions;
  pods: number;
  connections: number;
}

/** A process that creates pods over HTTPS: the server is not to pay for it. */
export class PodLoad implements AsyncDisposable {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** Resolves when its connections are open. */
  static async start(options: PodLoadOptions): Promise<PodLoad> {
    const child = fork(import.meta.filename, [], { stdio: "inherit" });
    const load = new PodLoad(child);
    child.send(options);
    await once(child, "message");
    return load;
  }

  /** Begins to create. */
  go(): void {
    this.#child.send("go");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const exited = once(this.#child, "exit");
    this.#child.kill();
    await exited;
  }
}

async function createPods({ target, pods, connections }: PodLoadOptions): Promise<void> {
  const opened = await Promise.all(
    Array.from({ length: connections }, () => LeanConnection.open(target)),
  );
  const path = `/api/v1/namespaces/${NAMESPACE}/pods`;
  process.send?.("ready");
  await once(process, "message");
  let next = 0;
  await Promise.all(
    opened.map(async (connection) => {
      for (let i = next++; i < pods; i = next++) {
        const body = JSON.stringify({ apiVersion: "v1", kind: "Pod", ...podOf(`pod-${i}`) });
        expect(await connection.send("POST", path, { body }), 201);
      }
    }),
  );
}

if (process.argv[1] === import.meta.filename) {
  process.once("message", (options) => void createPods(options as PodLoadOptions));
}
