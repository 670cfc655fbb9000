import type { AuthChallenge } from "../../../format/oci/auth-challenge.ts";
import {
  basicAuthorization,
  type RegistryCredentials,
} from "../../../format/oci/registry-credentials.ts";
import { RegistryError } from "./registry-error.ts";
import type { RegistryTransport } from "./registry-transport.ts";

/** Who wants a token, for what. */
export interface TokenContext {
  transport: RegistryTransport;
  credentials: RegistryCredentials | undefined;
  registry: URL;
  repository: string;
  signal: AbortSignal | undefined;
}

const TOKEN_MAX_BYTES = 64 * 1024;

/**
 * Gets a token that allows pulling from the token service that the registry names.
 * Source: distribution spec, "Token Authentication". @throws RegistryError
 */
export async function requestToken(
  challenge: AuthChallenge,
  context: TokenContext,
): Promise<string> {
  const { transport, credentials, registry, repository, signal } = context;
  const realm = challenge.parameters.get("realm") ?? "";
  const wrong = (why: string) =>
    new RegistryError("malformed", `registry ${registry.host} names a token service ${why}`);
  const url = URL.canParse(realm) ? new URL(realm) : undefined;
  if (!url || !/^https?:$/.test(url.protocol)) throw wrong("that is no web address");
  if (registry.protocol === "https:" && url.protocol === "http:") throw wrong("without TLS");
  const service = challenge.parameters.get("service") ?? "";
  const scope = challenge.parameters.get("scope") || `repository:${repository}:pull`;
  const form = new URLSearchParams({ ...(service && { service }), scope });
  let answer: Awaited<ReturnType<RegistryTransport["send"]>>;
  if (credentials?.identityToken) {
    form.set("grant_type", "refresh_token");
    form.set("refresh_token", credentials.identityToken);
    form.set("client_id", "nephos");
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    answer = await transport.send({ method: "POST", url, headers, body: `${form}`, signal });
  } else {
    for (const [name, value] of form) url.searchParams.append(name, value);
    const authorization = credentials?.username && basicAuthorization(credentials);
    const headers = authorization ? { authorization } : {};
    answer = await transport.send({ method: "GET", url, headers, signal });
  }
  const status = answer.statusCode ?? 0;
  if (status !== 200) {
    answer.destroy();
    const refused = status === 400 || status === 401 || status === 403;
    const who = credentials ? "the credentials that were given" : "a user without credentials";
    const message = refused
      ? `token service ${url.host} of registry ${registry.host} refuses ${who} (${status})`
      : `token service ${url.host} of registry ${registry.host} answers ${status}`;
    throw new RegistryError(refused ? "unauthorized" : "unavailable", message);
  }
  return readToken(answer, url.host);
}

async function readToken(answer: AsyncIterable<unknown>, host: string): Promise<string> {
  let text = "";
  for await (const chunk of answer) {
    text += String(chunk);
    if (text.length > TOKEN_MAX_BYTES) break;
  }
  try {
    const found = JSON.parse(text) as { token?: unknown; access_token?: unknown };
    const token = found.token || found.access_token;
    if (typeof token === "string" && /^[\x21-\x7e]+$/.test(token)) return token;
  } catch {
    // Told below.
  }
  throw new RegistryError("malformed", `token service ${host} answers without a token`);
}
