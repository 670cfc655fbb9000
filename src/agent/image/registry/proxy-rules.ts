import { BlockList, isIP } from "node:net";
import { RegistryError } from "./registry-error.ts";

/** What the environment says of proxies; empty is as good as absent. */
export interface ProxyEnvironment {
  httpProxy?: string | undefined;
  httpsProxy?: string | undefined;
  noProxy?: string | undefined;
}

/** A server that passes requests on. */
export interface ProxyServer {
  url: URL;
  /** Of `Proxy-Authorization`; the URL has no user. */
  authorization?: string;
  /** The variable that named it, for messages. */
  variable: string;
}

/** Which requests go through a proxy. */
export interface ProxyRules {
  /** Undefined when the server is to be reached directly. @throws RegistryError */
  proxyFor(target: URL): ProxyServer | undefined;
}

type Exception = (host: string, port: string) => boolean;

/** Reads the variables of the environment, the upper case before the lower, as Go does. */
export function readProxyEnvironment(env: Readonly<NodeJS.ProcessEnv>): ProxyEnvironment {
  const read = (name: string) => env[name] || env[name.toLowerCase()];
  return {
    httpProxy: read("HTTP_PROXY"),
    httpsProxy: read("HTTPS_PROXY"),
    noProxy: read("NO_PROXY"),
  };
}

/**
 * Decides as Go's programs do, containerd among them: servers of this machine are never asked
 * through a proxy. Source: golang.org/x/net/http/httpproxy.
 */
export function createProxyRules(environment: ProxyEnvironment): ProxyRules {
  const { httpProxy, httpsProxy, noProxy = "" } = environment;
  const exceptions = noProxy.split(",").flatMap((text) => parseException(text) ?? []);
  return {
    proxyFor({ protocol, hostname, port }) {
      const isSecure = protocol === "https:";
      const text = isSecure ? httpsProxy : httpProxy;
      if (!text) return undefined;
      const host = unbracketed(hostname.toLowerCase());
      const isExcepted = (one: Exception) => one(host, port || (isSecure ? "443" : "80"));
      if (isLocal(host) || exceptions.some(isExcepted)) return undefined;
      return parseProxy(text, isSecure ? "HTTPS_PROXY" : "HTTP_PROXY");
    },
  };
}

/** @throws RegistryError */
function parseProxy(text: string, variable: string): ProxyServer {
  const full = text.includes("://") ? text : `http://${text}`;
  const url = URL.canParse(full) ? new URL(full) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || !url.hostname) {
    // Its value may hold a password.
    const wanted = 'an address such as "http://proxy.example:3128"';
    throw new RegistryError("malformed", `the variable ${variable} must be ${wanted}`);
  }
  const [user, password] = [url.username, url.password].map(decoded);
  const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
  const server = new URL(url.origin);
  return { url: server, variable, ...(url.username && { authorization }) };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** An entry of NO_PROXY; undefined for an empty one. */
function parseException(entry: string): Exception | undefined {
  const text = entry.trim().toLowerCase();
  if (text === "*") return () => true;
  const range = /^(.+)\/(\d{1,3})$/.exec(text);
  const family = isIP(range?.[1] ?? "");
  if (range && family > 0) return inRange(range[1] ?? "", { family, bits: Number(range[2]) });
  const split = /^(.*?):(\d+)$/.exec(text);
  // The colons of an address are not before a port unless it stands in brackets.
  const [name, port] = split && isIP(text) === 0 ? [split[1] ?? "", split[2]] : [text, undefined];
  const host = unbracketed(name);
  if (!host) return undefined;
  const isPort = (asked: string) => port === undefined || port === asked;
  if (isIP(host)) return (asked, at) => isPort(at) && isSameAddress(host, asked);
  const suffix = host.replace(/^\*?\.?/, ".");
  const isItself = !/^\*?\./.test(host);
  return (asked, at) =>
    isPort(at) && (asked.endsWith(suffix) || (isItself && asked === suffix.slice(1)));
}

function inRange(
  address: string,
  { family, bits }: { family: number; bits: number },
): Exception | undefined {
  if (bits > (family === 4 ? 32 : 128)) return undefined;
  const list = new BlockList();
  list.addSubnet(address, bits, family === 4 ? "ipv4" : "ipv6");
  return (asked) => isIP(asked) > 0 && list.check(asked, isIP(asked) === 4 ? "ipv4" : "ipv6");
}

function isSameAddress(one: string, other: string): boolean {
  if (one === other) return true;
  const family = isIP(one);
  return (
    family === isIP(other) &&
    inRange(one, { family, bits: family === 4 ? 32 : 128 })?.(other, "") === true
  );
}

function isLocal(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127\.\d+\.\d+\.\d+$/.test(host);
}

function unbracketed(host: string): string {
  return /^\[(.*)\]$/.exec(host)?.[1] ?? host;
}
