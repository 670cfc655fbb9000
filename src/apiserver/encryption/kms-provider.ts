import { createHmac } from "node:crypto";
import { DEK_SOURCES, KMS_MESSAGES } from "../../format/kms/kms-messages.ts";
import { createMessageCodec } from "../../format/protobuf/message-codec.ts";
import type { Clock, Timer } from "../../lib/clock.ts";
import type { Logger } from "../../lib/logger.ts";
import { type Random, randomUuid } from "../../lib/random.ts";
import { aesGcm, requireLength, type ValueCipher } from "../../store/encryption/value-cipher.ts";
import { GrpcChannel } from "../remote/grpc-channel.ts";

const SERVICE = "/v2.KeyManagementService";
const VERSIONS: readonly string[] = ["v2", "v2beta1"];
/** Whether the service has another key now, and is well. */
const STATUS_MS = 60_000;
/** The same while it is not well. */
const UNWELL_STATUS_MS = 10_000;
/** As upstream: how long values are written under a seed that its service no longer vouches for. */
const WRITE_MAX_MS = 180_000;
const SEED_BYTES = 32;
/** What a key of a value follows from, beside the seed. */
const INFO_BYTES = 32;
const KEY_ID_MAX_BYTES = 1_024;
const SOURCE_MAX_BYTES = 1_024;

/** A service that encrypts keys, as an EncryptionConfiguration names it. */
export interface KmsConfiguration {
  name: string;
  /** Path of its socket. */
  socketPath: string;
  timeoutMs: number;
}

/** What is stored of a value: it says by which key of the service, and by which seed. */
interface EncryptedObject extends SeedSource {
  encryptedData: Uint8Array;
}

/** A seed as the service encrypted it. */
interface SeedSource {
  keyId: string;
  encryptedDekSource: Uint8Array;
  annotations: Readonly<Record<string, Uint8Array>>;
  encryptedDekSourceType: number;
}

interface Writer {
  source: SeedSource;
  seed: ValueCipher;
  /** Monotonic. */
  untilMs: number;
}

/** What a provider needs. */
export interface KmsOptions {
  clock: Clock;
  random: Random;
  logger: Logger;
}

/**
 * Values under seeds that a key management service keeps (KMS v2, KEP-3299): each value has a key
 * of its own, which follows from a seed in memory, and holds that seed as the service encrypted it.
 * So the service is asked once per seed: at the start, and when it says that it has another key.
 * While it says nothing, values are written for three minutes more, and read as long as it lasts.
 */
export class KmsProvider implements ValueCipher, Disposable {
  readonly #of: KmsConfiguration;
  readonly #options: KmsOptions;
  readonly #channel: GrpcChannel;
  readonly #codec = createMessageCodec(KMS_MESSAGES);
  /** Ciphers by what was stored of their seeds. */
  readonly #known = new Map<string, ValueCipher>();
  /** Of stored values, not decrypted yet. */
  readonly #noted = new Map<string, SeedSource>();
  #writer: Writer | undefined;
  #timer: Timer | undefined;
  #isClosed = false;
  #failure: string | undefined;

  private constructor(of: KmsConfiguration, options: KmsOptions) {
    this.#of = of;
    this.#options = options;
    this.#channel = new GrpcChannel({ path: of.socketPath }, options.clock);
  }

  /** Asks the service for a first seed. @throws Error that names the provider */
  static async open(of: KmsConfiguration, options: KmsOptions): Promise<KmsProvider> {
    const provider = new KmsProvider(of, options);
    try {
      await provider.#renew();
    } catch (error) {
      provider[Symbol.dispose]();
      throw new Error(`Cannot use the KMS provider "${of.name}": ${(error as Error).message}`, {
        cause: error,
      });
    }
    provider.#watch();
    return provider;
  }

