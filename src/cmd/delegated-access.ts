import { createHash } from "node:crypto";
import { StatusError } from "../api/errors.ts";
import { SUBJECT_ACCESS_REVIEWS, TOKEN_REVIEWS } from "../api/generated/resources.ts";
import type { SubjectAccessReview } from "../api/generated/types/authorization-v1.ts";
import {
  authenticateRequest,
  withAuthenticatedGroup,
} from "../apiserver/authentication/authentication.ts";
import { bearerTokenAuthenticator } from "../apiserver/authentication/bearer-token.ts";
import { clientCertificateAuthenticator } from "../apiserver/authentication/client-certificate.ts";
import { forbiddenAccess } from "../apiserver/authorization/access-refusal.ts";
import { PRIVILEGED_GROUP } from "../apiserver/authorization/privileged-group.ts";
import type { Credentials, UserInfo } from "../apiserver/contract.ts";
import type { TokenVerdict } from "../apiserver/token/token-verifier.ts";
import type { Client } from "../client/client.ts";
import type { Clock } from "../lib/clock.ts";
import { BriefMemory } from "./brief-memory.ts";

/** For how long answers are believed. */
export interface BeliefTimes {
  /** Of who a token is of, also that it is of nobody. */
  tokenMs: number;
  allowedMs: number;
  deniedMs: number;
}

/** Upstream's, of components with a secure port. */
export const COMPONENT_BELIEF: BeliefTimes = {
  tokenMs: 10_000,
  allowedMs: 10_000,
  deniedMs: 10_000,
};
/** Upstream's, of a kubelet. */
export const NODE_BELIEF: BeliefTimes = {
  tokenMs: 120_000,
  allowedMs: 300_000,
  deniedMs: 30_000,
};
/** Of a token that something is wrong with: that may pass. */
const FAULTY_TOKEN_MS = 10_000;
const TOKENS_MAX = 4_096;
const DECISIONS_MAX = 8_192;

/** Whom to ask, and who need not be asked about. */
export interface DelegatedAccessOptions {
  /** Makes the TokenReviews. */
  authentication: Client;
  /** Makes the SubjectAccessReviews. */
  authorization: Client;
  /** Open to everybody; "/metrics/*" stands for all that begins so. */
  openPaths: readonly string[];
  believed: BeliefTimes;
  clock: Clock;
}

/** One request for a page. */
export interface PageRequest {
  /** Of HTTP, in lower case. */
  verb: string;
  path: string;
  credentials: Credentials;
}

/** One request for a part of a Node. */
export interface NodeRequest {
  /** Of the API, such as "get". */
  verb: string;
  /** Such as "metrics". */
  subresource: string;
  credentials: Credentials;
}

/** Lets those in whom an API server knows and allows; keeps its answers for a while. */
export class DelegatedAccess {
  readonly #options: DelegatedAccessOptions;
  readonly #authenticators: Parameters<typeof authenticateRequest>[0];
  readonly #verdicts: BriefMemory<TokenVerdict>;
  readonly #decisions: BriefMemory<{ allowed: boolean; reason: string }>;

  constructor(options: DelegatedAccessOptions) {
    const { clock } = options;
    this.#options = options;
    this.#verdicts = new BriefMemory(clock, { max: TOKENS_MAX });
    this.#decisions = new BriefMemory(clock, { max: DECISIONS_MAX });
    this.#authenticators = [
      clientCertificateAuthenticator({ clock }),
      bearerTokenAuthenticator({ verify: (token) => this.#review(token) }),
    ];
  }

  /** @throws StatusError Unauthorized or Forbidden, or what the API server says */
  async admit({ verb, path, credentials }: PageRequest): Promise<void> {
    if (this.#options.openPaths.some((open) => covers(open, path))) return;
    const anonymous = () => true;
    const found = await authenticateRequest(this.#authenticators, { credentials, path, anonymous });
    const user = withAuthenticatedGroup(found);
    if (user.groups.includes(PRIVILEGED_GROUP)) return;
    const { allowed, reason } = await this.#decide(user, {
      nonResourceAttributes: { verb, path },
    });
    if (!allowed) throw forbiddenAccess({ user, verb, path }, reason);
  }

  /**
   * The same for a request to a node's own endpoint, which is one for a part of its Node object;
   * nobody is let in without a name.
   */
  async admitToNode(name: string, { credentials, verb, subresource }: NodeRequest): Promise<void> {
    const asked = { credentials, path: "/", anonymous: () => false };
    const user = withAuthenticatedGroup(await authenticateRequest(this.#authenticators, asked));
    if (user.groups.includes(PRIVILEGED_GROUP)) return;
    const resourceAttributes = { verb, version: "v1", resource: "nodes", subresource, name };
    const { allowed } = await this.#decide(user, { resourceAttributes });
    if (allowed) return;
    const what = `user=${user.name}, verb=${verb}, resource=nodes, subresource=${subresource}`;
    throw new StatusError("Forbidden", `Forbidden (${what})`, { generic: true });
  }

  #review(token: string): Promise<TokenVerdict> {
    const { tokenMs } = this.#options.believed;
    return this.#verdicts.get(digestOf(token), async () => {
      const reviews = this.#options.authentication.for(TOKEN_REVIEWS);
      const { status = {} } = await reviews.create({ spec: { token } });
      const { authenticated, user, error, audiences = [] } = status;
      if (!authenticated || !user?.username) {
        const forMs = error ? Math.min(tokenMs, FAULTY_TOKEN_MS) : tokenMs;
        return { answer: { error: error ?? "the token is not known" }, forMs };
      }
      const { username: name, groups = [], uid, extra } = user;
      const known: UserInfo = {
        name,
        groups,
        ...(uid ? { uid } : {}),
        ...(extra ? { extra } : {}),
      };
      return { answer: { user: known, audiences }, forMs: tokenMs };
    });
  }

  #decide(
    { name: user, groups, uid, extra }: UserInfo,
    attributes: Pick<
      SubjectAccessReview["spec"] & {},
      "nonResourceAttributes" | "resourceAttributes"
    >,
  ): Promise<{ allowed: boolean; reason: string }> {
    const asked = {
      user,
      groups: [...groups],
      ...(uid ? { uid } : {}),
      ...(extra ? { extra: mutable(extra) } : {}),
      ...attributes,
    };
    const { allowedMs, deniedMs } = this.#options.believed;
    return this.#decisions.get(digestOf(JSON.stringify(asked)), async () => {
      const reviews = this.#options.authorization.for(SUBJECT_ACCESS_REVIEWS);
      const { status } = await reviews.create({ spec: asked });
      const allowed = status?.allowed === true;
      const answer = { allowed, reason: status?.reason ?? "" };
      return { answer, forMs: allowed ? allowedMs : deniedMs };
    });
  }
}

/** Of one length, and no secret. */
function digestOf(question: string): string {
  return createHash("sha256").update(question).digest("base64");
}

function covers(open: string, path: string): boolean {
  return open.endsWith("*") ? path.startsWith(open.slice(0, -1)) : path === open;
}

function mutable(extra: Readonly<Record<string, readonly string[]>>): Record<string, string[]> {
  return Object.fromEntries(Object.entries(extra).map(([key, values]) => [key, [...values]]));
}
