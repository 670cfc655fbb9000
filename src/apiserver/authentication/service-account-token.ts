import { StatusError } from "../../api/errors.ts";
import type { Authenticator } from "../contract.ts";
import type { TokenVerifier } from "../token/token-verifier.ts";

/** The token of an Authorization header of scheme Bearer. */
export function bearerTokenOf(authorization: string | undefined): string | undefined {
  const match = /^bearer +(\S+) *$/i.exec(authorization ?? "");
  return match?.[1];
}

/** Accepts tokens of service accounts, bound and legacy. */
export function serviceAccountTokenAuthenticator(verifier: TokenVerifier): Authenticator {
  return {
    authenticate: ({ authorization }) => {
      if (!authorization) return undefined;
      const token = bearerTokenOf(authorization);
      const verdict = token ? verifier.verify(token, []) : undefined;
      if (verdict?.user) return verdict.user;
      throw new StatusError("Unauthorized", "Unauthorized", {
        cause: verdict ? new Error(verdict.error) : undefined,
      });
    },
  };
}
