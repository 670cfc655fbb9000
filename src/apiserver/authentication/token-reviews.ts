import type {
  SelfSubjectReview,
  TokenReview,
  UserInfo as ApiUserInfo,
} from "../../api/generated/types/authentication-v1.ts";
import { StatusError } from "../../api/errors.ts";
import { type Clock, formatTime } from "../../lib/clock.ts";
import type { UserInfo } from "../contract.ts";
import type { TokenChecker } from "../token/token-verifier.ts";
import { withAuthenticatedGroup } from "./authentication.ts";

function apiUser(user: UserInfo): ApiUserInfo {
  const { name, uid, groups, extra } = user;
  return {
    username: name,
    ...(uid ? { uid } : {}),
    groups: [...groups],
    ...(extra
      ? {
          extra: Object.fromEntries(
            Object.entries(extra).map(([key, values]) => [key, [...values]]),
          ),
        }
      : {}),
  };
}

/** Tells others whose token they were shown. @throws StatusError BadRequest */
export async function reviewToken(verifier: TokenChecker, body: TokenReview): Promise<TokenReview> {
  const { token, audiences = [] } = body.spec;
  if (!token)
    throw new StatusError("BadRequest", "token is required for TokenReview in authentication");
  const verdict = await verifier.verify(token, audiences);
  if (!verdict?.user) {
    const error = verdict ? { error: verdict.error } : {};
    return { ...body, status: { authenticated: false, user: {}, ...error } };
  }
  return {
    ...body,
    status: {
      authenticated: true,
      user: apiUser(withAuthenticatedGroup(verdict.user)),
      audiences: [...verdict.audiences],
    },
  };
}

/** Tells the asker who the server takes them for (`kubectl auth whoami`). */
export function reviewSelf(user: UserInfo, clock: Clock): SelfSubjectReview {
  return {
    apiVersion: "authentication.k8s.io/v1",
    kind: "SelfSubjectReview",
    metadata: { creationTimestamp: formatTime(clock.now()) },
    status: { userInfo: apiUser(user) },
  };
}
