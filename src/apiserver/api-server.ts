import type { IncomingMessage, ServerResponse } from "node:http";
import https from "node:https";
import type { AddressInfo } from "node:net";
import { DEFAULT_CIPHERS, type TLSSocket } from "node:tls";
import { VALIDATING_ADMISSION_POLICIES } from "../api/generated/resources.ts";
import { builtInModel } from "../api/schema/built-in-model.ts";
import type { SchemaModel } from "../api/schema/model.ts";
import type { Transport } from "../api/transport.ts";
import { type Clock, sleep } from "../lib/clock.ts";
import type { Logger } from "../lib/logger.ts";
import type { Random } from "../lib/random.ts";
import type { Store } from "../store/store.ts";
import type { AuditLog } from "./audit/audit-log.ts";
import { followFlowSchemas } from "./flow-control/flow-status.ts";
import { FlowControl } from "./flow-control/flow-control.ts";
import type { AggregationProxy } from "./aggregation/aggregation-proxy.ts";
import { Aggregation } from "./aggregation/aggregation.ts";
import { remoteDiscovery } from "./aggregation/remote-discovery.ts";
import type { FrontProxyPair } from "./aggregation/remote-client.ts";
import { traceRequests } from "./tracing/traced-requests.ts";
import { traceStore } from "./tracing/traced-store.ts";
import type { Tracer } from "./tracing/tracer.ts";
import { startPolicyStatus } from "./admission/policy/policy-status.ts";
import { serveBuiltIns } from "./built-in-resources.ts";
import { legacyResources } from "./legacy/legacy-resources.ts";
import type {
  AdmissionPlugin,
  Authenticator,
  Authorizer,
  ObjectReader,
  ServedKinds,
  TokenIssuer,
  UserInfo,
  ComponentCheck,
} from "./contract.ts";
import type { ConversionParts } from "./custom-resource/conversion/webhook-conversion.ts";
import { CustomResources } from "./custom-resource/custom-resources.ts";
import { ProtobufDecoder } from "./codec/protobuf-decoder.ts";
import { ProtobufEncoder } from "./codec/protobuf-encoder.ts";
import { Discovery } from "./discovery/discovery.ts";
import type { Engine } from "./engine.ts";
import { allowOrigins } from "./http/cross-origin.ts";
import { refuseUnreadable } from "./http/unreadable-request.ts";
import { WholeConnections } from "./http/whole-connection.ts";
import { HttpHandler } from "./http/http-handler.ts";
import type { HealthCheck } from "./http/health-pages.ts";
import type { PageSource, VersionInfo } from "./http/plain-pages.ts";
import { createInProcessTransport } from "./in-process-transport.ts";
import { KubeletClient, type KubeletTls } from "./kubelet-proxy/kubelet-client.ts";
import { KubeletProxy } from "./kubelet-proxy/kubelet-proxy.ts";
import { kubeletOf } from "./kubelet-proxy/node-address.ts";
import { DEFAULT_TIMES, type MaintenanceTimes, startMaintenance } from "./maintenance.ts";
import { createObjectReader } from "./object-reader.ts";
import type { MetricSource } from "./metrics/metrics-pages.ts";
import { RequestMetrics } from "./metrics/request-metrics.ts";
import { applyConfiguration, recordOwnership } from "./ownership.ts";
import { ResourceRegistry } from "./resource-registry.ts";
import { serverPages, storeCheck } from "./server-pages.ts";
import { servedKinds } from "./served-kinds.ts";
import { ServiceNetwork } from "./service-network/service-network.ts";
import { createBodyReader } from "./subresource/body-reader.ts";
import { BoundStatuses } from "./subresource/bound-status.ts";
import type { TokenChecker } from "./token/token-verifier.ts";
import { parseSummary } from "./usage/usage-sample.ts";
import { UsageSampler } from "./usage/usage-sampler.ts";
import { WatchCache } from "./watch-cache/watch-cache.ts";

/** Who may do what; made once the server can read its own objects. */
export interface SecurityParts {
  authenticators: readonly Authenticator[];
  /** Which paths may be asked for without credentials; absent: what must be known beforehand. */
  anonymous?: (path: string) => boolean;
  authorizer: Authorizer;
  admission: readonly AdmissionPlugin[];
  tokenIssuer?: TokenIssuer;
  /** For TokenReview. */
  tokenVerifier?: TokenChecker;
  /** Calls conversion webhooks; without it no definition can have one. */
  webhooks?: ConversionParts["client"];
  /** Closed with the server. */
  connections?: readonly Disposable[];
}

