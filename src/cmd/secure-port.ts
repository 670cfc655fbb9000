import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import path from "node:path";
import { CONFIG_MAPS } from "../api/generated/resources.ts";
import {
  createAuthority,
  generateKeyPem,
  publicKeyOf,
} from "../apiserver/pki/certificate-authority.ts";
import type { Client } from "../client/client.ts";
import { createHttpsTransport } from "../client/https-transport.ts";
import { loadKubeconfig } from "../client/kubeconfig.ts";
import { createClient } from "../client/resource-client.ts";
import { Cleanup } from "../lib/cleanup.ts";
import type { Logger } from "../lib/logger.ts";
import { systemClock } from "../sys/clock.ts";
import { systemRandom } from "../sys/random.ts";
import { CommandError } from "./command-error.ts";
import type { ComponentPages } from "./component-pages.ts";
import { COMPONENT_BELIEF, DelegatedAccess } from "./delegated-access.ts";
import { startSecurePort } from "./metrics-server.ts";
import { type FlagTable, usage } from "./options.ts";

const YEAR_MS = 365 * 86_400_000;
const OPEN_PATHS = "/healthz,/readyz,/livez";
/** Where an API server tells whose certificates it trusts. */
const TRUST = { name: "extension-apiserver-authentication", namespace: "kube-system" };

/** Flags about the port that kube-controller-manager and kube-scheduler call the secure one. */
export const SECURE_PORT_FLAGS: FlagTable = {
  "secure-port": { type: "string" },
  "bind-address": { type: "string" },
  "tls-cert-file": { type: "string" },
  "tls-private-key-file": { type: "string" },
  "client-ca-file": { type: "string" },
  "authentication-kubeconfig": { type: "string" },
  "authorization-kubeconfig": { type: "string" },
  "authentication-skip-lookup": { type: "boolean" },
  "authorization-always-allow-paths": { type: "string" },
};

/** What these flags say. */
export interface SecurePortSettings {
  address: { host: string; port: number };
  /** Files; a certificate of its own is made without them. */
  tls: { certFile: string; keyFile: string } | undefined;
  clientCaFile: string | undefined;
  authenticationKubeconfig: string | undefined;
  authorizationKubeconfig: string | undefined;
  skipLookup: boolean;
  openPaths: readonly string[];
}

type Values = Readonly<Record<string, string | boolean | undefined>>;

/** None without `--secure-port`, or with 0. @throws CommandError with exit code 2 */
export function readSecurePortFlags(values: Values): SecurePortSettings | undefined {
  const text = (flag: string) => {
    const value = values[flag];
    return typeof value === "string" && value !== "" ? value : undefined;
  };
  const asked = text("secure-port");
  const port = Number(asked ?? 0);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw usage(`--secure-port must be a port, or 0 for none, not "${asked}"`);
  }
  if (port === 0) {
    const [other] = Object.keys(SECURE_PORT_FLAGS).filter((flag) => flag in values);
    if (other !== undefined && other !== "secure-port")
      throw usage(`--${other} needs --secure-port`);
    return undefined;
  }
  const certFile = text("tls-cert-file");
  const keyFile = text("tls-private-key-file");
  if ((certFile === undefined) !== (keyFile === undefined)) {
    throw usage("--tls-cert-file and --tls-private-key-file go together");
  }
  const openPaths = (text("authorization-always-allow-paths") ?? OPEN_PATHS).split(",");
  const [bad] = openPaths.filter((open) => !/^\/[^*]*\*?$/.test(open));
  if (bad !== undefined) {
    throw usage(`--authorization-always-allow-paths: "${bad}" must begin with "/", "*" may end it`);
  }
  return {
    address: { host: text("bind-address") ?? "0.0.0.0", port },
    tls: certFile !== undefined && keyFile !== undefined ? { certFile, keyFile } : undefined,
    clientCaFile: text("client-ca-file"),
    authenticationKubeconfig: text("authentication-kubeconfig"),
    authorizationKubeconfig: text("authorization-kubeconfig"),
    skipLookup: values["authentication-skip-lookup"] === true,
    openPaths,
  };
}

/** Opens the port; `client` is asked about users where no other kubeconfig is given. */
export async function openSecurePort(
  settings: SecurePortSettings,
  of: { client: Client; pages: ComponentPages; logger: Logger },
): Promise<AsyncDisposable> {
  const { client, pages, logger } = of;
  await using cleanup = new Cleanup();
  const clientOf = (file: string | undefined): Client => {
    if (file === undefined) return client;
    const target = loadKubeconfig(read(file), { directory: path.dirname(file) });
    return createClient(cleanup.use(createHttpsTransport(target)));
  };
  const authentication = clientOf(settings.authenticationKubeconfig);
  const authorization = clientOf(settings.authorizationKubeconfig);
  const { openPaths } = settings;
  const access = new DelegatedAccess({
    authentication,
    authorization,
    openPaths,
    believed: COMPONENT_BELIEF,
    clock: systemClock,
  });
  cleanup.use(
    await startSecurePort({
      address: settings.address,
      tls: settings.tls
        ? { certPem: read(settings.tls.certFile), keyPem: read(settings.tls.keyFile) }
        : ownCertificate(settings.address.host),
      clientCaPem: await clientCaOf(settings, { authentication, logger }),
      access,
      pages,
      logger: logger.with({ component: "secure-port" }),
    }),
  );
  const owned = cleanup.move();
  return { [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose]() };
}

/** Without an answer certificates identify nobody, as with upstream; tokens still do. */
async function clientCaOf(
  { clientCaFile, skipLookup }: SecurePortSettings,
  { authentication, logger }: { authentication: Client; logger: Logger },
): Promise<string | undefined> {
  if (clientCaFile !== undefined) return read(clientCaFile);
  if (skipLookup) return undefined;
  try {
    return (await authentication.for(CONFIG_MAPS).get(TRUST)).data?.["client-ca-file"];
  } catch (error) {
    const what = "certificates of clients are not looked at: whom to trust is not known";
    logger.warn(what, { configMap: `${TRUST.namespace}/${TRUST.name}`, error });
    return undefined;
  }
}

/** Signed by an authority that nobody keeps: clients that verify need the files of flags. */
function ownCertificate(host: string): { certPem: string; keyPem: string } {
  const sources = { clock: systemClock, random: systemRandom };
  const name = `${hostname()}-ca@${Math.floor(systemClock.now() / 1000)}`;
  const authority = createAuthority(name, { ...sources, keyPem: generateKeyPem() });
  const keyPem = generateKeyPem();
  const certPem = authority.issue({
    subject: { commonName: hostname(), organizations: [] },
    usages: ["server"],
    dnsNames: [hostname(), "localhost"],
    ipAddresses: [...new Set(["127.0.0.1", ...(host === "0.0.0.0" ? [] : [host])])],
    lifetimeMs: YEAR_MS,
    publicKey: publicKeyOf(keyPem),
  });
  return { certPem: certPem + authority.pem.certPem, keyPem };
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new CommandError(`Cannot read "${file}": ${(cause as Error).message}`, { cause });
  }
}
