import type { ConfigurationReader } from "../../lib/configuration-reader.ts";
import { qualifiedNameErrors } from "../../lib/names.ts";

/** A webhook that filters, scores or binds beside the plugins. */
export interface ExtenderConfiguration {
  urlPrefix: string;
  filterVerb: string | undefined;
  prioritizeVerb: string | undefined;
  bindVerb: string | undefined;
  preemptVerb: string | undefined;
  weight: number;
  timeoutMs: number;
  /** How its server is known, and who we are to it; undefined trusts the host's authorities. */
  tls: ExtenderTls | undefined;
  /** Node names instead of whole nodes are sent. */
  nodeCacheCapable: boolean;
  /** A failure of the extender is no reason to turn a pod down. */
  ignorable: boolean;
  /** Only pods that request one of these concern it; none at all means every pod. */
  managedResources: readonly { name: string; ignoredByScheduler: boolean }[];
}

/** `tlsConfig`: each of the three as PEM, or as the file that holds it. */
export interface ExtenderTls {
  insecure: boolean;
  serverName: string | undefined;
  ca: PemSource | undefined;
  cert: PemSource | undefined;
  key: PemSource | undefined;
}

/** PEM text, or where it is read from. */
export type PemSource = { pem: string } | { file: string };

const TIMEOUT_MS = 5000;

/** Reads `extenders`. @throws ConfigurationFileError */
export function readExtenders(root: ConfigurationReader): ExtenderConfiguration[] {
  const managed = new Set<string>();
  const extenders = root.list("extenders").map((one) => {
    const prioritizeVerb = one.text("prioritizeVerb") || undefined;
    const weight = one.number("weight", { min: 0, max: 2 ** 31 - 1 }) ?? 0;
    if (prioritizeVerb && weight === 0) throw one.error("weight", "must be positive");
    return {
      urlPrefix: one.requiredText("urlPrefix"),
      filterVerb: one.text("filterVerb") || undefined,
      prioritizeVerb,
      bindVerb: one.text("bindVerb") || undefined,
      preemptVerb: one.text("preemptVerb") || undefined,
      weight,
      timeoutMs: one.durationMs("httpTimeout") || TIMEOUT_MS,
      tls: readTls(one),
      nodeCacheCapable: one.boolean("nodeCacheCapable"),
      ignorable: one.boolean("ignorable"),
      managedResources: one.list("managedResources").map((resource) => ({
        name: managedName(resource, managed),
        ignoredByScheduler: resource.boolean("ignoredByScheduler"),
      })),
    };
  });
  if (extenders.filter(({ bindVerb }) => bindVerb).length > 1) {
    throw root.error("extenders", "must have one bindVerb at most: a pod is bound once");
  }
  return extenders;
}

/** The name of an extended resource that no other extender manages. */
function managedName(resource: ConfigurationReader, managed: Set<string>): string {
  const name = resource.requiredText("name");
  const [complaint] = qualifiedNameErrors(name);
  if (complaint) throw resource.error("name", complaint);
  if (!isExtendedResource(name)) {
    throw resource.error("name", 'must be an extended resource such as "example.com/gpu"');
  }
  if (managed.has(name)) throw resource.error("name", `"${name}" is managed already`);
  managed.add(name);
  return name;
}

/** One that is counted, and that Kubernetes does not know itself. */
function isExtendedResource(name: string): boolean {
  const [prefix = "", more] = name.split("/");
  const isNative = more === undefined || prefix.endsWith("kubernetes.io");
  return !isNative && !name.startsWith("requests.");
}

function readTls(extender: ConfigurationReader): ExtenderTls | undefined {
  const isSecured = extender.boolean("enableHTTPS");
  if (!isSecured && extender.value("tlsConfig") === undefined) return undefined;
  const tls = extender.object("tlsConfig");
  const source = (name: string): PemSource | undefined => {
    const data = tls.text(`${name}Data`);
    // What is given as text goes before what a file holds.
    if (data) return { pem: Buffer.from(data, "base64").toString() };
    const file = tls.text(`${name}File`);
    return file ? { file } : undefined;
  };
  const [ca, cert, key] = [source("ca"), source("cert"), source("key")];
  if ((cert === undefined) !== (key === undefined)) {
    throw tls.error("", "must have a certificate and its key, or neither");
  }
  const asked = tls.boolean("insecure");
  if (asked && ca) throw tls.error("insecure", "must not be set beside an authority to trust");
  // As upstream: HTTPS that was only switched on is encrypted, not verified.
  const insecure = asked || (isSecured && !ca);
  return { insecure, serverName: tls.text("serverName") || undefined, ca, cert, key };
}