/** Everything a server needs from outside. */
export interface ApiServerOptions {
  store: Store;
  clock: Clock;
  random: Random;
  logger: Logger;
  /** Called once; the reader follows the server's own state. */
  security(reader: ObjectReader, kinds: ServedKinds): SecurityParts;
  version?: VersionInfo;
  /** Default "10.96.0.0/16". */
  serviceCidr?: string;
  /** Default 30000 to 32767. */
  nodePorts?: { first: number; last: number };
  maintenance?: Partial<MaintenanceTimes>;
  /** Discovery also lists the removed versions that older clients are served with. */
  legacyApis?: boolean;
  /** Other servers write to the same store. */
  sharedStore?: boolean;
  /** Further checks of /readyz. */
  readyChecks?: readonly HealthCheck[];
  /** What `kubectl get componentstatuses` lists beside the store. */
  components?: readonly ComponentCheck[];
  /** Further paths: the OIDC documents. */
  pages?: readonly PageSource[];
  /** What else `/metrics` tells: of the process, of what runs beside the server. */
  metrics?: readonly MetricSource[];
  /** Records who did what. */
  audit?: AuditLog;
  /** Shares the server out as FlowSchemas say; without it everybody is served at once. */
  flowControl?: boolean;
  /** Serves what APIServices name; without it they are objects like any other. */
  aggregation?: { frontProxy?: FrontProxyPair };
  /** Origins, as patterns, whose pages may read answers in a browser. */
  corsAllowedOrigins?: readonly string[];
  /** Records what becomes of some requests; without it nothing is followed. */
  tracer?: Tracer | undefined;
  /** How node agents are dialled; without it exec and logs have no client certificate. */
  kubeletTls?: KubeletTls;
}

/** Where and with which certificates to listen. */
export interface ListenOptions {
  host: string;
  /** 0 picks a free one. */
  port: number;
  /** PEM. */
  cert: string;
  key: string;
  /** PEM of the authority that client certificates come from. */
  clientCa?: string;
}

/**
 * A running API server. Disposing ends the watches, lets requests that are under way be answered,
 * and closes listeners and caches, not the store.
 */
export interface ApiServer extends AsyncDisposable {
  /** Opens an HTTPS listener; may be called for several addresses. */
  listen(options: ListenOptions): Promise<AddressInfo>;
  /** Requests without HTTP on behalf of `user`, who is authorized and admitted like any other. */
  transport(user: UserInfo): Transport;
  readonly reader: ObjectReader;
  /** The first service address: that of `default/kubernetes`. */
  readonly serviceAddress: string;
}

/** The server's order decides: of two strong suites the faster one, as upstream has it. */
const CIPHERS: string = ["TLS_AES_128_GCM_SHA256", DEFAULT_CIPHERS].join(":");
/** Longer than clients keep idle connections, so that they never write into a closing one. */
const KEEP_ALIVE_MS = 300_000;
const HEADERS_TIMEOUT_MS = 60_000;
/** How long a server that stops waits for requests, and again for streams, to end. */
const DRAIN_MS = 5_000;

