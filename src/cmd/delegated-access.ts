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

/** As long as upstream's components believe an answer. */
const BELIEVED_MS = 10_000;
const BELIEVED_MAX = 1_024;

/** Whom to ask, and who need not be asked about. */
export interface DelegatedAccessOptions {
  /** Makes the TokenReviews. */
  authentication: Client;
  /** Makes the SubjectAccessReviews. */
  authorization: Client;
  /** Open to everybody; "/metrics/*" stands for all that begins so. */
  openPaths: readonly string[];
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

/** Lets those in whom an API server knows and allows; keeps its answers for ten seconds. */
export class DelegatedAccess {
  readonly #options: DelegatedAccessOptions;
  readonly #authenticators: Parameters<typeof authenticateRequest>[0];
  readonly #verdicts: BriefMemory<TokenVerdict>;
  readonly #decisions: BriefMemory<{ allowed: boolean; reason: string }>;

  constructor(options: DelegatedAccessOptions) {
    const { clock } = options;
    this.#options = options;
    this.#verdicts = new BriefMemory(clock);
    this.#decisions = new BriefMemory(clock);
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
    const digest = createHash("sha256").update(token).digest("base64");
    return this.#verdicts.get(digest, async () => {
      const reviews = this.#options.authentication.for(TOKEN_REVIEWS);
      const { status = {} } = await reviews.create({ spec: { token } });
      const { authenticated, user, error = "the token is not known", audiences = [] } = status;
      if (!authenticated || !user?.username) return { error };
      const { username: name, groups = [], uid, extra } = user;
      const known: UserInfo = {
        name,
        groups,
        ...(uid ? { uid } : {}),
        ...(extra ? { extra } : {}),
      };
      return { user: known, audiences };
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
    return this.#decisions.get(JSON.stringify(asked), async () => {
      const reviews = this.#options.authorization.for(SUBJECT_ACCESS_REVIEWS);
      const { status } = await reviews.create({ spec: asked });
      return { allowed: status?.allowed === true, reason: status?.reason ?? "" };
    });
  }
}

/** Answers by their question, each for ten seconds; failures are asked again. */
class BriefMemory<T> {
  readonly #clock: Clock;
  readonly #kept = new Map<string, { answer: T; untilMs: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async get(question: string, ask: () => Promise<T>): Promise<T> {
    const kept = this.#kept.get(question);
    if (kept && this.#clock.monotonicMs() < kept.untilMs) return kept.answer;
    const answer = await ask();
    this.#kept.delete(question);
    if (this.#kept.size >= BELIEVED_MAX) {
      const [oldest = ""] = this.#kept.keys();
      this.#kept.delete(oldest);
    }
    this.#kept.set(question, { answer, untilMs: this.#clock.monotonicMs() + BELIEVED_MS });
    return answer;
  }
}

function covers(open: string, path: string): boolean {
  return open.endsWith("*") ? path.startsWith(open.slice(0, -1)) : path === open;
}

function mutable(extra: Readonly<Record<string, readonly string[]>>): Record<string, string[]> {
  return Object.fromEntries(Object.entries(extra).map(([key, values]) => [key, [...values]]));
}
