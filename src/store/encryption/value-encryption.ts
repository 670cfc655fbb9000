import { StoreError } from "../errors.ts";
import type { TransformationMetrics, Transformed } from "./transformation-metrics.ts";
import type { ValueCipher } from "./value-cipher.ts";

/** What begins every encrypted value. */
const ENCRYPTED = "k8s:enc:";
/** Provider, version and name of a key, as far as values tell it. */
const HEAD = /^k8s:enc:[a-z0-9]+:v\d+:(?:[^:]{1,253}:)?/;
const HEAD_MAX_BYTES = 300;

/** A cipher and what its values begin with; without a cipher values are stored as they are. */
export interface KeyedCipher {
  /** "k8s:enc:aescbc:v1:key1:" */
  prefix: string;
  cipher?: ValueCipher;
}

/** The values of one resource: the first cipher writes, all read. */
export class ValueEncryption {
  readonly #ciphers: readonly Prepared[];

  /** What is done is counted where `metrics` are given. */
  constructor(
    ciphers: readonly KeyedCipher[],
    of: { resource: string; metrics?: TransformationMetrics | undefined },
  ) {
    const { resource, metrics } = of;
    this.#ciphers = ciphers.map(({ prefix, cipher }) => ({
      prefix: Buffer.from(prefix),
      ...(cipher && { cipher: metrics ? counted(cipher, { resource, prefix, metrics }) : cipher }),
    }));
  }

  /** What is stored of a value at a place. */
  seal(plain: Uint8Array, place: string): Uint8Array {
    const [first] = this.#ciphers;
    if (!first?.cipher) return plain;
    return Buffer.concat([first.prefix, first.cipher.seal(plain, place)]);
  }

  /** Why no value may be sealed now. */
  refusal(): string | undefined {
    return this.#ciphers[0]?.cipher?.refusal?.();
  }

  /** Inverse of `seal`. @throws StoreError "unreadable" that names the key which is missing */
  open(stored: Uint8Array, place: string): Uint8Array {
    let cause: unknown;
    for (const { prefix, cipher } of this.#ciphers) {
      if (!fits(stored, prefix)) continue;
      if (!cipher) return stored;
      try {
        return cipher.open(stored.subarray(prefix.length), place);
      } catch (error) {
        cause = error;
      }
    }
    throw unreadable(stored, { place, cause });
  }

  /** Whether a write would store the value in another form, or under another key. */
  isStale(stored: Uint8Array): boolean {
    const [first] = this.#ciphers;
    if (!first) return false;
    if (!fits(stored, first.prefix)) return true;
    return first.cipher?.isCurrent?.(stored.subarray(first.prefix.length)) === false;
  }
}

/** A cipher with its prefix as bytes. */
interface Prepared {
  prefix: Buffer;
  cipher?: ValueCipher;
}

function counted(
  cipher: ValueCipher,
  { metrics, ...what }: Transformed & { metrics: TransformationMetrics },
): ValueCipher {
  return {
    seal: (plain, place) => metrics.measure("to_storage", what, () => cipher.seal(plain, place)),
    open: (sealed, place) =>
      metrics.measure("from_storage", what, () => cipher.open(sealed, place)),
    ...(cipher.isCurrent && { isCurrent: (sealed) => cipher.isCurrent?.(sealed) ?? true }),
    ...(cipher.refusal && { refusal: () => cipher.refusal?.() }),
  };
}

function fits(stored: Uint8Array, prefix: Buffer): boolean {
  if (prefix.length === 0) return !fits(stored, MARK);
  return prefix.compare(stored, 0, Math.min(prefix.length, stored.length)) === 0;
}

const MARK = Buffer.from(ENCRYPTED);

function unreadable(
  stored: Uint8Array,
  { place, cause }: { place: string; cause: unknown },
): StoreError {
  const head = HEAD.exec(Buffer.from(stored.subarray(0, HEAD_MAX_BYTES)).toString("latin1"))?.[0];
  const why =
    head === undefined
      ? 'it is not encrypted; list the provider "identity" to read it'
      : cause === undefined
        ? `no key is configured for "${head}"; see --encryption-provider-config`
        : `the key configured for "${head}" does not decrypt it`;
  return new StoreError("unreadable", `Cannot read "${place}": ${why}`, { cause });
}
