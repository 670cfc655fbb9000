// Creates, reads and patches ConfigMaps over TLS with many clients at once:
//   node build/bench/api-bench.js --kubeconfig FILE [--clients 32] [--seconds 5]
import { readFileSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import type { HttpsTransportOptions } from "../src/client/https-transport.ts";
import { loadKubeconfig } from "../src/client/kubeconfig.ts";
import { LeanConnection, type LeanResponse } from "./lean-http-client.ts";

/** How much to do. */
export interface ApiBenchOptions {
  target: HttpsTransportOptions;
  clients: number;
  seconds: number;
}

/** Rate and latency of one kind of request, over all clients. */
export interface RequestFigures {
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
}

const NAMESPACE = "nephos-bench";
const MAPS = `/api/v1/namespaces/${NAMESPACE}/configmaps`;
const VALUE = "x".repeat(1_000);

/** Measures the three verbs one after another; leaves nothing behind. */
export async function benchApi({
  target,
  clients,
  seconds,
}: ApiBenchOptions): Promise<Record<"create" | "get" | "patch", RequestFigures>> {
  const connections = await Promise.all(
    Array.from({ length: clients }, () => LeanConnection.open(target)),
  );
  const [first] = connections as [LeanConnection];
  const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE } };
  expect(
    await first.send("POST", "/api/v1/namespaces", { body: JSON.stringify(namespace) }),
    201,
    409,
  );
  try {
    const created = connections.map(() => 0);
    const create = await measure(connections, seconds, (connection, client) => {
      const body = mapOf(`bench-${client}-${created[client] ?? 0}`);
      created[client] = (created[client] ?? 0) + 1;
      return connection.send("POST", MAPS, { body });
    });
    const nameOf = (client: number, i: number) => `bench-${client}-${i % (created[client] || 1)}`;
    const get = await measure(connections, seconds, (connection, client, i) =>
      connection.send("GET", `${MAPS}/${nameOf(client, i)}`),
    );
    const patch = await measure(connections, seconds, (connection, client, i) =>
      connection.send("PATCH", `${MAPS}/${nameOf(client, i)}`, {
        body: `{"data":{"patched":"${i}"}}`,
        contentType: "application/merge-patch+json",
      }),
    );
    return { create, get, patch };
  } finally {
    await first.send("DELETE", MAPS);
    await first.send("DELETE", `/api/v1/namespaces/${NAMESPACE}`);
    for (const connection of connections) connection[Symbol.dispose]();
  }
}

async function measure(
  connections: readonly LeanConnection[],
  seconds: number,
  send: (connection: LeanConnection, client: number, i: number) => Promise<LeanResponse>,
): Promise<RequestFigures> {
  const times: number[] = [];
  const startMs = performance.now();
  const endMs = startMs + seconds * 1_000;
  await Promise.all(
    connections.map(async (connection, client) => {
      for (let i = 0; performance.now() < endMs; i++) {
        const sentMs = performance.now();
        expect(await send(connection, client, i), 200, 201);
        times.push(performance.now() - sentMs);
      }
    }),
  );
  const elapsedSeconds = (performance.now() - startMs) / 1_000;
  times.sort((a, b) => a - b);
  const percentile = (share: number) =>
    Number((times[Math.floor(times.length * share)] ?? 0).toFixed(3));
  return {
    perSecond: Math.round(times.length / elapsedSeconds),
    p50Ms: percentile(0.5),
    p99Ms: percentile(0.99),
  };
}

function mapOf(name: string): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name, labels: { app: "bench" } },
    data: { value: VALUE },
  });
}

function expect({ status, body }: LeanResponse, ...wanted: number[]): void {
  if (wanted.includes(status)) return;
  throw new Error(`Cannot go on: the server answered ${status}: ${body.toString().slice(0, 300)}`);
}

if (process.argv[1] === import.meta.filename) {
  const { values } = parseArgs({
    options: {
      kubeconfig: { type: "string", default: process.env["KUBECONFIG"] ?? "kubeconfig" },
      clients: { type: "string", default: "32" },
      seconds: { type: "string", default: "5" },
    },
  });
  const directory = path.dirname(values.kubeconfig);
  const target = loadKubeconfig(readFileSync(values.kubeconfig, "utf8"), { directory });
  const clients = Number(values.clients);
  const figures = await benchApi({ target, clients, seconds: Number(values.seconds) });
  console.log(JSON.stringify({ clients, ...figures }, null, 2));
}
