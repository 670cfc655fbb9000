import type { Clock } from "../../../lib/clock.ts";
import type { ParsedToken } from "../../token/jwt-codec.ts";
import type { IssuerConfiguration } from "./issuer-configuration.ts";
import { type IssuerKey, isUnknownKey, readKeySet } from "./key-set.ts";

/** Gets a JSON document by HTTPS; must give up in bounded time. */
export type FetchDocument = (url: string, of: { caPem: string | undefined }) => Promise<unknown>;

/** Unknown keys and failures make it ask again, but no more often than this. */
const ASK_EVERY_MS = 10_000;

/** The keys of an issuer: asked for when first needed, and again when a token names a new one. */
export class IssuerKeys {
  readonly #issuer: IssuerConfiguration;
  readonly #parts: { fetch: FetchDocument; clock: Clock };
  #keys: readonly IssuerKey[] = [];
  #problem: Error | undefined;
  #askedMs = Number.NEGATIVE_INFINITY;
  #asking: Promise<void> | undefined;

  constructor(issuer: IssuerConfiguration, parts: { fetch: FetchDocument; clock: Clock }) {
    this.#issuer = issuer;
    this.#parts = parts;
  }

  /** Keys that may have signed the token. @throws Error when the issuer cannot be asked */
  async keysFor(token: ParsedToken): Promise<readonly IssuerKey[]> {
    if (this.#keys.length === 0 || isUnknownKey(token, this.#keys)) await this.#ask();
    if (this.#keys.length === 0 && this.#problem) throw this.#problem;
    return this.#keys;
  }

  /** All who wait share one question. What is known stays when the issuer does not answer. */
  #ask(): Promise<void> {
    const nowMs = this.#parts.clock.monotonicMs();
    if (this.#asking) return this.#asking;
    if (nowMs - this.#askedMs < ASK_EVERY_MS) return Promise.resolve();
    this.#askedMs = nowMs;
    this.#asking = this.#fetch()
      .then(
        (keys) => {
          this.#keys = keys;
          this.#problem = undefined;
        },
        (error: unknown) => {
          this.#problem = error instanceof Error ? error : new Error(String(error));
        },
      )
      .finally(() => {
        this.#asking = undefined;
      });
    return this.#asking;
  }

  async #fetch(): Promise<IssuerKey[]> {
    const { url, discoveryUrl, caPem } = this.#issuer;
    const { fetch } = this.#parts;
    const below = `${url.replace(/\/$/, "")}/.well-known/openid-configuration`;
    const document = ((await fetch(discoveryUrl ?? below, { caPem })) ?? {}) as {
      issuer?: unknown;
      jwks_uri?: unknown;
    };
    if (document.issuer !== url) {
      throw new Error(`the issuer at ${discoveryUrl ?? below} is not "${url}"`);
    }
    const { jwks_uri: keysUrl } = document;
    if (typeof keysUrl !== "string" || !keysUrl.startsWith("https://")) {
      throw new Error(`the issuer "${url}" does not say where its keys are`);
    }
    return readKeySet(await fetch(keysUrl, { caPem }));
  }
}
