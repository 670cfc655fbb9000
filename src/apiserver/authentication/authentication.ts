import { StatusError } from "../../api/errors.ts";
import type { Clock } from "../../lib/clock.ts";
import type { Authenticator, Credentials, ObjectReader, UserInfo } from "../contract.ts";
import type { TokenChecker } from "../token/token-verifier.ts";
import { bootstrapTokenAuthenticator } from "./bootstrap-token.ts";
import { type CertificateTerms, clientCertificateAuthenticator } from "./client-certificate.ts";
import { bearerTokenAuthenticator } from "./bearer-token.ts";

const AUTHENTICATED = "system:authenticated";
const HEALTH_PATH = /^\/(healthz|livez|readyz)(\/|$)/;
const CLUSTER_INFO_PATH = "/api/v1/namespaces/kube-public/configmaps/cluster-info";

/** Who asks without credentials. */
export const ANONYMOUS: UserInfo = {
  name: "system:anonymous",
  groups: ["system:unauthenticated"],
};

/** The built-in ways to authenticate in their order; all add the group `system:authenticated`. */
export function createAuthenticators(options: {
  clock: Clock;
  verifier: TokenChecker;
  reader: ObjectReader;
  terms?: CertificateTerms;
}): Authenticator[] {
  const kinds = [
    clientCertificateAuthenticator(options),
    bootstrapTokenAuthenticator(options),
    bearerTokenAuthenticator(options.verifier),
  ];
  // A certificate is the same user in every request of its connection: kept, not made again.
  const members = new WeakMap<UserInfo, UserInfo>();
  const memberOf = (user: UserInfo | undefined) => {
    if (!user) return undefined;
    let member = members.get(user);
    if (!member) members.set(user, (member = withAuthenticatedGroup(user)));
    return member;
  };
  return kinds.map((kind) => ({
    authenticate: (credentials) => {
      const user = kind.authenticate(credentials);
      return user instanceof Promise ? user.then(memberOf) : memberOf(user);
    },
  }));
}

/** Adds the group of everybody who proved who they are. */
export function withAuthenticatedGroup(user: UserInfo): UserInfo {
  if (user.groups.includes(AUTHENTICATED) || user.name === ANONYMOUS.name) return user;
  return { ...user, groups: [...user.groups, AUTHENTICATED] };
}

/** What is to be authenticated, and for what. */
export interface AuthenticationRequest {
  credentials: Credentials;
  path: string;
  /** Who may ask without credentials; absent: only for what must be known beforehand. */
  anonymous?: ((path: string) => boolean) | undefined;
}

/**
 * The user of a request: the first authenticator that knows the credentials decides. Credentials
 * that are not good make nobody anonymous. @throws StatusError Unauthorized
 */
export function authenticateRequest(
  authenticators: readonly Authenticator[],
  request: AuthenticationRequest,
): UserInfo | Promise<UserInfo> {
  for (let at = 0; at < authenticators.length; at++) {
    const found = authenticators[at]?.authenticate(request.credentials);
    if (found instanceof Promise) {
      const others = authenticators.slice(at + 1);
      return found.then((user) => user ?? authenticateRequest(others, request));
    }
    if (found) return found;
  }
  const { credentials, path, anonymous = isNeededBefore } = request;
  if (!credentials.isUntrusted && anonymous(path)) return ANONYMOUS;
  throw new StatusError("Unauthorized", "Unauthorized");
}

/** A node that joins must know the cluster first; RBAC gives that to anonymous users, or not. */
function isNeededBefore(path: string): boolean {
  return HEALTH_PATH.test(path) || path === CLUSTER_INFO_PATH;
}
