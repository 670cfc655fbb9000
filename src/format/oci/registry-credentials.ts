import type { ImageReference } from "./reference.ts";

/** What proves to a registry who asks. */
export interface RegistryCredentials {
  username?: string;
  password?: string;
  /** Exchanged for an access token at the registry's token service (OAuth 2 refresh token). */
  identityToken?: string;
  /** Sent as it is. */
  registryToken?: string;
}

/** Credentials and the registries that they are for, such as "*.example.com/team". */
export interface KeyringEntry {
  /** Host, port and path as in the file, without the scheme. */
  pattern: string;
  credentials: RegistryCredentials;
}

/** A file of credentials that is not what it should be; the message never quotes its content. */
export class CredentialsError extends Error {
  override readonly name = "CredentialsError";
}

const DOCKER_HUB = "docker.io";
const DOCKER_HUB_KEY = "index.docker.io";

/**
 * Reads `.dockerconfigjson` ({"auths": {...}}) or the older `.dockercfg` ({...}).
 * @throws CredentialsError
 */
export function parseDockerConfig(text: string): KeyringEntry[] {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    throw new CredentialsError("it is not JSON");
  }
  const whole = objectOf(document, "it");
  const auths = Object.hasOwn(whole, "auths") ? objectOf(whole["auths"], '"auths"') : whole;
  return Object.entries(auths).flatMap(([key, value]) => {
    const credentials = parseEntry(key, objectOf(value, `the entry "${key}"`));
    return credentials ? [keyringEntry(key, credentials)] : [];
  });
}

/** An entry for a registry that is written as in a file of credentials. */
export function keyringEntry(key: string, credentials: RegistryCredentials): KeyringEntry {
  return { pattern: patternOf(key), credentials };
}

/** Those of `keyring` that are for the image, the most specific first. */
export function credentialsFor(
  keyring: readonly KeyringEntry[],
  { registry, repository }: ImageReference,
): RegistryCredentials[] {
  const hosts = registry === DOCKER_HUB ? [DOCKER_HUB, DOCKER_HUB_KEY] : [registry];
  return keyring
    .filter(({ pattern }) => hosts.some((host) => isFor(pattern, host, `/${repository}`)))
    .toSorted((a, b) => (a.pattern < b.pattern ? 1 : a.pattern > b.pattern ? -1 : 0))
    .map(({ credentials }) => credentials);
}

/** Splits the base64 form of "user:password". Undefined when it is malformed. */
export function decodeBasic(auth: string): RegistryCredentials | undefined {
  const plain = Buffer.from(auth, "base64").toString("utf8").replace(/\0+$/, "");
  const colon = plain.indexOf(":");
  if (colon < 0) return undefined;
  return { username: plain.slice(0, colon), password: plain.slice(colon + 1) };
}

/** "Basic dXNlcjpwYXNzd29yZA==". */
export function basicAuthorization({ username = "", password = "" }: RegistryCredentials): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}

function parseEntry(key: string, entry: Record<string, unknown>): RegistryCredentials | undefined {
  const text = (name: string): string | undefined => {
    const value = Object.hasOwn(entry, name) ? (entry[name] ?? "") : "";
    if (typeof value !== "string") {
      throw new CredentialsError(`"${name}" of the entry "${key}" is not a string`);
    }
    return value || undefined;
  };
  const auth = text("auth");
  const decoded = auth === undefined ? undefined : decodeBasic(auth);
  if (auth !== undefined && !decoded) {
    throw new CredentialsError(`"auth" of the entry "${key}" is not base64 of "user:password"`);
  }
  const username = decoded?.username ?? text("username");
  const password = decoded?.password ?? text("password");
  const identityToken = text("identitytoken");
  const registryToken = text("registrytoken");
  if (!username && !identityToken && !registryToken) return undefined;
  return {
    ...(username && { username }),
    ...(password && { password }),
    ...(identityToken && { identityToken }),
    ...(registryToken && { registryToken }),
  };
}

/** "https://index.docker.io/v1/" names "index.docker.io". */
function patternOf(key: string): string {
  const bare = key.replace(/^https?:\/\//, "");
  const slash = bare.indexOf("/");
  if (slash < 0) return bare;
  const path = bare.slice(slash).replace(/^\/v[12](?=\/)/, "");
  return path === "/" ? bare.slice(0, slash) : bare.slice(0, slash) + path;
}

/** A "*" stands for any part of one label of the host; the path is a prefix. */
function isFor(pattern: string, host: string, path: string): boolean {
  const slash = pattern.indexOf("/");
  const wantedHost = slash < 0 ? pattern : pattern.slice(0, slash);
  if (slash >= 0 && !path.startsWith(pattern.slice(slash))) return false;
  const [wanted, found] = [splitPort(wantedHost), splitPort(host)];
  const labels = wanted.name.split(".");
  const actual = found.name.split(".");
  if (wanted.port !== found.port || labels.length !== actual.length) return false;
  return labels.every((label, at) => matchesLabel(label, actual[at] ?? ""));
}

function splitPort(host: string): { name: string; port: string } {
  const found = /^(.*?)(?::(\d+))?$/.exec(host);
  return { name: found?.[1] ?? host, port: found?.[2] ?? "" };
}

/** Linear in both: each piece between two "*" is looked for once, from the left. */
function matchesLabel(pattern: string, label: string): boolean {
  const pieces = pattern.split("*");
  const [first = "", ...rest] = pieces;
  if (rest.length === 0) return label === pattern;
  const last = rest.pop() ?? "";
  if (!label.startsWith(first) || !label.endsWith(last)) return false;
  let at = first.length;
  for (const piece of rest) {
    const found = label.indexOf(piece, at);
    if (found < 0) return false;
    at = found + piece.length;
  }
  return at <= label.length - last.length;
}

function objectOf(value: unknown, what: string): Record<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw new CredentialsError(`${what} is not an object`);
}
