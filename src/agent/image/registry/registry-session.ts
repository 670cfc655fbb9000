import type { IncomingMessage } from "node:http";
import { STATUS_CODES } from "node:http";
import { type AuthChallenge, parseChallenges } from "../../../format/oci/auth-challenge.ts";
import {
  basicAuthorization,
  type RegistryCredentials,
} from "../../../format/oci/registry-credentials.ts";
import type { ProxyRules } from "./proxy-rules.ts";
import type { RegistryEndpoint } from "./registries-file.ts";
import { RegistryError, type RegistryErrorCode } from "./registry-error.ts";
import { requestToken } from "./registry-token.ts";
import { createRegistryTransport } from "./registry-transport.ts";

/** What to ask of a repository: `path` follows its name, such as "/manifests/latest". */
export interface RepositoryRequest {
  method: "GET" | "HEAD";
  path: string;
  headers?: Readonly<Record<string, string>>;
  signal?: AbortSignal | undefined;
}

/** One repository of one registry, as one user sees it. */
export interface RegistrySession extends Disposable {
  /** For messages. */
  readonly host: string;
  readonly repository: string;
  /**
   * Resolves with an answer of 2xx; the caller reads or destroys its body. Proves who asks when the
   * registry wants to know, follows redirections. @throws RegistryError
   */
  ask(request: RepositoryRequest): Promise<IncomingMessage>;
}

const REDIRECTIONS_MAX = 5;
const REASON_MAX_BYTES = 16 * 1024;
const REASON_MAX_LENGTH = 256;

/** Opens nothing yet: connections are made by the first request and closed by disposing. */
export function openRegistrySession(
  endpoint: RegistryEndpoint,
  { credentials, proxies }: { credentials: RegistryCredentials | undefined; proxies: ProxyRules },
): RegistrySession {
  const { host, repository, url } = endpoint;
  const transport = createRegistryTransport({ tls: endpoint.tls, proxies });
  const base = new URL(`${url}/v2/${repository}`);
  let authorization = credentials?.registryToken && `Bearer ${credentials.registryToken}`;

  /** Answers what the registry wants to see. Undefined when this user cannot. */
  const prove = async (challenges: AuthChallenge[], signal: AbortSignal | undefined) => {
    const bearer = challenges.find(({ scheme }) => scheme === "bearer");
    if (bearer) {
      const context = { transport, credentials, registry: base, repository, signal };
      return `Bearer ${await requestToken(bearer, context)}`;
    }
    const basic = challenges.some(({ scheme }) => scheme === "basic");
    return basic && credentials?.username ? basicAuthorization(credentials) : undefined;
  };

  const follow = async (
    start: URL,
    { method, headers = {}, signal }: RepositoryRequest,
  ): Promise<IncomingMessage> => {
    let target = start;
    for (let hop = 0; ; hop++) {
      const own = target.host === base.host && target.protocol === base.protocol;
      const proof = own && authorization ? { authorization } : {};
      const sent = { method, url: target, headers: { ...headers, ...proof }, signal };
      const answer = await transport.send(sent);
      const location = answer.headers.location;
      if (![301, 302, 303, 307, 308].includes(answer.statusCode ?? 0) || !location) return answer;
      answer.destroy();
      target = redirected(target, location, { host, hop });
    }
  };

  return {
    host,
    repository,
    async ask(request) {
      const target = new URL(`${base.href}${request.path}`);
      let answer = await follow(target, request);
      if (answer.statusCode === 401) {
        const proof = await prove(
          parseChallenges(answer.headers["www-authenticate"] ?? ""),
          request.signal,
        );
        if (proof !== undefined && proof !== authorization) {
          answer.destroy();
          authorization = proof;
          answer = await follow(target, request);
        }
      }
      const status = answer.statusCode ?? 0;
      if (status >= 200 && status < 300) return answer;
      throw await refusalOf(answer, { host, repository, path: request.path, credentials });
    },
    [Symbol.dispose]: () => transport[Symbol.dispose](),
  };
}

/** @throws RegistryError */
function redirected(from: URL, location: string, at: { host: string; hop: number }): URL {
  const target = URL.canParse(location, from.href) ? new URL(location, from) : undefined;
  const wrong = (why: string) =>
    new RegistryError("malformed", `registry ${at.host} redirects ${why}`);
  if (at.hop >= REDIRECTIONS_MAX) throw wrong("more than 5 times");
  if (!target || !/^https?:$/.test(target.protocol)) throw wrong("to what is no web address");
  if (from.protocol === "https:" && target.protocol === "http:") throw wrong("away from TLS");
  return target;
}

interface Refused {
  host: string;
  repository: string;
  path: string;
  credentials: RegistryCredentials | undefined;
}

async function refusalOf(answer: IncomingMessage, asked: Refused): Promise<RegistryError> {
  const status = answer.statusCode ?? 0;
  const { host, repository, path, credentials } = asked;
  const said = await reasonOf(answer);
  const what = path.replace(/^\/manifests\//, "manifest ").replace(/^\/blobs\//, "blob ");
  const text = `registry ${host} answers ${status} ${STATUS_CODES[status] ?? ""}`.trimEnd();
  const message = `${text} for ${what} of ${repository}${said ? `: ${said}` : ""}`;
  if (status !== 401 && status !== 403) return new RegistryError(codeOf(status), message);
  const hint = credentials
    ? "the credentials that were given are not accepted"
    : "no credentials were given: name a Secret with them in imagePullSecrets";
  return new RegistryError("unauthorized", `${message} (${hint})`);
}

function codeOf(status: number): RegistryErrorCode {
  if (status === 404) return "not-found";
  return status === 429 || status >= 500 ? "unavailable" : "malformed";
}

/** What the registry says about it, in one line. Source: distribution spec, "Error Codes". */
async function reasonOf(answer: IncomingMessage): Promise<string> {
  let text = "";
  try {
    for await (const chunk of answer) {
      text += String(chunk);
      if (text.length > REASON_MAX_BYTES) break;
    }
    const { errors } = JSON.parse(text) as { errors?: { code?: unknown; message?: unknown }[] };
    text = (errors ?? []).map(({ code, message }) => `${code} ${message}`).join(", ");
  } catch {
    text = "";
  } finally {
    answer.destroy();
  }
  return text.replace(/[^\x20-\x7e]+/g, " ").slice(0, REASON_MAX_LENGTH);
}
