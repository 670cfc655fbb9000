import { checkRouted } from "../http/negotiation.ts";
import type { PageSource } from "../http/plain-pages.ts";
import { jwksDocument, openidConfiguration, type TokenKeys } from "./token-keys.ts";

const JWKS_PATH = "/openid/v1/jwks";

/**
 * OpenID Connect discovery of the tokens' issuer, so that others can check them on their own.
 * `serverUrl` is where the keys can be fetched from.
 */
export function oidcPages(keys: TokenKeys, of: { issuer: string; serverUrl: string }): PageSource {
  const configuration = openidConfiguration(keys, {
    issuer: of.issuer,
    jwksUri: `${of.serverUrl}${JWKS_PATH}`,
  });
  const pages = new Map([
    ["/.well-known/openid-configuration", page("application/json", configuration)],
    [JWKS_PATH, page("application/jwk-set+json", jwksDocument(keys))],
  ]);
  return (path, { accept }) => {
    const found = pages.get(path);
    if (found) checkRouted(accept, [found.contentType]);
    return found;
  };
}

function page(contentType: string, value: object): { contentType: string; bytes: Uint8Array } {
  return { contentType, bytes: Buffer.from(JSON.stringify(value)) };
}
