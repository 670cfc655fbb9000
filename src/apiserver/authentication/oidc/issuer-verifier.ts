import { createHash } from "node:crypto";
import type { Clock } from "../../../lib/clock.ts";
import type { Logger } from "../../../lib/logger.ts";
import { type ParsedToken, parseToken } from "../../token/jwt-codec.ts";
import type { TokenChecker, TokenVerdict } from "../../token/token-verifier.ts";
import type { IssuerConfiguration } from "./issuer-configuration.ts";
import { type FetchDocument, IssuerKeys } from "./issuer-keys.ts";
import { isSignedWith } from "./key-set.ts";
import { userOfClaims } from "./user-mapping.ts";

/** What was found out about a token counts so long, as upstream has it. */
const KEPT_MS = 10_000;
const KEPT_MAX = 2048;
/** Clocks differ. */
const NOT_BEFORE_LEEWAY_S = 300;

/** What outside issuers are asked with. */
export interface IssuerParts {
  fetch: FetchDocument;
  clock: Clock;
  logger: Logger;
  /** Audiences of this API server: a caller that asks for others is not meant. */
  audiences: readonly string[];
}

interface Kept {
  verdict: TokenVerdict;
  untilMs: number;
}

/** Checks tokens of outside issuers, and leaves all others to another checker. */
export interface IssuerChecker extends TokenChecker {
  /** From now on these count, and only these. */
  use(issuers: readonly IssuerConfiguration[]): void;
}

/** Checks tokens of outside issuers, none at first, and leaves all others to `own`. */
export function withIssuers(own: TokenChecker, parts: IssuerParts): IssuerChecker {
  let known: ReadonlyMap<string, Issuer> = new Map();
  return {
    use(issuers) {
      known = new Map(issuers.map((issuer) => [issuer.url, new Issuer(issuer, parts)]));
    },
    verify: (token, audiences) => {
      if (known.size === 0) return own.verify(token, audiences);
      const parsed = parseToken(token);
      const issuer = known.get(String(parsed?.claims["iss"]));
      if (!parsed || !issuer) return own.verify(token, audiences);
      const asked = audiences.length > 0 ? audiences : parts.audiences;
      const shared = parts.audiences.filter((audience) => asked.includes(audience));
      if (shared.length === 0) return { error: "token audience is not accepted here" };
      return issuer.verify(token, parsed).then((verdict) => {
        return verdict.user ? { user: verdict.user, audiences: shared } : verdict;
      });
    },
  };
}

class Issuer {
  readonly #issuer: IssuerConfiguration;
  readonly #parts: IssuerParts;
  readonly #keys: IssuerKeys;
  /** By digest; the oldest goes first. */
  readonly #kept = new Map<string, Kept>();

  constructor(issuer: IssuerConfiguration, parts: IssuerParts) {
    this.#issuer = issuer;
    this.#parts = parts;
    this.#keys = new IssuerKeys(issuer, parts);
  }

  async verify(token: string, parsed: ParsedToken): Promise<TokenVerdict> {
    const digest = createHash("sha256").update(token).digest("base64");
    const nowMs = this.#parts.clock.now();
    const kept = this.#kept.get(digest);
    if (kept && nowMs < kept.untilMs) return kept.verdict;
    this.#kept.delete(digest);
    try {
      const verdict = await this.#check(parsed, nowMs / 1000);
      const untilMs = Math.min(nowMs + KEPT_MS, Number(parsed.claims["exp"]) * 1000);
      this.#keep(digest, { verdict, untilMs });
      return verdict;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.#parts.logger.warn("a token was refused", { issuer: this.#issuer.url, why });
      return { error: why };
    }
  }

  /** @throws Error that says what is wrong with the token, or with its issuer */
  async #check(parsed: ParsedToken, now: number): Promise<TokenVerdict> {
    const { claims } = parsed;
    const { aud, exp, nbf } = claims;
    const { algorithms } = this.#issuer;
    if (algorithms && !algorithms.includes(parsed.algorithm)) {
      throw new Error(`it is signed by ${parsed.algorithm}, which is not wanted`);
    }
    const audiences: unknown[] = Array.isArray(aud) ? aud : [aud];
    if (!this.#issuer.audiences.some((audience) => audiences.includes(audience))) {
      throw new Error(`it is for ${JSON.stringify(aud)}`);
    }
    if (typeof exp !== "number" || now >= exp) throw new Error("it has expired");
    if (typeof nbf === "number" && now < nbf - NOT_BEFORE_LEEWAY_S) {
      throw new Error("it is not valid yet");
    }
    if (!isSignedWith(parsed, await this.#keys.keysFor(parsed))) {
      throw new Error("its signature is of none of the issuer's keys");
    }
    return { user: userOfClaims(this.#issuer, claims), audiences: [] };
  }

  #keep(digest: string, kept: Kept): void {
    if (this.#kept.size >= KEPT_MAX) {
      const [oldest = ""] = this.#kept.keys();
      this.#kept.delete(oldest);
    }
    this.#kept.set(digest, kept);
  }
}
