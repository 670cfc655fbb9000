import type { Transport } from "../api/transport.ts";

import { builtInAdmission } from "../apiserver/admission/built-in-admission.ts";
import type { SecurityLevel } from "../apiserver/admission/pod-security/security-policy.ts";
import { type ApiServer, createApiServer } from "../apiserver/api-server.ts";
import { createAuthenticators } from "../apiserver/authentication/authentication.ts";
import { createAuthorizer } from "../apiserver/authorization/authorization.ts";
import { bootstrapObjects } from "../apiserver/bootstrap/bootstrap-objects.ts";
import { reconcileBootstrap } from "../apiserver/bootstrap/reconcile-bootstrap.ts";
import type { ObjectReader, UserInfo } from "../apiserver/contract.ts";
import type { Pki } from "../apiserver/pki/pki.ts";
import { createTokenIssuer, DEFAULT_ISSUER } from "../apiserver/token/token-issuer.ts";
import { issueLegacyToken } from "../apiserver/token/legacy-token.ts";
import { oidcPages } from "../apiserver/token/oidc-pages.ts";
import { readTokenKeys, type TokenKeys } from "../apiserver/token/token-keys.ts";
import { createTokenVerifier } from "../apiserver/token/token-verifier.ts";
import { createEventRecorder } from "../client/api-event-recorder.ts";
import type { Client } from "../client/client.ts";
import { runController } from "../client/controller-runner.ts";

import type { InformerFactory } from "../client/informer.ts";
import { createInformerFactory } from "../client/informer-factory.ts";
import { createClient } from "../client/resource-client.ts";
import { builtInControllers } from "../controllers/built-in.ts";
import { runGarbageCollector } from "../controllers/garbage-collector/garbage-collector.ts";
import type { Logger } from "../lib/logger.ts";
import { runScheduler } from "../scheduler/scheduler.ts";
import type { Store } from "../store/store.ts";
import { systemClock } from "../sys/clock.ts";
import { systemRandom } from "../sys/random.ts";
import { eventSourceOf } from "./event-source.ts";
import type { ClusterNetwork } from "./cluster-network.ts";
import { controllerRoles, controllerUser } from "./controller-identity.ts";
import { GIT_VERSION } from "./version.ts";

/** API server, controllers and scheduler in this process. */
export interface ControlPlane extends AsyncDisposable {
  readonly server: ApiServer;
  /** Unrestricted and in process: for what the cluster itself needs. */
  readonly client: Client;
  readonly informers: InformerFactory;
  transport(user: UserInfo): Transport;
}

/** What a control plane is made of. */
export interface ControlPlaneOptions {
  store: Store;
  pki: Pki;
  network: ClusterNetwork;
  listeners: readonly { host: string; port: number }[];
  /** What namespaces without a label of their own enforce. */
  podSecurity: SecurityLevel;
  /** Each ServiceAccount gets a token Secret, as before Kubernetes 1.24. */
  legacyTokens: boolean;
  logger: Logger;
}

/** The server's own identity: it needs no role, as no role could be read without it. */
const SELF: UserInfo = { name: "system:apiserver", groups: ["system:masters"] };

const sources = { clock: systemClock, random: systemRandom };

/** Starts everything; resolves when the API answers and the bootstrap objects exist. */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const { store, pki, network, logger } = options;
  const tokenKeys = readTokenKeys(pki.serviceAccountKeyPem);
  const serverUrl = `https://${network.apiServerIp}`;
  const server = await createApiServer({
    ...sources,
    store,
    logger: logger.with({ component: "apiserver" }),
    serviceCidr: network.serviceCidr,
    version: versionInfo(),
    kubeletTls: {
      cert: pki.kubeletClient.certPem,
      key: pki.kubeletClient.keyPem,
      ca: pki.ca.pem.certPem,
    },
    security: (reader) => securityParts(reader, { ...options, tokenKeys }),
    pages: [oidcPages(tokenKeys, { issuer: DEFAULT_ISSUER, serverUrl })],
    // Both run in this process from here on: they are as healthy as who answers.
    components: ["controller-manager", "scheduler"].map((name) => ({
      name,
      check: () => undefined,
    })),
  });
  const { certPem: cert, keyPem: key } = pki.server;
  for (const listener of options.listeners) {
    await server.listen({ ...listener, cert, key, clientCa: pki.ca.pem.certPem });
  }
  const roots = {
    clientCaPem: pki.ca.pem.certPem,
    frontProxyCaPem: pki.frontProxyCa.pem.certPem,
  };
  await reconcileBootstrap(server.transport(SELF), bootstrapObjects(roots));
  const client = createClient(server.transport(SELF));
  const informers = createInformerFactory({ ...sources, client, logger });
  const transport = (user: UserInfo) => server.transport(user);
  const controllers = await startControllers(
    { ...options, tokenKeys },
    { client, informers, transport },
  );
  return {
    server,
    client,
    informers,
    transport,
    async [Symbol.asyncDispose]() {
      for (const part of controllers) await part[Symbol.asyncDispose]();
      await informers[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

function securityParts(
  reader: ObjectReader,
  { podSecurity, tokenKeys }: ControlPlaneOptions & { tokenKeys: TokenKeys },
) {
  const tokens = {
    ...sources,
    keys: tokenKeys,
    reader,
    issuer: DEFAULT_ISSUER,
  };
  const verifier = createTokenVerifier(tokens);
  const authorizer = createAuthorizer(reader);
  return {
    authenticators: createAuthenticators({ clock: systemClock, verifier }),
    authorizer,
    admission: builtInAdmission({
      ...sources,
      reader,
      authorizer,
      podSecurity: { enforce: podSecurity },
    }),
    tokenIssuer: createTokenIssuer(tokens),
    tokenVerifier: verifier,
  };
}

async function startControllers(
  { pki, network, logger, tokenKeys, legacyTokens }: ControlPlaneOptions & { tokenKeys: TokenKeys },
  of: {
    client: Client;
    informers: InformerFactory;
    transport: (user: UserInfo) => Transport;
  },
): Promise<AsyncDisposable[]> {
  const { client, informers, transport } = of;
  const recorders: AsyncDisposable[] = [];
  const recorder = (component: string) => {
    const created = createEventRecorder({ ...sources, client, component, logger });
    recorders.push(created);
    return created;
  };
  const definitions = builtInControllers({
    client,
    caPem: pki.ca.pem.certPem,
    podAddresses: { cidr: network.clusterCidr, nodePrefix: 24 },
    credentials: { signToken: (of) => issueLegacyToken(tokenKeys, of), legacyTokens },
  });
  await reconcileBootstrap(transport(SELF), controllerRoles(definitions));
  const running = definitions.map((definition) =>
    runController(definition, {
      ...sources,
      client: createClient(transport(controllerUser(definition.name))),
      informers,
      logger: logger.with({ component: definition.name }),
      events: recorder(eventSourceOf(definition.name)),
    }),
  );
  const scheduler = runScheduler({
    ...sources,
    client,
    informers,
    logger: logger.with({ component: "scheduler" }),
    events: recorder("default-scheduler"),
  });
  const stopScheduler = {
    [Symbol.asyncDispose]: () => {
      scheduler[Symbol.dispose]();
      return Promise.resolve();
    },
  };
  const collector = runGarbageCollector({
    ...sources,
    client,
    informers,
    logger: logger.with({ component: "garbage-collector" }),
  });
  return [stopScheduler, collector, ...running, ...recorders];
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
