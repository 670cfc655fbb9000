import { readFileSync } from "node:fs";
import {
  type ConfiguredProvider,
  readEncryptionConfiguration,
} from "../apiserver/encryption/encryption-configuration.ts";
import { type KmsOptions, KmsProvider } from "../apiserver/encryption/kms-provider.ts";
import type { HealthCheck } from "../apiserver/http/health-pages.ts";
import type { Clock } from "../lib/clock.ts";
import type { Logger } from "../lib/logger.ts";
import type { MetricFamily } from "../lib/prometheus.ts";
import type { Random } from "../lib/random.ts";
import type { EncryptionSource } from "../store/encryption/encrypting-backend.ts";
import {
  createEncryptionRules,
  type EncryptionEntry,
  type EncryptionProvider,
  kmsPrefix,
} from "../store/encryption/encryption-rules.ts";
import { TransformationMetrics } from "../store/encryption/transformation-metrics.ts";
import { CommandError } from "./command-error.ts";
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
  /** Of the services of keys, for /readyz under upstream's names. */
  checks: readonly HealthCheck[];
  metrics(): MetricFamily[];
}

/** Reads and follows the configuration; none without a flag. @throws CommandError, exit code 2 */
export async function openEncryption(
  flags: EncryptionFlags | undefined,
  of: { clock: Clock; random: Random; logger: Logger },
): Promise<OpenEncryption | undefined> {
  if (!flags) return undefined;
  const { text, entries } = firstRead(flags.file);
  const services = new Map<string, KmsProvider>();
  const metrics = new TransformationMetrics(of.clock);
  const ciphers = await connect(entries, { ...of, services });
  let rules = await createEncryptionRules(ciphers, of.random, metrics);
  const use = async (text: string) => {
    const changed = readEncryptionConfiguration(decodeSettings(text));
    const next = changed.map(({ resources, providers }) => {
      return { resources, providers: providers.map((each) => connected(each, services)) };
    });
    rules = await createEncryptionRules(next, of.random, metrics);
  };
  const subject = "the encryption configuration";
  const metricPrefix = "apiserver_encryption_config_controller";
  const following = { ...of, text, subject, metricPrefix, use };
  const followed = flags.follow ? followFile(flags.file, following) : undefined;
  return {
    get rules() {
      return rules;
    },
    ...(services.size > 0 ? { prepare: (stored) => prepareAll(services, stored) } : {}),
    checks: Array.from(services.values(), (service, at) => {
      return { name: `kms-provider-${at}`, check: () => service.failure };
    }),
    metrics: () => [...(followed?.metrics() ?? []), ...metrics.families()],
    [Symbol.dispose]() {
      followed?.[Symbol.dispose]();
      for (const service of services.values()) service[Symbol.dispose]();
    },
  };
}

/** Connects every service of keys that the entries name, and keeps it in `services`. */
async function connect(
  entries: readonly EncryptionEntry<ConfiguredProvider>[],
  of: KmsOptions & { services: Map<string, KmsProvider> },
): Promise<EncryptionEntry[]> {
  const { services } = of;
  try {
    for (const provider of entries.flatMap(({ providers }) => providers)) {
      if (provider.type !== "kms") continue;
      services.set(provider.name, await KmsProvider.open(provider, of));
    }
  } catch (error) {
    for (const service of services.values()) service[Symbol.dispose]();
    throw new CommandError((error as Error).message, { cause: error });
  }
  return entries.map(({ resources, providers }) => {
    return { resources, providers: providers.map((each) => connected(each, services)) };
  });
}

/** @throws Error for a service that was not there at the start: values of it may be unreadable */
function connected(
  provider: ConfiguredProvider,
  services: ReadonlyMap<string, KmsProvider>,
): EncryptionProvider {
  if (provider.type !== "kms") return provider;
  const { type, name } = provider;
  const cipher = services.get(name);
  if (!cipher) throw new Error(`the KMS provider "${name}" is new: it needs a restart`);
  return { type, name, cipher };
}

async function prepareAll(
  services: ReadonlyMap<string, KmsProvider>,
  stored: Iterable<Uint8Array>,
): Promise<void> {
  const all = Array.from(services, ([name, service]) => {
    return { service, prefix: Buffer.from(kmsPrefix(name)) };
  });
  for (const bytes of stored) {
    for (const { service, prefix } of all) {
      const isOfIt = prefix.compare(bytes, 0, Math.min(prefix.length, bytes.length)) === 0;
      if (isOfIt) service.note(bytes.subarray(prefix.length));
    }
  }
  for (const { service } of all) await service.decryptNoted();
}

/** @throws CommandError with exit code 2 for a file that cannot be used */
export function judgeEncryption(flags: EncryptionFlags | undefined): void {
  if (flags) firstRead(flags.file);
}

function firstRead(file: string): {
  text: string;
  entries: EncryptionEntry<ConfiguredProvider>[];
} {
  try {
    const text = readFileSync(file, "utf8");
    return { text, entries: readEncryptionConfiguration(decodeSettings(text)) };
  } catch (error) {
    throw usage(`--encryption-provider-config "${file}": ${(error as Error).message}`);
  }
}
