import { runController } from "../client/controller-runner.ts";
import type { ControllerDeps } from "../client/controller-runner.ts";
import { builtInControllers } from "../controllers/built-in.ts";
import { runGarbageCollector } from "../controllers/garbage-collector/garbage-collector.ts";
import { parseCidr } from "../lib/ipv4.ts";
import { runScheduler } from "../scheduler/scheduler.ts";

const COLLECTOR = "garbage-collector";
const SCHEDULER = "scheduler";

/** The API server reads what signers write; this one says nothing and proves nothing. */
const CERTIFICATE = [
  "-----BEGIN CERTIFICATE-----",
  "MIIBcDCCARWgAwIBAgIUVzSaHwy5xSQmPn9oV86WailKKuIwCgYIKoZIzj0EAwIw",
  "DDEKMAgGA1UEAwwBbjAgFw0yNjExMjExOTI0MTFaGA8yMTI2MTAyODE5MjQxMVow",
  "DDEKMAgGA1UEAwwBbjBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABKpOC7IzS0Wv",
  "Hjkcsl3tTFquD2weudr18Qn58S1aqNuHzy7iDbNDKBu4qgdmnwgALEbAYZnIc5QX",
  "nZBm3tSxHBqjUzBRMB0GA1UdDgQWBBSOO3Pt/3duZ5saUu54J3kGOu9dWDAfBgNV",
  "HSMEGDAWgBSOO3Pt/3duZ5saUu54J3kGOu9dWDAPBgNVHRMBAf8EBTADAQH/MAoG",
  "CCqGSM49BAMCA0kAMEYCIQDoMfRaBjjCAgdZ4jlDxt5Emh/M4oZ2ztia5nuMKvde",
  "4wIhAKXeTnTg4McyqlkZHtxqdQEZYxEvw7kK53k+ggHSvPir",
  "-----END CERTIFICATE-----",
].join("\n");

function definitions({ client }: Pick<ControllerDeps, "client">) {
  return builtInControllers({
    client,
    caPem: "pem of the simulated cluster",
    loadBalancer: { from: "pool", range: parseCidr("192.0.2.0/28") },
    credentials: {
      signToken: ({ name, uid }) => `token of ${name} for ${uid}`,
      signCertificate: () => CERTIFICATE,
      legacyTokens: false,
    },
  });
}

/** Every part of a control plane beside the API server: controllers, collector, scheduler. */
export function partNames({ client }: Pick<ControllerDeps, "client">): string[] {
  return [...definitions({ client }).map(({ name }) => name), COLLECTOR, SCHEDULER];
}

/** Starts one part with fresh state. */
export function startPart(name: string, deps: ControllerDeps): AsyncDisposable | Disposable {
  if (name === COLLECTOR) return runGarbageCollector(deps);
  if (name === SCHEDULER) return runScheduler(deps);
  const definition = definitions(deps).find((one) => one.name === name);
  if (!definition) throw new RangeError(`There is no controller "${name}"`);
  return runController(definition, deps);
}
