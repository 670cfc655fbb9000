import { createPrivateKey, X509Certificate } from "node:crypto";
import { certificateFactsOf } from "../../format/x509/certificate-facts.ts";
import type { DistinguishedName } from "../../format/x509/distinguished-name.ts";
import type { Clock } from "../../lib/clock.ts";
import type { Random } from "../../lib/random.ts";
import {
  type CertificateAuthority,
  createAuthority,
  generateKeyPem,
  type KeyPairPem,
  openAuthority,
  publicKeyOf,
} from "./certificate-authority.ts";
import { type KeyDirectory, openKeyDirectory } from "./key-directory.ts";
import { PkiError } from "./pki-errors.ts";

const DAY_MS = 86_400_000;
const LEAF_LIFETIME_MS = 365 * DAY_MS;
const RENEW_BEFORE_MS = 60 * DAY_MS;

/** A node that needs a client and a serving certificate. */
export interface PkiNode {
  name: string;
  /** Names and addresses under which the API server reaches its agent. */
  addresses: readonly string[];
}

/** Names and addresses that certificates must carry. */
export interface PkiAddresses {
  /** Under which clients reach the API server, beside localhost. */
  server: readonly string[];
  /** First address of the Service range: ClusterIP of `kubernetes.default`. */
  serviceIp: string;
  /** Defaults to "cluster.local". */
  clusterDomain?: string;
  nodes: readonly PkiNode[];
}

/** What `ensurePki` needs. */
export interface PkiOptions {
  clock: Clock;
  random: Random;
  addresses: PkiAddresses;
}

/** All key material of a cluster. */
export interface Pki {
  readonly directory: string;
  readonly ca: CertificateAuthority;
  /** Signs what the API server shows to aggregated API servers; never trusted for clients. */
  readonly frontProxyCa: CertificateAuthority;
  /** P-256 key in PEM that signs service account tokens. */
  readonly serviceAccountKeyPem: string;
  readonly server: KeyPairPem;
  readonly admin: KeyPairPem;
  readonly controllerManager: KeyPairPem;
  readonly scheduler: KeyPairPem;
  /** With which the API server calls the agents. */
  readonly kubeletClient: KeyPairPem;
  readonly frontProxyClient: KeyPairPem;
  /** By node name. */
  readonly nodes: ReadonlyMap<string, { client: KeyPairPem; serving: KeyPairPem }>;
  /** A fresh client certificate, not stored: CN is the user, O are the groups. */
  issueClientCertificate(request: ClientCertificateRequest): KeyPairPem;
  /** Makes sure that a node which joins later has its certificates. */
  ensureNode(node: PkiNode): { client: KeyPairPem; serving: KeyPairPem };
}

/** Who a client certificate is for. */
export interface ClientCertificateRequest {
  commonName: string;
  organizations: readonly string[];
  /** Defaults to a year. */
  lifetimeMs?: number;
}

interface LeafTerms {
  subject: DistinguishedName;
  usages: readonly ("server" | "client")[];
  alternativeNames?: readonly string[];
}

const isAddress = (name: string) => /^[\d.]+$/.test(name) || name.includes(":");

function splitNames(names: readonly string[]): { dnsNames: string[]; ipAddresses: string[] } {
  const unique = [...new Set(names)];
  return {
    dnsNames: unique.filter((name) => !isAddress(name)),
    ipAddresses: unique.filter(isAddress),
  };
}

function keyFits(certificate: X509Certificate, keyPem: string): boolean {
  try {
    return certificate.checkPrivateKey(createPrivateKey(keyPem));
  } catch {
    return false;
  }
}

function ensureAuthority(
  files: KeyDirectory,
  name: string,
  options: PkiOptions & { commonName: string },
): CertificateAuthority {
  const certPem = files.read(`${name}.crt`);
  let keyPem = files.read(`${name}.key`);
  if (certPem === undefined) {
    if (keyPem === undefined) {
      keyPem = generateKeyPem();
      files.write(`${name}.key`, keyPem, { durable: true });
    }
    const authority = createAuthority(options.commonName, { ...options, keyPem });
    files.write(`${name}.crt`, authority.pem.certPem, { durable: true });
    return authority;
  }
  const where = `"${files.path}/${name}`;
  if (keyPem === undefined) {
    throw new PkiError(
      "authority-incomplete",
      `Cannot sign certificates: ${where}.crt" exists without ${where}.key"; restore the key, or remove both to begin a new trust domain`,
    );
  }
  const authority = openAuthority({ certPem, keyPem }, options);
  if (!keyFits(authority.certificate, keyPem)) {
    throw new PkiError(
      "authority-mismatch",
      `Cannot sign certificates: ${where}.key" is not the key of ${where}.crt"; restore the pair that belongs together`,
    );
  }
  if (Date.parse(authority.certificate.validTo) <= options.clock.now()) {
    throw new PkiError(
      "authority-expired",
      `Cannot sign certificates: ${where}.crt" expired at ${authority.certificate.validTo}; remove it and its key to begin a new trust domain`,
    );
  }
  return authority;
}

