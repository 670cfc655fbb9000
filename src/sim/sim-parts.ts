import { runController } from "../client/controller-runner.ts";
import type { ControllerDeps } from "../client/controller-runner.ts";
import { builtInControllers } from "../controllers/built-in.ts";
import { runGarbageCollector } from "../controllers/garbage-collector/garbage-collector.ts";
import { parseCidr } from "../lib/ipv4.ts";
import { runScheduler } from "../scheduler/scheduler.ts";

const COLLECTOR = "garbage-collector";
const SCHEDULER = "scheduler";

function definitions({ client }: Pick<ControllerDeps, "client">) {
  return builtInControllers({
    client,
    caPem: "pem of the simulated cluster",
    loadBalancer: { from: "pool", range: parseCidr("192.0.2.0/28") },
    credentials: {
      signToken: ({ name, uid }) => `token of ${name} for ${uid}`,
      signCertificate: () => "pem of a certificate",
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