/** Starts a server over a store; resolves when every cache is filled. */
export async function createApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const { clock, random, logger, tracer } = options;
  const store = tracer ? traceStore(options.store, tracer) : options.store;
  await ensureHistory(store);
  const registry = new ResourceRegistry();
  const caches: WatchCache[] = [];
  const startCache = async (
    of: Pick<Parameters<typeof WatchCache.start>[0], "storage" | "splice" | "attributesOf">,
  ) => {
    const cache = await WatchCache.start({ store, clock, logger, ...of });
    caches.push(cache);
    return cache;
  };
  const model = builtInModel();
  for (const served of await serveBuiltIns(model, startCache)) registry.add(served);
  const unlisted = options.legacyApis !== true;
  for (const served of legacyResources(model, registry)) registry.add({ ...served, unlisted });
  const serviceNetwork = new ServiceNetwork({
    cidr: options.serviceCidr ?? "10.96.0.0/16",
    nodePorts: options.nodePorts ?? { first: 30_000, last: 32_767 },
  });
  const services = registry.find("", "v1", "services")?.cache;
  const keys = services?.keys("") ?? [];
  serviceNetwork.rebuild(keys.flatMap((key) => services?.get(key)?.object() ?? []));
  const reader = createObjectReader(registry);
  const agents = new KubeletClient(options.kubeletTls);
  const usage = new UsageSampler({
    clock,
    logger,
    sample: async (node) => {
      const body = await agents.get(kubeletOf(registry, node), "/stats/summary");
      return parseSummary(body, clock.now());
    },
  });
  const security = options.security(reader, servedKinds(registry));
  const engine: Engine = {
    store,
    clock,
    random,
    logger,
    registry,
    authenticators: security.authenticators,
    anonymous: security.anonymous,
    authorizer: security.authorizer,
    admission: security.admission,
    tokenIssuer: security.tokenIssuer,
    tokenVerifier: security.tokenVerifier,
    serviceNetwork,
    components: [...(options.components ?? []), storeCheck(store, "etcd-0")],
    usage,
    sharedStore: options.sharedStore ?? false,
    readBody: createBodyReader(model),
    boundStatuses: new BoundStatuses(clock),
    manage: (call, of) => recordOwnership(clock, call, of),
    apply: (call, of) => applyConfiguration(clock, call, of),
  };
  const definitions = registry.find("apiextensions.k8s.io", "v1", "customresourcedefinitions");
  if (!definitions) throw new RangeError("Cannot serve custom resources: they are not defined");
  const custom = await CustomResources.start({
    engine,
    definitions,
    base: model,
    startCache,
    webhooks: { client: security.webhooks ?? noWebhooks, random },
  });
  const policies = registry.of(VALIDATING_ADMISSION_POLICIES);
  if (!policies) throw new RangeError("Cannot check policies: they are not served");
  const policyStatus = startPolicyStatus(engine, policies);
  const events = registry.find("", "v1", "events")?.cache;
  if (!events) throw new RangeError("Cannot expire events: they are not served");
  const times = { ...DEFAULT_TIMES, ...options.maintenance };
  const maintenance = startMaintenance({ store, clock, logger, events, times });
  const { aggregation: wanted } = options;
  const aggregation = wanted
    ? Aggregation.start({ engine, reader, frontProxy: wanted.frontProxy })
    : undefined;
  return new Server(engine, {
    options,
    caches,
    reader,
    model,
    background: [
      custom,
      policyStatus,
      maintenance,
      usage,
      agents,
      ...(aggregation ? [aggregation] : []),
      ...(options.flowControl ? [followFlowSchemas(engine)] : []),
      ...(security.connections ?? []),
    ],
    aggregation,
  });
}

const noWebhooks: ConversionParts["client"] = {
  call: () => Promise.reject(new Error("this server calls no webhooks")),
};

/** A store that was never written has no revision that a watch could start from. */
async function ensureHistory(store: Store): Promise<void> {
  if ((await store.revision()) > 0) return;
  await store.create("nephos/state", "created", Buffer.from("{}")).catch(() => {});
}

class Server implements ApiServer {
  readonly reader: ObjectReader;
  readonly #engine: Engine;
  readonly #caches: readonly WatchCache[];
  readonly #discovery: Discovery;
  readonly #handler: HttpHandler;
  readonly #handle: (request: IncomingMessage, response: ServerResponse) => void;
  readonly #kubelets: KubeletProxy;
  readonly #proxy: AggregationProxy | undefined;
  readonly #audit: AuditLog | undefined;
  readonly #metrics = new RequestMetrics();
  readonly #listeners: https.Server[] = [];
  /** Absent where every request passes through others first. */
  readonly #whole: WholeConnections | undefined;
  readonly #background: readonly Disposable[];
  #closing = false;

