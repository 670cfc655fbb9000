import { StatusError } from "../../api/errors.ts";
import type { Authenticator, UserInfo } from "../contract.ts";
import type { TokenChecker, TokenVerdict } from "../token/token-verifier.ts";

/** The token of an Authorization header of scheme Bearer. */
export function bearerTokenOf(authorization: string | undefined): string | undefined {
  const match = /^bearer +(\S+) *$/i.exec(authorization ?? "");
  return match?.[1];
}

/** Accepts tokens of service accounts and of whomever else the checker trusts. */
export function bearerTokenAuthenticator(checker: TokenChecker): Authenticator {
  return {
    authenticate: ({ authorization }) => {
      if (!authorization) return undefined;
      const token = bearerTokenOf(authorization);
      const verdict = token ? checker.verify(token, []) : undefined;
      return verdict instanceof Promise ? verdict.then(userOf) : userOf(verdict);
    },
  };
}

function userOf(verdict: TokenVerdict | undefined): UserInfo {
  if (verdict?.user) return verdict.user;
  throw new StatusError("Unauthorized", "Unauthorized", {
    cause: verdict ? new Error(verdict.error) : undefined,
  });
}