  /** Keeps in mind under which seed a stored value is. @throws Error for what is no such value */
  note(sealed: Uint8Array): void {
    const { encryptedDekSource, annotations, keyId, encryptedDekSourceType } = this.#parse(sealed);
    const source = { keyId, encryptedDekSourceType, encryptedDekSource, annotations };
    const key = keyOf(source);
    if (this.#known.has(key) || this.#noted.has(key)) return;
    // What is read from a store may lie in memory that is used again.
    const copies = Object.entries(annotations).map(([name, value]) => [name, Buffer.from(value)]);
    this.#noted.set(key, {
      ...source,
      encryptedDekSource: Buffer.from(encryptedDekSource),
      annotations: Object.fromEntries(copies) as SeedSource["annotations"],
    });
  }

  /** Has the seeds of noted values decrypted, so that these can be read. @throws Error */
  async decryptNoted(): Promise<void> {
    for (const [key, source] of this.#noted) {
      const { keyId, annotations, encryptedDekSource: ciphertext } = source;
      const uid = randomUuid(this.#options.random);
      const request = { ciphertext, uid, keyId, annotations };
      try {
        const { plaintext } = (await this.#call("Decrypt", request)) as { plaintext: Uint8Array };
        this.#known.set(key, this.#cipherOf(source, plaintext));
      } catch (cause) {
        const what = `the KMS provider "${this.#of.name}" has not decrypted a seed`;
        const why = (cause as Error).message;
        throw new Error(`${what} under its key "${keyId}": ${why}`, { cause });
      }
    }
    this.#noted.clear();
  }

  seal(plain: Uint8Array, place: string): Uint8Array {
    const writer = this.#writer;
    if (!writer) throw new Error("the provider was closed");
    const encryptedData = writer.seed.seal(plain, place);
    return this.#codec.encode("EncryptedObject", { ...writer.source, encryptedData });
  }

  open(sealed: Uint8Array, place: string): Uint8Array {
    const object = this.#parse(sealed);
    const cipher = this.#known.get(keyOf(object));
    if (!cipher) throw new Error(`the seed under key "${object.keyId}" is not known`);
    return cipher.open(object.encryptedData, place);
  }

  refusal(): string | undefined {
    const { clock } = this.#options;
    if (this.#writer && clock.monotonicMs() <= this.#writer.untilMs) return undefined;
    const service = `the KMS provider "${this.#of.name}"`;
    const since = `has not confirmed its key for ${WRITE_MAX_MS / 60_000} minutes`;
    const why = this.#failure === undefined ? "" : ` (${this.#failure})`;
    return `${service} ${since}${why}; bring it back, then try again`;
  }

  isCurrent(sealed: Uint8Array): boolean {
    const { keyId, encryptedDekSourceType } = this.#parse(sealed);
    const source = this.#writer?.source;
    return keyId === source?.keyId && encryptedDekSourceType === source.encryptedDekSourceType;
  }

  /** What is wrong with the service, as far as its last answer tells. */
  get failure(): string | undefined {
    return this.#failure;
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#channel[Symbol.dispose]();
  }

  /** Takes a new seed when the service's key is not that of the one in use. */
  async #renew(): Promise<void> {
    // From before the call: the time that it takes is none that a seed is good for.
    const untilMs = this.#options.clock.monotonicMs() + WRITE_MAX_MS;
    const status = (await this.#call("Status", {})) as {
      version: string;
      healthz: string;
      keyId: string;
    };
    // A service that is not well and yet tells its key is good enough to write on with.
    if (this.#writer?.source.keyId === status.keyId) this.#writer.untilMs = untilMs;
    else await this.#takeSeed(status.keyId, untilMs);
    if (!VERSIONS.includes(status.version)) {
      throw new Error(`it speaks "${status.version}", wanted ${VERSIONS.join(" or ")}`);
    }
    if (status.healthz !== "ok") throw new Error(`it says of itself "${status.healthz}"`);
  }

  /** @throws Error when the service encrypts under another key than this one */
  async #takeSeed(keyId: string, untilMs: number): Promise<void> {
    const seed = Buffer.from(this.#options.random.bytes(SEED_BYTES));
    const uid = randomUuid(this.#options.random);
    const sealed = (await this.#call("Encrypt", { plaintext: seed, uid })) as {
      ciphertext: Uint8Array;
      keyId: string;
      annotations: Readonly<Record<string, Uint8Array>>;
    };
    if (sealed.keyId !== keyId) {
      throw new Error(`it encrypted under "${sealed.keyId}", while its key is "${keyId}"`);
    }
    const source: SeedSource = {
      keyId: sealed.keyId,
      encryptedDekSource: Buffer.from(sealed.ciphertext),
      annotations: sealed.annotations,
      encryptedDekSourceType: DEK_SOURCES.hkdfSeed,
    };
    requireSource(source);
    const cipher = this.#cipherOf(source, seed);
    this.#known.set(keyOf(source), cipher);
    this.#writer = { source, seed: cipher, untilMs };
  }

  #watch(): void {
    const { clock, logger } = this.#options;
    const delayMs = this.#failure === undefined ? STATUS_MS : UNWELL_STATUS_MS;
    this.#timer = clock.setTimer(delayMs, () => {
      this.#renew()
        .then(() => {
          this.#failure = undefined;
        })
        .catch((error: unknown) => {
          const { name } = this.#of;
          this.#failure = error instanceof Error ? error.message : String(error);
          logger.error("a KMS provider is not well; it can hold up writes", { name, error });
        })
        .finally(() => {
          if (!this.#isClosed) this.#watch();
        });
    });
  }

  #parse(sealed: Uint8Array): EncryptedObject {
    const object = this.#codec.decode("EncryptedObject", sealed) as EncryptedObject;
    requireSource(object);
    return object;
  }

  #cipherOf({ encryptedDekSourceType: type }: SeedSource, secret: Uint8Array): ValueCipher {
    const { random } = this.#options;
    if (type === DEK_SOURCES.aesGcmKey) return aesGcm(Buffer.from(secret), random);
    if (secret.length < SEED_BYTES) throw new Error(`a seed has ${secret.length} bytes`);
    return seeded(Buffer.from(secret), random);
  }

  async #call(method: "Status" | "Encrypt" | "Decrypt", message: object): Promise<unknown> {
    const bytes = this.#codec.encode(`${method}Request`, message);
    const answer = await this.#channel.call(`${SERVICE}/${method}`, bytes, this.#of.timeoutMs);
    return this.#codec.decode(`${method}Response`, answer);
  }
}

