import type { Random } from "../../lib/random.ts";
import type { TransformationMetrics } from "./transformation-metrics.ts";
import { aesCbc, aesGcm, type ValueCipher } from "./value-cipher.ts";
import { type KeyedCipher, ValueEncryption } from "./value-encryption.ts";

/** A way to store values: as they are, or under one of several keys, the first of which writes. */
export type EncryptionProvider =
  | { type: "identity" }
  | {
      type: "aesgcm" | "aescbc" | "secretbox";
      keys: readonly { name: string; secret: Uint8Array }[];
    }
  | KmsProviderCipher;

/** Values under keys that a key management service keeps. */
export interface KmsProviderCipher {
  type: "kms";
  name: string;
  cipher: ValueCipher;
}

/** Which providers read and write which resources; the first one writes. */
export interface EncryptionEntry<P = EncryptionProvider> {
  /** "secrets", "deployments.apps", "*.apps", "*." (the core group), "*.*". */
  resources: readonly string[];
  providers: readonly P[];
}

const AS_IT_IS: KeyedCipher = { prefix: "" };

/** How the values of each resource are encrypted. */
export class EncryptionRules {
  readonly #rules = new Map<string, KeyedCipher[]>();
  readonly #found = new Map<string, ValueEncryption>();
  readonly #metrics: TransformationMetrics | undefined;

  /**
   * Entries stand in the order of their file: what an earlier wildcard covers is out of reach of
   * later ones, and a resource that is named twice has the providers of both.
   */
  constructor(
    entries: readonly { resources: readonly string[]; ciphers: KeyedCipher[] }[],
    metrics?: TransformationMetrics,
  ) {
    this.#metrics = metrics;
    for (const { resources, ciphers } of entries) {
      for (const resource of resources) {
        const { name, group } = parseResource(resource);
        if (this.#rules.has(`*.${group}`) || this.#rules.has("*.*")) continue;
        const known = this.#rules.get(`${name}.${group}`) ?? [];
        this.#rules.set(`${name}.${group}`, [...known, ...ciphers]);
      }
    }
  }

  /** `resource` as the store names it: "core/secrets", "apps/deployments". */
  for(resource: string): ValueEncryption {
    let found = this.#found.get(resource);
    if (!found) {
      found = new ValueEncryption(this.#ciphersOf(resource), {
        resource,
        metrics: this.#metrics,
      });
      this.#found.set(resource, found);
    }
    return found;
  }

  #ciphersOf(resource: string): readonly KeyedCipher[] {
    const [prefix = "", name = ""] = resource.split("/");
    const group = prefix === "core" ? "" : prefix;
    const patterns = [`${name}.${group}`, `*.${group}`, "*.*"];
    return patterns.map((pattern) => this.#rules.get(pattern)).find(Boolean) ?? [AS_IT_IS];
  }
}

/** Nothing is encrypted, and what is cannot be read: a store without its configuration. */
export function withoutKeys(): EncryptionRules {
  return new EncryptionRules([]);
}

/** The rules of a configuration; loads what only some ciphers need. */
export async function createEncryptionRules(
  entries: readonly EncryptionEntry[],
  random: Random,
  metrics?: TransformationMetrics,
): Promise<EncryptionRules> {
  const all = entries.map(async ({ resources, providers }) => {
    const ciphers = await Promise.all(providers.map((provider) => ciphersOf(provider, random)));
    return { resources, ciphers: ciphers.flat() };
  });
  return new EncryptionRules(await Promise.all(all), metrics);
}

async function ciphersOf(provider: EncryptionProvider, random: Random): Promise<KeyedCipher[]> {
  if (provider.type === "identity") return [AS_IT_IS];
  if (provider.type === "kms") return [{ ...provider, prefix: kmsPrefix(provider.name) }];
  const { type, keys } = provider;
  const make = await cipherOf(type);
  return keys.map(({ name, secret }) => {
    return { prefix: `k8s:enc:${type}:v1:${name}:`, cipher: make(secret, random) };
  });
}

/** What values of a key management service begin with. */
export function kmsPrefix(name: string): string {
  return `k8s:enc:kms:v2:${name}:`;
}

async function cipherOf(
  type: "aesgcm" | "aescbc" | "secretbox",
): Promise<(key: Uint8Array, random: Random) => ValueCipher> {
  if (type === "aesgcm") return aesGcm;
  if (type === "aescbc") return aesCbc;
  return (await import("./secretbox.ts")).secretbox;
}

/** "deployments.apps" as its parts; the core group is the empty one. */
function parseResource(text: string): { name: string; group: string } {
  const dot = text.indexOf(".");
  return dot < 0
    ? { name: text, group: "" }
    : { name: text.slice(0, dot), group: text.slice(dot + 1) };
}
