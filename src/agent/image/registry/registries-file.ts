import { readFileSync } from "node:fs";
import path from "node:path";
import type { ImageReference } from "../../../format/oci/reference.ts";
import { decodeBasic, type RegistryCredentials } from "../../../format/oci/registry-credentials.ts";
import { decodeYaml } from "../../../format/yaml-decode.ts";
import { ConfigurationFileError, ConfigurationReader } from "../../../lib/configuration-reader.ts";

/** A server that may have an image. */
export interface RegistryEndpoint {
  /** Without the "/v2" of the protocol; no slash at its end. */
  url: string;
  /** Host and port, by which credentials are found. */
  host: string;
  /** What the image is called there. */
  repository: string;
  /** Not the registry of the image's name, but a server in its stead. */
  isMirror: boolean;
  tls: EndpointTls;
  credentials?: RegistryCredentials;
}

/** How a server is trusted, and this node by it; texts are PEM. */
export interface EndpointTls {
  ca?: string;
  cert?: string;
  key?: string;
  /** Whatever certificate it shows. */
  isUnverified: boolean;
}

/** What a node knows of registries. */
export interface Registries {
  /** Where to look for the image, in this order. */
  endpointsOf(reference: ImageReference): RegistryEndpoint[];
}

interface Mirror {
  endpoints: readonly string[];
  rewrites: readonly { pattern: RegExp; replacement: string }[];
}

interface Host {
  tls: EndpointTls;
  credentials?: RegistryCredentials;
}

const SUBJECT = "the registries' configuration";
const DOCKER_HUB = "docker.io";
const DOCKER_HUB_HOST = "registry-1.docker.io";
const ANY = "*";
const VERIFIED: EndpointTls = { isUnverified: false };

/**
 * Reads `registries.yaml` (mirrors, credentials and TLS of registries, in the form that K3s made
 * known); an absent file says nothing. @throws ConfigurationFileError, which names the field
 */
export function readRegistriesFile(file: string): Registries {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return parseRegistries({}, "/");
    throw new ConfigurationFileError(`Cannot read ${SUBJECT} "${file}"`, { cause });
  }
  let document: unknown;
  try {
    document = decodeYaml(text).value ?? {};
  } catch (cause) {
    const message = `Cannot read ${SUBJECT} "${file}": ${(cause as Error).message}`;
    throw new ConfigurationFileError(message, { cause });
  }
  return parseRegistries(document, path.dirname(file));
}

/** Checks a decoded document; files that it names lie in `directory` unless they are absolute. */
export function parseRegistries(document: unknown, directory: string): Registries {
  const root = new ConfigurationReader(document, { subject: SUBJECT });
  const mirrors = mapOf(root.object("mirrors"), readMirror);
  const hosts = mapOf(root.object("configs"), (host) => readHost(host, directory));
  refuseOthers(root);
  return {
    endpointsOf(reference) {
      const { registry, repository } = reference;
      const mirror = mirrors.get(registry) ?? mirrors.get(ANY);
      const endpoint = (url: string, isMirror: boolean): RegistryEndpoint => {
        const { host } = new URL(url);
        const known = hosts.get(host) ?? (isMirror ? undefined : hosts.get(registry));
        const { tls, credentials } = known ?? hosts.get(ANY) ?? { tls: VERIFIED };
        const name = isMirror && mirror ? rewritten(repository, mirror) : repository;
        return { url, host, repository: name, isMirror, tls, ...(credentials && { credentials }) };
      };
      const own = ownUrl(registry);
      const urls = (mirror?.endpoints ?? []).filter((url) => url !== own);
      // An endpoint for the very host of the name says how it is reached, beside which is nothing.
      const self = urls.find((url) => new URL(url).host === new URL(own).host);
      const others = urls.filter((url) => url !== self);
      return [...others.map((url) => endpoint(url, true)), endpoint(self ?? own, false)];
    },
  };
}

/** Registries on this machine are asked without TLS, all others with it. */
function ownUrl(registry: string): string {
  if (registry === DOCKER_HUB) return `https://${DOCKER_HUB_HOST}`;
  const name = registry.replace(/:\d+$/, "").toLowerCase();
  const isLocal = name === "localhost" || name === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(name);
  return `${isLocal ? "http" : "https"}://${registry}`;
}

function rewritten(repository: string, { rewrites }: Mirror): string {
  const rule = rewrites.find(({ pattern }) => pattern.test(repository));
  return rule ? repository.replace(rule.pattern, rule.replacement) : repository;
}

function readMirror(mirror: ConfigurationReader): Mirror {
  const endpoints = mirror.texts("endpoint").map((text, at) => {
    const url = URL.canParse(text) ? new URL(text) : undefined;
    const isPlain = url && !url.search && !url.hash && !url.username && !url.password;
    if (!isPlain || !/^https?:$/.test(url.protocol)) {
      throw mirror.error(`endpoint[${at}]`, 'must be a URL such as "https://mirror.example:5000"');
    }
    const base = url.pathname.replace(/\/+$/, "").replace(/\/v2$/, "");
    return `${url.origin}${base}`;
  });
  const rewrite = mirror.object("rewrite");
  const rewrites = rewrite.names().map((pattern) => {
    const replacement = rewrite.requiredText(pattern);
    try {
      return { pattern: new RegExp(pattern), replacement };
    } catch {
      throw rewrite.error(pattern, "must be a regular expression");
    }
  });
  refuseOthers(mirror);
  return { endpoints, rewrites };
}

function readHost(host: ConfigurationReader, directory: string): Host {
  const credentials = readAuth(host.object("auth"));
  const tls = host.object("tls");
  const pem = (field: string): string | undefined => {
    const name = tls.text(field);
    if (!name) return undefined;
    try {
      return readFileSync(path.resolve(directory, name), "utf8");
    } catch (error) {
      throw tls.error(field, `names a file that cannot be read: ${(error as Error).message}`);
    }
  };
  const [ca, cert, key] = [pem("ca_file"), pem("cert_file"), pem("key_file")];
  if ((cert === undefined) !== (key === undefined)) {
    throw tls.error("cert_file", "and key_file must be given together");
  }
  const isUnverified = tls.boolean("insecure_skip_verify");
  refuseOthers(tls);
  refuseOthers(host);
  return {
    tls: { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }), isUnverified },
    ...(credentials && { credentials }),
  };
}

function readAuth(auth: ConfigurationReader): RegistryCredentials | undefined {
  const [username, password] = [auth.text("username"), auth.text("password")];
  const [encoded, identityToken] = [auth.text("auth"), auth.text("identity_token")];
  refuseOthers(auth);
  if (encoded) {
    const decoded = decodeBasic(encoded);
    if (!decoded) throw auth.error("auth", 'must be base64 of "user:password"');
    return decoded;
  }
  if (identityToken) return { identityToken };
  return username ? { username, ...(password && { password }) } : undefined;
}

function mapOf<T>(
  map: ConfigurationReader,
  read: (value: ConfigurationReader) => T,
): ReadonlyMap<string, T> {
  return new Map(map.names().map((name) => [name, read(map.object(name))]));
}

/** @throws ConfigurationFileError */
function refuseOthers(reader: ConfigurationReader): void {
  const unknown = reader.names().find((name) => !reader.used.has(name));
  if (unknown !== undefined) throw reader.error(unknown, "is unknown");
}
