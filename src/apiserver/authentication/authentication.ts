import { StatusError } from "../../api/errors.ts";
import type { Clock } from "../../lib/clock.ts";
import type { Authenticator, Credentials, UserInfo } from "../contract.ts";
import type { TokenVerifier } from "../token/token-verifier.ts";
import { clientCertificateAuthenticator } from "./client-certificate.ts";
import { serviceAccountTokenAuthenticator } from "./service-account-token.ts";

const AUTHENTICATED = "system:authenticated";
const HEALTH_PATH = /^\/(healthz|livez|readyz)(\/|$)/;

/** Who asks without credentials; only health checks may. */
export const ANONYMOUS: UserInfo = {
  name: "system:anonymous",
  groups: ["system:unauthenticated"],
};

/** The built-in ways to authenticate in their order; all add the group `system:authenticated`. */
export function createAuthenticators(options: {
  clock: Clock;
  verifier: TokenVerifier;
}): Authenticator[] {
  const kinds = [
    clientCertificateAuthenticator(options),
    serviceAccountTokenAuthenticator(options.verifier),
  ];
  return kinds.map((kind) => ({
    authenticate: async (credentials) => {
      const user = await kind.authenticate(credentials);
      return user && withAuthenticatedGroup(user);
    },
  }));
}

/** Adds the group of everybody who proved who they are. */
export function withAuthenticatedGroup(user: UserInfo): UserInfo {
  if (user.groups.includes(AUTHENTICATED) || user.name === ANONYMOUS.name) return user;
  return { ...user, groups: [...user.groups, AUTHENTICATED] };
}

/**
 * The user of a request: the first authenticator that knows the credentials decides. A request
 * for health without credentials is anonymous. @throws StatusError Unauthorized
 */
export async function authenticateRequest(
  authenticators: readonly Authenticator[],
  request: { credentials: Credentials; path: string },
): Promise<UserInfo> {
  for (const authenticator of authenticators) {
    const user = await authenticator.authenticate(request.credentials);
    if (user) return user;
  }
  if (HEALTH_PATH.test(request.path)) return ANONYMOUS;
  throw new StatusError("Unauthorized", "Unauthorized");
}
