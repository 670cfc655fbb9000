import { hostname } from "node:os";
import type { Secret } from "../api/generated/types/core-v1.ts";
import type { BootstrapObject } from "../apiserver/bootstrap/bootstrap-object.ts";
import type { Transport } from "../api/transport.ts";
import { builtInAdmission } from "../apiserver/admission/built-in-admission.ts";
import { createConditionEngine } from "../apiserver/admission/policy/contract.ts";
import type { SecurityLevel } from "../apiserver/admission/pod-security/security-policy.ts";
import type { ConditionMatcher } from "../apiserver/admission/webhook/hook-match.ts";
import { type ApiServer, createApiServer } from "../apiserver/api-server.ts";
import type { AuditLog } from "../apiserver/audit/audit-log.ts";
import { CertificateTerms } from "../apiserver/authentication/client-certificate.ts";
import { ANONYMOUS_ANYWHERE, isOpen } from "../apiserver/authentication/anonymous-access.ts";
import { createAuthenticators } from "../apiserver/authentication/authentication.ts";
import { createFetchDocument } from "../apiserver/authentication/oidc/fetch-document.ts";
import { withIssuers } from "../apiserver/authentication/oidc/issuer-verifier.ts";
import { createAuthorizer } from "../apiserver/authorization/authorization.ts";
import { bootstrapObjects } from "../apiserver/bootstrap/bootstrap-objects.ts";
import { reconcileBootstrap } from "../apiserver/bootstrap/reconcile-bootstrap.ts";
import type { ObjectReader, ServedKinds, UserInfo } from "../apiserver/contract.ts";
import type { HealthCheck } from "../apiserver/http/health-pages.ts";
import { AdmissionMetrics } from "../apiserver/metrics/admission-metrics.ts";
import type { MetricSource } from "../apiserver/metrics/metrics-pages.ts";
import type { Pki } from "../apiserver/pki/pki.ts";
import { WebhookClient } from "../apiserver/remote/webhook-client.ts";
import {
  createTokenIssuer,
  DEFAULT_ISSUER,
  type LegacyUse,
} from "../apiserver/token/token-issuer.ts";
import { oidcPages } from "../apiserver/token/oidc-pages.ts";
import { readTokenKeys, type TokenKeys } from "../apiserver/token/token-keys.ts";
import type { Tracer } from "../apiserver/tracing/tracer.ts";
import { createTokenVerifier } from "../apiserver/token/token-verifier.ts";
import type { Client } from "../client/client.ts";
import { createClient } from "../client/resource-client.ts";
import type { Logger } from "../lib/logger.ts";
import type { Store } from "../store/store.ts";
import { systemClock } from "../sys/clock.ts";
import { systemRandom } from "../sys/random.ts";
import type { IssuerSource } from "./authentication-config.ts";
import type { ClusterNetwork } from "./cluster-network.ts";
import { LegacyTokenTracking } from "./legacy-token-tracking.ts";
import { processMetrics } from "./process-metrics.ts";
import { keepServerIdentity } from "./server-identity.ts";
import { type ApiListener, explainListener } from "./taken-address.ts";
import { GIT_VERSION } from "./version.ts";

/** The API server in this process, with everything that decides who may do what. */
export interface ApiPart extends AsyncDisposable {
  readonly server: ApiServer;
  readonly tokenKeys: TokenKeys;
  /** Unrestricted and in process: for what the cluster itself needs. */
  readonly client: Client;
  transport(user: UserInfo): Transport;
  /** Makes objects exist that the cluster cannot be without. */
  bootstrap(objects: readonly BootstrapObject[]): Promise<void>;
}

/** What an API server is made of. */
export interface ApiPartOptions {
  store: Store;
  pki: Pki;
  network: ClusterNetwork;
  listeners: readonly ApiListener[];
  /** What namespaces without a label of their own enforce. */
  podSecurity: SecurityLevel;
  /** Absent: nothing is recorded. */
  audit?: AuditLog;
  /** Discovery lists the removed versions that older clients are served with. */
  legacyApis?: boolean;
  /** Patterns of the origins whose pages may read answers in a browser. */
  corsAllowedOrigins?: readonly string[];
  /** Records what becomes of some requests. */
  tracer?: Tracer | undefined;
  /** Outside issuers of tokens. */
  issuers?: IssuerSource;
  /** Further checks of /readyz. */
  readyChecks?: readonly HealthCheck[];
  /** What else runs in this process: it is as healthy as who answers. */
  components?: readonly string[];
  /** What `/metrics` tells beside the server's and this process's own figures. */
  metrics?: readonly MetricSource[];
  logger: Logger;
}

/** The server's own identity: it needs no role, as no role could be read without it. */
const SELF: UserInfo = { name: "system:apiserver", groups: ["system:masters"] };

const sources = { clock: systemClock, random: systemRandom };