/** Whether a stored leaf still says what it must and lives long enough. */
function isCurrent(
  pem: KeyPairPem,
  authority: CertificateAuthority,
  wanted: LeafTerms & { now: number },
) {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(pem.certPem);
  } catch {
    return false;
  }
  if (Date.parse(certificate.validTo) - wanted.now < RENEW_BEFORE_MS) return false;
  if (Date.parse(certificate.validFrom) > wanted.now) return false;
  if (!certificate.checkIssued(authority.certificate)) return false;
  if (!certificate.verify(authority.certificate.publicKey)) return false;
  if (!keyFits(certificate, pem.keyPem)) return false;
  if (
    JSON.stringify(certificateFactsOf(certificate.raw).subject) !== JSON.stringify(wanted.subject)
  )
    return false;
  const { dnsNames, ipAddresses } = splitNames(wanted.alternativeNames ?? []);
  const present = certificate.subjectAltName?.split(", ").length ?? 0;
  return (
    present === dnsNames.length + ipAddresses.length &&
    dnsNames.every((name) => certificate.checkHost(name) !== undefined) &&
    ipAddresses.every((address) => certificate.checkIP(address) !== undefined)
  );
}

function issuePair(
  authority: CertificateAuthority,
  terms: LeafTerms & { lifetimeMs?: number },
): KeyPairPem {
  const { subject, usages, alternativeNames = [], lifetimeMs = LEAF_LIFETIME_MS } = terms;
  const keyPem = generateKeyPem();
  const publicKey = publicKeyOf(keyPem);
  const names = splitNames(alternativeNames);
  return { certPem: authority.issue({ subject, usages, ...names, lifetimeMs, publicKey }), keyPem };
}

function client(commonName: string, ...organizations: string[]): LeafTerms {
  return { subject: { commonName, organizations }, usages: ["client"] };
}

function serverTerms({
  server,
  serviceIp,
  clusterDomain = "cluster.local",
}: PkiAddresses): LeafTerms {
  return {
    subject: { commonName: "kube-apiserver", organizations: [] },
    usages: ["server"],
    alternativeNames: [
      "kubernetes",
      "kubernetes.default",
      "kubernetes.default.svc",
      `kubernetes.default.svc.${clusterDomain}`,
      "localhost",
      "127.0.0.1",
      serviceIp,
      ...server.filter((name) => name !== "0.0.0.0" && name !== "::"),
    ],
  };
}

/**
 * Makes every key and certificate of the cluster exist in `directory` (files 0600). Idempotent; a
 * leaf is renewed 60 days before its end or when its names changed, an authority never.
 * @throws PkiError when an authority on disk cannot be used
 */
export function ensurePki(directory: string, options: PkiOptions): Promise<Pki> {
  // Synchronous work inside, an asynchronous face: a key store may one day be remote.
  return Promise.resolve().then(() => ensurePkiNow(openKeyDirectory(directory), options));
}

function ensurePkiNow(files: KeyDirectory, options: PkiOptions): Pki {
  const { addresses, clock } = options;
  const authority = (name: string, commonName: string) =>
    ensureAuthority(files, name, { ...options, commonName });
  const ca = authority("ca", "kubernetes");
  const frontProxyCa = authority("front-proxy-ca", "front-proxy-ca");

  const leaf = (name: string, terms: LeafTerms, issuer = ca): KeyPairPem => {
    const certPem = files.read(`${name}.crt`);
    const keyPem = files.read(`${name}.key`);
    if (certPem !== undefined && keyPem !== undefined) {
      const stored = { certPem, keyPem };
      if (isCurrent(stored, issuer, { ...terms, now: clock.now() })) return stored;
    }
    const pair = issuePair(issuer, terms);
    files.write(`${name}.key`, pair.keyPem);
    files.write(`${name}.crt`, pair.certPem);
    return pair;
  };
  const ensureNode = ({ name, addresses: reachable }: PkiNode) => ({
    client: leaf(`node-${name}-client`, client(`system:node:${name}`, "system:nodes")),
    serving: leaf(`node-${name}-serving`, {
      ...client(`system:node:${name}`, "system:nodes"),
      usages: ["server"],
      alternativeNames: [name, ...reachable],
    }),
  });

  let serviceAccountKeyPem = files.read("sa.key");
  if (serviceAccountKeyPem === undefined) {
    serviceAccountKeyPem = generateKeyPem();
    files.write("sa.key", serviceAccountKeyPem, { durable: true });
  }
  return {
    directory: files.path,
    ca,
    frontProxyCa,
    serviceAccountKeyPem,
    server: leaf("apiserver", serverTerms(addresses)),
    admin: leaf("admin", client("kubernetes-admin", "system:masters")),
    controllerManager: leaf("controller-manager", client("system:kube-controller-manager")),
    scheduler: leaf("scheduler", client("system:kube-scheduler")),
    kubeletClient: leaf(
      "apiserver-kubelet-client",
      client("kube-apiserver-kubelet-client", "system:masters"),
    ),
    frontProxyClient: leaf("front-proxy-client", client("front-proxy-client"), frontProxyCa),
    nodes: new Map(addresses.nodes.map((node) => [node.name, ensureNode(node)])),
    ensureNode,
    issueClientCertificate: ({ lifetimeMs, ...subject }) =>
      issuePair(ca, { subject, usages: ["client"], ...(lifetimeMs ? { lifetimeMs } : {}) }),
  };
}