/** AES-GCM under a key of its own for each value: 32 bytes, from which and the seed it follows. */
function seeded(seed: Uint8Array, random: Random): ValueCipher {
  // HKDF's expansion (RFC 5869 section 2.3): one block is as long as the key.
  const cipherOf = (info: Uint8Array) =>
    aesGcm(createHmac("sha256", seed).update(info).update(Uint8Array.of(1)).digest(), random);
  return {
    seal(plain, place) {
      const info = random.bytes(INFO_BYTES);
      return Buffer.concat([info, cipherOf(info).seal(plain, place)]);
    },
    open(sealed, place) {
      requireLength(sealed, INFO_BYTES);
      const info = sealed.subarray(0, INFO_BYTES);
      return cipherOf(info).open(sealed.subarray(INFO_BYTES), place);
    },
  };
}

function keyOf(source: SeedSource): string {
  const annotations = Object.entries(source.annotations)
    .map(([name, value]) => `${name}=${base64(value)}`)
    .toSorted((a, b) => (a < b ? -1 : 1));
  const { encryptedDekSourceType: type, encryptedDekSource, keyId } = source;
  return [type, base64(encryptedDekSource), keyId, ...annotations].join("\0");
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}

/** @throws Error for what no service of this version gives */
function requireSource({ keyId, encryptedDekSource, encryptedDekSourceType }: SeedSource): void {
  const { length } = encryptedDekSource;
  if (!keyId || Buffer.byteLength(keyId) > KEY_ID_MAX_BYTES) throw new Error("a bad key id");
  if (length === 0 || length > SOURCE_MAX_BYTES) throw new Error(`a seed of ${length} bytes`);
  const known: readonly number[] = Object.values(DEK_SOURCES);
  if (!known.includes(encryptedDekSourceType)) throw new Error("an unknown kind of seed");
}