  constructor(
    engine: Engine,
    of: {
      options: ApiServerOptions;
      caches: readonly WatchCache[];
      reader: ObjectReader;
      model: SchemaModel;
      background: readonly Disposable[];
      aggregation: Aggregation | undefined;
    },
  ) {
    const { options } = of;
    this.#engine = engine;
    this.#caches = of.caches;
    this.reader = of.reader;
    this.#background = of.background;
    this.#proxy = of.aggregation?.proxy;
    this.#audit = options.audit;
    const encoder = new ProtobufEncoder(of.model);
    this.#discovery = new Discovery(engine.registry, {
      encoder,
      serverAddress: () => this.#address(),
      remotes: of.aggregation && remoteDiscovery(of.aggregation),
    });
    this.#kubelets = new KubeletProxy(engine, options.kubeletTls);
    const shutdown: HealthCheck = {
      name: "shutdown",
      check: () => (this.#closing ? "process is shutting down" : undefined),
    };
    const flows = options.flowControl
      ? new FlowControl({ reader: of.reader, clock: engine.clock })
      : undefined;
    this.#handler = new HttpHandler({
      engine,
      kubelets: this.#kubelets,
      proxy: of.aggregation?.proxy,
      audit: options.audit,
      flows,
      metrics: this.#metrics,
      protobuf: {
        decoder: new ProtobufDecoder(of.model),
        encoder,
      },
      discovery: this.#discovery,
      pages: serverPages(engine, {
        version: options.version,
        model: of.model,
        aggregation: of.aggregation,
        readyChecks: [shutdown, ...(options.readyChecks ?? [])],
        metrics: [
          () => this.#metrics.families(),
          ...(flows ? [() => flows.metrics()] : []),
          ...(options.metrics ?? []),
        ],
        pages: options.pages ?? [],
      }),
    });
    const handle = (request: IncomingMessage, response: ServerResponse) =>
      this.#handler.handle(request, response);
    const { corsAllowedOrigins: origins = [], tracer } = options;
    const traced = tracer ? traceRequests(tracer, handle) : handle;
    this.#handle = origins.length > 0 ? allowOrigins(origins, traced) : traced;
    if (this.#handle !== handle) return;
    this.#whole = new WholeConnections({
      clock: engine.clock,
      firstMs: HEADERS_TIMEOUT_MS,
      keepAliveMs: KEEP_ALIVE_MS,
      accepts: (request) => this.#handler.acceptsWhole(request),
      handle: (request, response) => this.#handler.handle(request, response),
    });
  }

  get serviceAddress(): string {
    return this.#engine.serviceNetwork.apiServerAddress;
  }

  async listen(options: ListenOptions): Promise<AddressInfo> {
    const { host, port, cert, key, clientCa } = options;
    const server = https.createServer({
      cert,
      key,
      ...(clientCa ? { ca: clientCa } : {}),
      requestCert: true,
      rejectUnauthorized: false,
      ALPNProtocols: ["http/1.1"],
      minVersion: "TLSv1.2",
      ciphers: CIPHERS,
      // A client of exec may end its input and still want the output.
      allowHalfOpen: true,
      keepAliveTimeout: KEEP_ALIVE_MS,
      headersTimeout: HEADERS_TIMEOUT_MS,
    });
    server.requestTimeout = 0;
    server.on("request", this.#handle);
    this.#whole?.attach(server);
    server.on("upgrade", (request, socket, head) =>
      this.#handler.upgrade(request, socket as TLSSocket, head),
    );
    server.on("clientError", refuseUnreadable);
    server.on("tlsClientError", (_error, socket) => socket.destroy());
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, host, () => {
        server.off("error", reject);
        resolve();
      });
    });
    this.#listeners.push(server);
    return server.address() as AddressInfo;
  }

  transport(user: UserInfo): Transport {
    return createInProcessTransport(this.#engine, {
      user,
      discovery: this.#discovery,
      proxy: this.#proxy,
      audit: this.#audit,
      metrics: this.#metrics,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    const closed = this.#listeners.map(
      (server) => new Promise<void>((resolve) => void server.close(() => resolve())),
    );
    for (const part of this.#background) part[Symbol.dispose]();
    this.#whole?.close();
    await this.#withPatience(this.#handler.requestsDrained());
    for (const cache of this.#caches) cache[Symbol.dispose]();
    this.#kubelets.close();
    await this.#withPatience(this.#handler.streamsDrained());
    for (const server of this.#listeners) server.closeAllConnections();
    this.#whole?.destroy();
    await Promise.all(closed);
  }

  async #withPatience(drained: Promise<void>): Promise<void> {
    const waited = new AbortController();
    await Promise.race([drained, sleep(this.#engine.clock, DRAIN_MS, waited.signal)]);
    waited.abort();
  }

  #address(): string {
    const address = this.#listeners[0]?.address() as AddressInfo | null | undefined;
    return address ? `${address.address}:${address.port}` : "";
  }
}
