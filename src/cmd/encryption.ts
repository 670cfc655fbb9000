import { readFileSync } from "node:fs";
import { readEncryptionConfiguration } from "../apiserver/encryption/encryption-configuration.ts";
import type { Clock } from "../lib/clock.ts";
import type { Logger } from "../lib/logger.ts";
import type { MetricFamily } from "../lib/prometheus.ts";
import type { Random } from "../lib/random.ts";
import type { EncryptionSource } from "../store/encryption/encrypting-backend.ts";
import {
  createEncryptionRules,
  type EncryptionEntry,
} from "../store/encryption/encryption-rules.ts";
import { followFile } from "./followed-file.ts";
import { usage } from "./options.ts";
import { decodeSettings } from "./settings-file.ts";

/** What flags say about encryption at rest. */
export interface EncryptionFlags {
  /** File with an EncryptionConfiguration. */
  file: string;
  /** Whether changes of the file are taken over while the server runs. */
  follow: boolean;
}

/** How values are encrypted, now and after each change of the file. */
export interface OpenEncryption extends EncryptionSource, Disposable {
  metrics(): MetricFamily[];
}

/** Reads and follows the configuration; none without a flag. @throws CommandError, exit code 2 */
export async function openEncryption(
  flags: EncryptionFlags | undefined,
  of: { clock: Clock; random: Random; logger: Logger },
): Promise<OpenEncryption | undefined> {
  if (!flags) return undefined;
  const { text, entries } = firstRead(flags.file);
  let rules = await createEncryptionRules(entries, of.random);
  const followed = flags.follow
    ? followFile(flags.file, {
        ...of,
        text,
        subject: "the encryption configuration",
        metricPrefix: "apiserver_encryption_config_controller",
        use: async (next) => {
          const entries = readEncryptionConfiguration(decodeSettings(next));
          rules = await createEncryptionRules(entries, of.random);
        },
      })
    : undefined;
  return {
    get rules() {
      return rules;
    },
    metrics: () => followed?.metrics() ?? [],
    [Symbol.dispose]: () => followed?.[Symbol.dispose](),
  };
}

/** @throws CommandError with exit code 2 for a file that cannot be used */
export function judgeEncryption(flags: EncryptionFlags | undefined): void {
  if (flags) firstRead(flags.file);
}

function firstRead(file: string): { text: string; entries: EncryptionEntry[] } {
  try {
    const text = readFileSync(file, "utf8");
    return { text, entries: readEncryptionConfiguration(decodeSettings(text)) };
  } catch (error) {
    throw usage(`--encryption-provider-config "${file}": ${(error as Error).message}`);
  }
}
