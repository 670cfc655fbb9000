import { StatusError } from "../../api/errors.ts";
import type { Authenticator, UserInfo } from "../contract.ts";
import type { TokenChecker, TokenVerdict } from "../token/token-verifier.ts";

/**
 * The token of an Authorization header of scheme Bearer, as upstream reads it: what follows one
 * space, up to the next. Another scheme, or none after the space, is no credential at all.
 */
export function bearerTokenOf(authorization: string | undefined): string | undefined {
  const match = /^bearer ([^ ]+)/i.exec(authorization?.trim() ?? "");
  return match?.[1];
}

/** Accepts tokens of service accounts and of whomever else the checker trusts. */
export function bearerTokenAuthenticator(checker: TokenChecker): Authenticator {
  return {
    authenticate: ({ authorization }) => {
      if (!authorization) return undefined;
      const token = bearerTokenOf(authorization);
      if (token === undefined) return undefined;
      const verdict = checker.verify(token, []);
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
