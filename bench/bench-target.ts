import type { HttpsTransportOptions } from "../src/client/https-transport.ts";
import { LeanConnection } from "./lean-http-client.ts";
import type { LeanResponse } from "./response-reader.ts";

const VALUE = "x".repeat(1_000);

/** Rate and latency of one kind of request, over all clients. */
export interface RequestFigures {
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
}

/** Connections to one API server and a namespace there that goes with them. */
export class BenchTarget implements AsyncDisposable {
  readonly connections: readonly LeanConnection[];
  /** Path of the ConfigMaps of the namespace. */
  readonly maps: string;
  readonly #namespace: string;
  readonly #target: HttpsTransportOptions;

  private constructor(
    target: HttpsTransportOptions,
    connections: readonly LeanConnection[],
    namespace: string,
  ) {
    this.#target = target;
    this.connections = connections;
    this.#namespace = `/api/v1/namespaces/${namespace}`;
    this.maps = `${this.#namespace}/configmaps`;
  }

  static async open(
    target: HttpsTransportOptions,
    { clients, namespace }: { clients: number; namespace: string },
  ): Promise<BenchTarget> {
    const connections = await Promise.all(
      Array.from({ length: clients }, () => LeanConnection.open(target)),
    );
    const object = { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } };
    const body = JSON.stringify(object);
    const opened = new BenchTarget(target, connections, namespace);
    expect(await opened.first.send("POST", "/api/v1/namespaces", { body }), 201, 409);
    return opened;
  }

  get first(): LeanConnection {
    return this.connections[0] as LeanConnection;
  }

  /** Sends one request after another on every connection for a time. */
  async measure(
    seconds: number,
    send: (connection: LeanConnection, client: number, i: number) => Promise<LeanResponse>,
  ): Promise<RequestFigures> {
    const times: number[] = [];
    const startMs = performance.now();
    const endMs = startMs + seconds * 1_000;
    await Promise.all(
      this.connections.map(async (connection, client) => {
        for (let i = 0; performance.now() < endMs; i++) {
          const sentMs = performance.now();
          expect(await send(connection, client, i), 200, 201);
          times.push(performance.now() - sentMs);
        }
      }),
    );
    const elapsedSeconds = (performance.now() - startMs) / 1_000;
    return { perSecond: round(times.length / elapsedSeconds), ...percentilesOf(times) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Those that are open may be busy with what was interrupted.
    for (const connection of this.connections) connection[Symbol.dispose]();
    using connection = await LeanConnection.open(this.#target);
    await connection.send("DELETE", this.maps);
    await connection.send("DELETE", this.#namespace);
  }
}

/** Creates ConfigMaps "list-0" and so on; one in ten has the label part=3. */
export async function fillMaps({ connections, maps }: BenchTarget, count: number): Promise<void> {
  await Promise.all(
    connections.map(async (connection, client) => {
      for (let i = client; i < count; i += connections.length) {
        const body = mapOf(`list-${i}`, { app: "bench", part: `${i % 10}` });
        expect(await connection.send("POST", maps, { body }), 201);
      }
    }),
  );
}

/** The JSON of a ConfigMap of about 1.4 KB once it is stored. */
export function mapOf(name: string, labels: Readonly<Record<string, string>>): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name, labels },
    data: { value: VALUE },
  });
}

/** Median and 99th percentile of times, which are sorted in place. */
export function percentilesOf(times: number[]): { p50Ms: number; p99Ms: number } {
  times.sort((a, b) => a - b);
  const at = (share: number) => Number((times[Math.floor(times.length * share)] ?? 0).toFixed(3));
  return { p50Ms: at(0.5), p99Ms: at(0.99) };
}

/** @throws Error when the answer is another one */
export function expect({ status, excerpt }: LeanResponse, ...wanted: number[]): void {
  if (wanted.includes(status)) return;
  throw new Error(`Cannot go on: the server answered ${status}: ${excerpt.slice(0, 300)}`);
}

function round(value: number): number {
  return Number(value.toFixed(value < 100 ? 1 : 0));
}
