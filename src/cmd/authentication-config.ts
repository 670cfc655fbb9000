import { readFileSync, watch } from "node:fs";
import path from "node:path";
import {
  ANONYMOUS_ANYWHERE,
  type AnonymousAccess,
  readAnonymousAccess,
} from "../apiserver/authentication/anonymous-access.ts";
import {
  type IssuerConfiguration,
  readIssuers,
} from "../apiserver/authentication/oidc/issuer-configuration.ts";
import { type IssuerFlags, issuerOfFlags } from "../apiserver/authentication/oidc/issuer-flags.ts";
import { DEFAULT_ISSUER } from "../apiserver/token/token-issuer.ts";
import type { Clock, Timer } from "../lib/clock.ts";
import type { Logger } from "../lib/logger.ts";
import type { MetricFamily } from "../lib/prometheus.ts";
import { usage } from "./options.ts";
import { decodeSettings } from "./settings-file.ts";

/** A file may change unseen, as on some network file systems. */
const REREAD_MS = 60_000;
/** Whoever writes a file is given time to end it. */
const CALM_MS = 100;

/** Where the outside issuers come from. */
export interface IssuerOptions {
  /** An AuthenticationConfiguration. */
  file: string | undefined;
  flags: IssuerFlags | undefined;
  clock: Clock;
  logger: Logger;
}

/** Who may ask for what, as far as no object says it. */
export interface AuthenticationSettings {
  issuers: readonly IssuerConfiguration[];
  anonymous: AnonymousAccess;
}

/** The outside issuers of tokens, now and after each change of their file. */
export interface IssuerSource extends Disposable {
  /** Calls `use` at once, and again whenever the file says something else that can be used. */
  follow(use: (settings: AuthenticationSettings) => void): void;
  metrics(): MetricFamily[];
}

/**
 * Reads the issuers and watches their file. A file that cannot be used later leaves those of before
 * in place, with an error in the log. @throws CommandError with exit code 2
 */
export function openIssuers(options: IssuerOptions): IssuerSource {
  const { file, flags } = options;
  if (file !== undefined && flags) {
    throw usage("--authentication-config and --oidc- flags exclude each other");
  }
  if (file !== undefined) return watchFile(file, options);
  const issuers = flags ? [checkedFlags(flags)] : [];
  return {
    follow: (use) => use({ issuers, anonymous: ANONYMOUS_ANYWHERE }),
    metrics: () => [],
    [Symbol.dispose]: () => undefined,
  };
}

function checkedFlags(flags: IssuerFlags): IssuerConfiguration {
  try {
    return issuerOfFlags(flags);
  } catch (error) {
    throw usage((error as Error).message);
  }
}

function settingsOf(text: string): AuthenticationSettings {
  const document = decodeSettings(text);
  const issuers = readIssuers(document, DEFAULT_ISSUER);
  return { issuers, anonymous: readAnonymousAccess(document) };
}

function firstRead(file: string): { text: string; settings: AuthenticationSettings } {
  try {
    const text = readFileSync(file, "utf8");
    return { text, settings: settingsOf(text) };
  } catch (error) {
    throw usage(`--authentication-config "${file}": ${(error as Error).message}`);
  }
}

function watchFile(file: string, { clock, logger }: IssuerOptions): IssuerSource {
  let { text, settings } = firstRead(file);
  const reloads = new Reloads();
  const followers: ((settings: AuthenticationSettings) => void)[] = [];
  const read = () => {
    try {
      const next = readFileSync(file, "utf8");
      if (next === text) return;
      text = next;
      settings = settingsOf(next);
      for (const use of followers) use(settings);
      reloads.count("success", clock.now());
      logger.info("the authentication configuration was read anew", { file });
    } catch (error) {
      reloads.count("failure", clock.now());
      logger.error("the authentication configuration of before stays", { file, error });
    }
  };
  let timer: Timer = clock.setTimer(REREAD_MS, () => look());
  const look = () => {
    timer.cancel();
    read();
    timer = clock.setTimer(REREAD_MS, look);
  };
  // The directory, as files are also changed by putting others in their place.
  const watcher = watch(path.dirname(file), { persistent: false }, () => {
    timer.cancel();
    timer = clock.setTimer(CALM_MS, look);
  });
  watcher.on("error", (error) => logger.warn("cannot watch the authentication file", { error }));
  return {
    follow(use) {
      followers.push(use);
      use(settings);
    },
    metrics: () => reloads.metrics(),
    [Symbol.dispose]() {
      timer.cancel();
      watcher.close();
    },
  };
}

/** How often the file was read anew, under upstream's names. */
class Reloads {
  readonly #outcomes = new Map<string, { count: number; lastMs: number }>();

  count(status: "success" | "failure", nowMs: number): void {
    const count = (this.#outcomes.get(status)?.count ?? 0) + 1;
    this.#outcomes.set(status, { count, lastMs: nowMs });
  }

  metrics(): MetricFamily[] {
    const prefix = "apiserver_authentication_config_controller_automatic_reload";
    const all = [...this.#outcomes];
    return [
      {
        name: `${prefix}s_total`,
        type: "counter",
        help: "Changes of the authentication configuration that were met, by outcome.",
        samples: all.map(([status, { count }]) => ({ labels: { status }, value: count })),
      },
      {
        name: `${prefix}_last_timestamp_seconds`,
        type: "gauge",
        help: "When the authentication configuration last changed, by outcome.",
        samples: all.map(([status, { lastMs }]) => ({ labels: { status }, value: lastMs / 1000 })),
      },
    ];
  }
}
