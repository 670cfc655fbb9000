// Creates, reads and patches ConfigMaps over TLS with many clients at once:
//   node build/bench/api-bench.js --kubeconfig FILE [--clients 32] [--seconds 5] [--warm-up 1]
import { readFileSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import type { HttpsTransportOptions } from "../src/client/https-transport.ts";
import { loadKubeconfig } from "../src/client/kubeconfig.ts";
import { runsOnShipped } from "./as-shipped.ts";
import { BenchTarget, mapOf, type RequestFigures } from "./bench-target.ts";
import { interruptible } from "./interruptible.ts";

/** How much to do. */
export interface ApiBenchOptions {
  target: HttpsTransportOptions;
  clients: number;
  seconds: number;
  /** Each verb first runs for so long without being counted; defaults to none. */
  warmUpSeconds?: number;
}

export type ApiFigures = Record<"create" | "get" | "patch", RequestFigures>;

/** Measures the three verbs one after another; leaves nothing behind. */
export async function benchApi(options: ApiBenchOptions): Promise<ApiFigures> {
  const { target, clients } = options;
  await using bench = await BenchTarget.open(target, { clients, namespace: "nephos-bench" });
  return await interruptible(() => measureVerbs(bench, options));
}

async function measureVerbs(
  bench: BenchTarget,
  { seconds, warmUpSeconds = 0 }: ApiBenchOptions,
): Promise<ApiFigures> {
  const { maps } = bench;
  const created = bench.connections.map(() => 0);
  const nameOf = (client: number, i: number) => `bench-${client}-${i % (created[client] || 1)}`;
  const measure: typeof bench.measure = async (_, send) => {
    if (warmUpSeconds > 0) await bench.measure(warmUpSeconds, send);
    return bench.measure(seconds, send);
  };
  const create = await measure(seconds, (connection, client) => {
    const i = created[client] ?? 0;
    created[client] = i + 1;
    return connection.send("POST", maps, { body: mapOf(`bench-${client}-${i}`, { app: "bench" }) });
  });
  const get = await measure(seconds, (connection, client, i) =>
    connection.send("GET", `${maps}/${nameOf(client, i)}`),
  );
  const patch = await measure(seconds, (connection, client, i) =>
    connection.send("PATCH", `${maps}/${nameOf(client, i)}`, {
      body: `{"data":{"patched":"${i}"}}`,
      contentType: "application/merge-patch+json",
    }),
  );
  return { create, get, patch };
}

if (process.argv[1] === import.meta.filename && runsOnShipped()) {
  const { values } = parseArgs({
    options: {
      kubeconfig: { type: "string", default: process.env["KUBECONFIG"] ?? "kubeconfig" },
      clients: { type: "string", default: "32" },
      seconds: { type: "string", default: "5" },
      "warm-up": { type: "string", default: "1" },
    },
  });
  const directory = path.dirname(values.kubeconfig);
  const target = loadKubeconfig(readFileSync(values.kubeconfig, "utf8"), { directory });
  const clients = Number(values.clients);
  const seconds = Number(values.seconds);
  const warmUpSeconds = Number(values["warm-up"]);
  const figures = await benchApi({ target, clients, seconds, warmUpSeconds });
  console.log(JSON.stringify({ clients, ...figures }, null, 2));
}
