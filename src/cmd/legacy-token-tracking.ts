import { isAlreadyExists, isConflict, isNotFound } from "../api/errors.ts";
import { CONFIG_MAPS, SECRETS } from "../api/generated/resources.ts";
import type { Secret } from "../api/generated/types/core-v1.ts";
import { beginOf, dayOf, LAST_USED_LABEL, TRACKING_MAP } from "../api/legacy-tokens.ts";
import type { LegacyUse } from "../apiserver/token/token-issuer.ts";
import type { Client } from "../client/client.ts";
import type { Clock, Timer } from "../lib/clock.ts";
import type { Logger } from "../lib/logger.ts";
import type { MetricFamily } from "../lib/prometheus.ts";

const DAY_MS = 86_400_000;
/** Somebody may have removed the map. */
const LOOK_MS = 1_800_000;

/** Marks the Secrets whose tokens, which have no end, are used, a day at a time. */
export class LegacyTokenTracking implements Disposable {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #marking = new Set<string>();
  #client: Client | undefined;
  #timer: Timer | undefined;
  readonly #uses: Record<LegacyUse, number> = { "auto-generated": 0, manual: 0, invalid: 0 };

  constructor(of: { clock: Clock; logger: Logger }) {
    this.#clock = of.clock;
    this.#logger = of.logger;
  }

  /** Begins once there is an API to write to: the map says since when. */
  start(client: Client): void {
    this.#client = client;
    void this.#look();
  }

  /** A token of this Secret was shown. */
  used(secret: Secret, use: LegacyUse): void {
    this.#uses[use]++;
    const nowMs = this.#clock.now();
    const day = dayOf(nowMs);
    const marked = secret.metadata?.labels?.[LAST_USED_LABEL];
    // Another server's clock may be ahead.
    if (marked === day || marked === dayOf(nowMs + DAY_MS)) return;
    void this.#mark(secret, day);
  }

  metrics(): MetricFamily[] {
    const counter = (name: string, help: string, value: number): MetricFamily => {
      return { name: `serviceaccount_${name}`, type: "counter", help, samples: [{ value }] };
    };
    const { "auto-generated": auto, manual, invalid } = this.#uses;
    return [
      counter("legacy_tokens_total", "Uses of tokens without end.", auto + manual),
      counter(
        "legacy_auto_token_uses_total",
        "Uses of tokens without end that were made for their account.",
        auto,
      ),
      counter(
        "legacy_manual_token_uses_total",
        "Uses of tokens without end that somebody asked for.",
        manual,
      ),
      counter(
        "invalid_legacy_auto_token_uses_total",
        "Uses of tokens without end that are marked as invalid.",
        invalid,
      ),
    ];
  }

  [Symbol.dispose](): void {
    this.#client = undefined;
    this.#timer?.cancel();
  }

  async #mark({ metadata }: Secret, day: string): Promise<void> {
    const { name = "", namespace, uid } = metadata ?? {};
    const key = `${namespace}/${name}`;
    if (this.#marking.has(key)) return;
    this.#marking.add(key);
    try {
      const labels = { [LAST_USED_LABEL]: day };
      await this.#client?.for(SECRETS).patch({ name, namespace }, { metadata: { uid, labels } });
    } catch (error) {
      if (!isNotFound(error) && !isConflict(error)) {
        this.#logger.warn("the use of a token was not marked", { secret: key, error });
      }
    } finally {
      this.#marking.delete(key);
    }
  }

  async #look(): Promise<void> {
    try {
      await this.#ensureMap();
    } catch (error) {
      if (this.#client) this.#logger.warn("the map of token tracking was not written", { error });
    }
    if (this.#client) this.#timer = this.#clock.setTimer(LOOK_MS, () => void this.#look());
  }

  async #ensureMap(): Promise<void> {
    const maps = this.#client?.for(CONFIG_MAPS);
    const data = { since: dayOf(this.#clock.now()) };
    const found = await maps?.get(TRACKING_MAP).catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
    });
    if (found && beginOf(found.data?.["since"]) !== undefined) return;
    if (found) await maps?.update({ ...found, data: { ...found.data, ...data } });
    else await maps?.create({ metadata: { ...TRACKING_MAP }, data }).catch(ignoreExisting);
  }
}

function ignoreExisting(error: unknown): void {
  if (!isAlreadyExists(error)) throw error;
}
