import type { Transport } from "../../../src/api/transport.ts";
import { createHttpsTransport } from "../../../src/client/https-transport.ts";
import { createInformerFactory } from "../../../src/client/informer-factory.ts";
import { createClient } from "../../../src/client/resource-client.ts";
import { startControllersPart, startSchedulerPart } from "../../../src/cmd/controllers-part.ts";
import { builtInControllers } from "../../../src/controllers/built-in.ts";
import { Cleanup } from "../../../src/lib/cleanup.ts";
import { silentLogger } from "../../../src/lib/logger.ts";
import { systemClock } from "../../../src/sys/clock.ts";
import { systemRandom } from "../../../src/sys/random.ts";
import { startKubeApiServer } from "../kube-apiserver.ts";
import { startKubeControllerManager, startKubeScheduler } from "../kube-controllers.ts";
import { startNephosApiServer } from "../nephos-apiserver.ts";
import type { ServerUnderTest } from "../server-under-test.ts";
import { olderVersions } from "./older-versions.ts";

/** Whose API server and whose controllers. */
export type Side = "nephos" | "upstream";

/** An API server with controllers and a scheduler. */
export interface ControlPlaneUnderTest extends AsyncDisposable {
  server: ServerUnderTest;
  /** Speaks today's versions, whichever server answers. */
  transport: Transport;
}

/** The reference first, then both ways in which one half is ours. */
export const COMBINATIONS: readonly { server: Side; controllers: Side }[] = [
  { server: "upstream", controllers: "upstream" },
  { server: "nephos", controllers: "upstream" },
  { server: "upstream", controllers: "nephos" },
];

/** Pods get tokens as they do today, not from Secrets that a controller makes. */
const BOUND_TOKENS = ["--feature-gates=BoundServiceAccountTokenVolume=true"];

/** Starts any combination. */
export async function startControlPlaneOf(of: {
  server: Side;
  controllers: Side;
}): Promise<ControlPlaneUnderTest> {
  await using cleanup = new Cleanup();
  const ours = of.server === "nephos";
  const server = cleanup.use(
    await (ours ? startNephosApiServer() : startKubeApiServer({ flags: BOUND_TOKENS })),
  );
  const direct = cleanup.use(createHttpsTransport(server.target));
  const transport = ours ? direct : olderVersions(direct);
  if (of.controllers === "nephos") {
    cleanup.use(startOwnControllers(server, transport));
  } else {
    cleanup.use(await startKubeControllerManager(server));
    cleanup.use(await startKubeScheduler(server));
  }
  const running = cleanup.move();
  return { server, transport, [Symbol.asyncDispose]: () => running[Symbol.asyncDispose]() };
}

function startOwnControllers({ pki }: ServerUnderTest, transport: Transport): AsyncDisposable {
  const running = new Cleanup();
  const sources = { clock: systemClock, random: systemRandom, logger: silentLogger };
  const client = createClient(transport);
  const informers = running.use(createInformerFactory({ ...sources, client }));
  const definitions = builtInControllers({ client, caPem: pki.ca.pem.certPem });
  const parts = { client, informers, logger: silentLogger };
  running.use(startControllersPart(definitions, { ...parts, clientOf: () => client }));
  running.use(startSchedulerPart(parts));
  return running;
}
