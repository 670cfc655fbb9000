import { readFileSync } from "node:fs";
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
import type { Clock } from "../lib/clock.ts";
import type { Logger } from "../lib/logger.ts";
import type { MetricFamily } from "../lib/prometheus.ts";
import { followFile } from "./followed-file.ts";
import { usage } from "./options.ts";
import { decodeSettings } from "./settings-file.ts";

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
  const { text, ...first } = firstRead(file);
  let { settings } = first;
  const followers: ((settings: AuthenticationSettings) => void)[] = [];
  const followed = followFile(file, {
    text,
    clock,
    logger,
    subject: "the authentication configuration",
    metricPrefix: "apiserver_authentication_config_controller",
    use(next) {
      settings = settingsOf(next);
      for (const use of followers) use(settings);
    },
  });
  return {
    follow(use) {
      followers.push(use);
      use(settings);
    },
    metrics: () => followed.metrics(),
    [Symbol.dispose]: () => followed[Symbol.dispose](),
  };
}
