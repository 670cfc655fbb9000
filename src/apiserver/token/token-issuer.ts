import { NODES, PODS, SECRETS, SERVICE_ACCOUNTS } from "../../api/generated/resources.ts";
import type { Secret } from "../../api/generated/types/core-v1.ts";
import { conflict, invalid, notFound, StatusError } from "../../api/errors.ts";
import type { Resource } from "../../api/resource.ts";
import { type Clock, formatTime } from "../../lib/clock.ts";
import { type Random, randomUuid } from "../../lib/random.ts";
import type { ObjectReader, TokenIssuer, TokenIssueRequest } from "../contract.ts";
import { signToken } from "./jwt-codec.ts";
import { userNameOf } from "./service-account-user.ts";
import type { BoundClaims, BoundReference, TokenClaims } from "./token-claims.ts";
import type { TokenKeys } from "./token-keys.ts";

const LIFETIME_MIN_S = 600;
const LIFETIME_MAX_S = 2 ** 32;
const TOKEN_REQUEST_KIND = { group: "authentication.k8s.io", kind: "TokenRequest" };

/** The issuer of a cluster's tokens unless configured otherwise. */
export const DEFAULT_ISSUER = "https://kubernetes.default.svc";

/** What tokens are made with and checked against. */
export interface TokenSources {
  keys: TokenKeys;
  reader: ObjectReader;
  clock: Clock;
  random: Random;
  /** Also the audience of the API server. */
  issuer: string;
  /** Hears of each use of a token without end, also of those that are marked as invalid. */
  legacyUsed?: (secret: Secret, use: LegacyUse) => void;
}

/** Of which kind a used token without end is; "invalid" ones are refused. */
export type LegacyUse = "auto-generated" | "manual" | "invalid";

interface Metadata {
  metadata?: { uid?: string };
}

function checkLifetime({ expirationSeconds, serviceAccount }: TokenIssueRequest): void {
  const refuse = (rule: string) =>
    invalid(TOKEN_REQUEST_KIND, serviceAccount.name, [
      {
        reason: "FieldValueInvalid",
        field: "spec.expirationSeconds",
        message: `Invalid value: ${expirationSeconds}: ${rule}`,
      },
    ]);
  if (!(expirationSeconds >= LIFETIME_MIN_S)) {
    throw refuse("may not specify a duration less than 10 minutes");
  }
  if (expirationSeconds > LIFETIME_MAX_S) {
    throw refuse("may not specify a duration larger than 2^32 seconds");
  }
}

function found<T extends Metadata>(
  reader: ObjectReader,
  resource: Resource<T>,
  at: { namespace?: string; name: string; uid?: string | undefined },
): T {
  const object = reader.get(resource, at);
  if (!object) throw notFound(resource, at.name);
  const uid = object.metadata?.uid ?? "";
  if (at.uid && at.uid !== uid) {
    throw conflict(
      resource,
      at.name,
      `the UID in the bound object reference (${at.uid}) does not match the UID in record. The object might have been deleted and then recreated`,
    );
  }
  return object;
}

function referenceTo(object: Metadata, name: string): BoundReference {
  return { name, uid: object.metadata?.uid ?? "" };
}

/** Binds to the object that the request names, once it is known to exist. */
function bindingOf(
  { reader }: TokenSources,
  { namespace, serviceAccount, bound }: TokenIssueRequest,
): Pick<BoundClaims, "pod" | "secret" | "node"> {
  if (!bound) return {};
  const { kind, name, uid } = bound;
  const at = { namespace, name, uid };
  switch (kind) {
    case "Pod": {
      const pod = found(reader, PODS, at);
      if ((pod.spec?.serviceAccountName ?? "default") !== serviceAccount.name) {
        throw new StatusError(
          "BadRequest",
          `cannot bind token for serviceaccount ${JSON.stringify(serviceAccount.name)} to pod running with different serviceaccount name.`,
        );
      }
      const nodeName = pod.spec?.nodeName;
      const node = nodeName ? reader.get(NODES, { name: nodeName }) : undefined;
      return {
        pod: referenceTo(pod, name),
        ...(nodeName && node ? { node: referenceTo(node, nodeName) } : {}),
      };
    }
    case "Secret":
      return { secret: referenceTo(found(reader, SECRETS, at), name) };
    case "Node":
      return { node: referenceTo(found(reader, NODES, { name, uid }), name) };
    default:
      throw new StatusError("BadRequest", `cannot bind token to object of type ${kind}`);
  }
}

/** Issues bound tokens; a longer life than asked for is never given. */
export function createTokenIssuer(sources: TokenSources): TokenIssuer {
  const { keys, reader, clock, random, issuer } = sources;
  return {
    issue: async (request) => {
      checkLifetime(request);
      const account = { namespace: request.namespace, ...request.serviceAccount };
      const audiences = request.audiences.length > 0 ? request.audiences : [issuer];
      const now = Math.floor(clock.now() / 1000);
      const claims: TokenClaims = {
        aud: audiences,
        exp: now + request.expirationSeconds,
        iat: now,
        iss: issuer,
        jti: randomUuid(random),
        "kubernetes.io": {
          namespace: account.namespace,
          serviceaccount: referenceTo(found(reader, SERVICE_ACCOUNTS, account), account.name),
          ...bindingOf(sources, request),
        },
        nbf: now,
        sub: userNameOf(account),
      };
      const token = signToken(claims, keys.signing);
      return { token, audiences, expirationTimestamp: formatTime(claims.exp * 1000) };
    },
  };
}
