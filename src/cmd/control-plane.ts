import { issueLegacyToken } from "../apiserver/token/legacy-token.ts";
import type { RunningController } from "../client/controller-runner.ts";
import { createInformerFactory } from "../client/informer-factory.ts";
import type { InformerFactory } from "../client/informer.ts";
import { createClient } from "../client/resource-client.ts";
import { type BuiltInOptions, builtInControllers } from "../controllers/built-in.ts";
import { Cleanup } from "../lib/cleanup.ts";
import { SchedulerMetrics } from "../scheduler/scheduler-metrics.ts";
import type { SchedulerConfiguration } from "../scheduler/config/scheduler-configuration.ts";
import { systemClock } from "../sys/clock.ts";
import { systemRandom } from "../sys/random.ts";
import { type ApiPart, type ApiPartOptions, startApiPart } from "./api-part.ts";
import { certificateSigner } from "./certificate-signer.ts";
import { controllerRoles, controllerUser } from "./controller-identity.ts";
import { startControllersPart, startSchedulerPart } from "./controllers-part.ts";
import { queueMetrics } from "./queue-metrics.ts";

/** What a control plane is made of. */
export interface ControlPlaneOptions extends ApiPartOptions {
  /** Each ServiceAccount gets a token Secret, as before Kubernetes 1.24. */
  legacyTokens: boolean;
  loadBalancer: BuiltInOptions["loadBalancer"];
  ingress: BuiltInOptions["ingress"];
  nodeGraceMs?: BuiltInOptions["nodeGraceMs"];
  schedulerConfiguration?: SchedulerConfiguration | undefined;
}

/** API server, controllers and scheduler in this process. */
export interface ControlPlane
  extends AsyncDisposable,
    Pick<ApiPart, "server" | "client" | "transport"> {
  readonly informers: InformerFactory;
}

const sources = { clock: systemClock, random: systemRandom };

/** Starts everything; resolves when the API answers and the bootstrap objects exist. */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const { pki, network, logger, legacyTokens } = options;
  await using cleanup = new Cleanup();
  const components = ["controller-manager", "scheduler"];
  const controllers: RunningController[] = [];
  const scheduling = new SchedulerMetrics();
  const metrics = [
    ...(options.metrics ?? []),
    () => [...queueMetrics(controllers), ...scheduling.families()],
  ];
  const api = cleanup.use(await startApiPart({ ...options, components, metrics }));
  const { client, server, tokenKeys, transport } = api;
  const informers = cleanup.use(createInformerFactory({ ...sources, client, logger }));
  const definitions = builtInControllers({
    client,
    caPem: pki.ca.pem.certPem,
    podAddresses: { cidr: network.clusterCidr, nodePrefix: 24 },
    loadBalancer: options.loadBalancer,
    ingress: options.ingress,
    nodeGraceMs: options.nodeGraceMs,
    credentials: {
      signToken: (of) => issueLegacyToken(tokenKeys, of),
      signCertificate: certificateSigner(pki.ca),
      legacyTokens,
    },
  });
  await api.bootstrap(controllerRoles(definitions));
  const clientOf = (name: string) => createClient(transport(controllerUser(name)));
  const parts = { client, informers, logger };
  const started = (controller: RunningController) => controllers.push(controller);
  cleanup.use(startControllersPart(definitions, { ...parts, clientOf, started }));
  const { schedulerConfiguration } = options;
  cleanup.use(startSchedulerPart({ ...parts, schedulerConfiguration, metrics: scheduling }));
  const running = cleanup.move();
  return {
    server,
    client,
    informers,
    transport,
    [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
  };
}