/** Starts it; resolves when the API answers and the bootstrap objects exist. */
export async function startApiPart(options: ApiPartOptions): Promise<ApiPart> {
  const { store, pki, network, logger, components = [] } = options;
  const tokenKeys = readTokenKeys(pki.serviceAccountKeyPem);
  const serverUrl = `https://${network.apiServerIp}`;
  const admissionMetrics = new AdmissionMetrics(systemClock);
  const terms = new CertificateTerms();
  const tracking = new LegacyTokenTracking({ clock: systemClock, logger });
  const parts = { tokenKeys, admissionMetrics, terms, tracking };
  const server = await createApiServer({
    ...sources,
    store,
    logger: logger.with({ component: "apiserver" }),
    serviceCidr: network.serviceCidr,
    legacyApis: options.legacyApis ?? false,
    version: versionInfo(),
    kubeletTls: {
      cert: pki.kubeletClient.certPem,
      key: pki.kubeletClient.keyPem,
      ca: pki.ca.pem.certPem,
    },
    security: (reader, kinds) => securityParts({ reader, kinds }, { ...options, ...parts }),
    ...(options.audit ? { audit: options.audit } : {}),
    flowControl: true,
    tracer: options.tracer,
    readyChecks: options.readyChecks ?? [],
    corsAllowedOrigins: options.corsAllowedOrigins ?? [],
    aggregation: {
      frontProxy: { cert: pki.frontProxyClient.certPem, key: pki.frontProxyClient.keyPem },
    },
    pages: [oidcPages(tokenKeys, { issuer: DEFAULT_ISSUER, serverUrl })],
    metrics: [
      processMetrics,
      () => [...admissionMetrics.families(), ...terms.families(), ...tracking.metrics()],
      ...(options.issuers ? [options.issuers.metrics] : []),
      ...(options.metrics ?? []),
    ],
    components: components.map((name) => ({ name, check: () => undefined })),
  });
  const { certPem: cert, keyPem: key } = pki.server;
  for (const listener of options.listeners) {
    const { host, port } = listener;
    const listening = server.listen({ host, port, cert, key, clientCa: pki.ca.pem.certPem });
    await listening.catch((error: Error) => {
      throw explainListener(error, listener);
    });
  }
  const roots = {
    clientCaPem: pki.ca.pem.certPem,
    frontProxyCaPem: pki.frontProxyCa.pem.certPem,
  };
  const own = server.transport(SELF);
  const bootstrap = async (objects: readonly BootstrapObject[]): Promise<void> => {
    await reconcileBootstrap(own, objects);
  };
  await bootstrap(bootstrapObjects(roots));
  const client = createClient(own);
  tracking.start(client);
  const identity = keepServerIdentity({ ...sources, client, hostname: hostname(), logger });
  return {
    server,
    tokenKeys,
    client,
    transport: (user) => server.transport(user),
    bootstrap,
    async [Symbol.asyncDispose]() {
      identity[Symbol.dispose]();
      tracking[Symbol.dispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

function securityParts(
  { reader, kinds }: { reader: ObjectReader; kinds: ServedKinds },
  options: ApiPartOptions & {
    tokenKeys: TokenKeys;
    admissionMetrics: AdmissionMetrics;
    terms: CertificateTerms;
    tracking: LegacyTokenTracking;
  },
) {
  const { podSecurity, tokenKeys, issuers, logger, admissionMetrics: metrics, terms } = options;
  const tokens = {
    ...sources,
    keys: tokenKeys,
    reader,
    issuer: DEFAULT_ISSUER,
    legacyUsed: (secret: Secret, use: LegacyUse) => options.tracking.used(secret, use),
  };
  const verifier = withIssuers(createTokenVerifier(tokens), {
    fetch: createFetchDocument(systemClock),
    clock: systemClock,
    logger: logger.with({ component: "token-issuers" }),
    audiences: [DEFAULT_ISSUER],
  });
  let access = ANONYMOUS_ANYWHERE;
  issuers?.follow((settings) => {
    verifier.use(settings.issuers);
    access = settings.anonymous;
  });
  const authorizer = createAuthorizer(reader);
  const expressions = createConditionEngine({ reader, authorizer });
  const client = new WebhookClient({ ...sources, reader, tracer: options.tracer });
  const conditions: ConditionMatcher = (all, request) =>
    expressions.matchConditions(all, expressions.input(request));
  const webhooks = {
    kinds,
    client,
    conditions,
    logger: logger.with({ component: "admission-webhooks" }),
    metrics,
  };
  return {
    authenticators: createAuthenticators({ clock: systemClock, verifier, reader, terms }),
    anonymous: (path: string) => isOpen(access, path),
    authorizer,
    admission: builtInAdmission({
      ...sources,
      reader,
      authorizer,
      podSecurity: { enforce: podSecurity },
      metrics,
      webhooks,
    }),
    tokenIssuer: createTokenIssuer(tokens),
    tokenVerifier: verifier,
    webhooks: client,
    connections: [client],
  };
}

function versionInfo(): Readonly<Record<string, string>> {
  const [major = "", minor = ""] = GIT_VERSION.slice(1).split(".");
  return {
    major,
    minor,
    gitVersion: GIT_VERSION,
    // What git calls no commit: clients expect hexadecimal digits.
    gitCommit: "0".repeat(40),
    gitTreeState: "clean",
    buildDate: "1970-01-01T00:00:00Z",
    goVersion: "",
    compiler: "tsc",
    platform: "linux/amd64",
  };
}
