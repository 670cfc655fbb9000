import { type CipherGCMTypes, createCipheriv, createDecipheriv } from "node:crypto";
import type { Random } from "../../lib/random.ts";

/** Encrypts values under one key, in the form that kube-apiserver stores behind a prefix. */
export interface ValueCipher {
  /** `place` says where the value is stored; a cipher that binds values to it opens them only there. */
  seal(plain: Uint8Array, place: string): Uint8Array;
  /** @throws Error when the value was not sealed by this cipher under this key at this place */
  open(sealed: Uint8Array, place: string): Uint8Array;
  /** Why it is not to seal anything now, though it can; absent: it always may. */
  refusal?(): string | undefined;
  /** Whether it would seal a value under the same key now; absent: always. */
  isCurrent?(sealed: Uint8Array): boolean;
}

/** Of AES keys: 128, 192 or 256 bits. */
export const AES_KEY_BYTES: readonly number[] = [16, 24, 32];
const GCM_NONCE_BYTES = 12;
const TAG_BYTES = 16;
const CBC_IV_BYTES = 16;

/** AES-GCM (NIST SP 800-38D): nonce, ciphertext, tag. A value opens only where it was stored. */
export function aesGcm(key: Uint8Array, random: Random): ValueCipher {
  const algorithm: CipherGCMTypes = `aes-${(key.length * 8) as 128 | 192 | 256}-gcm`;
  return {
    seal(plain, place) {
      const nonce = random.bytes(GCM_NONCE_BYTES);
      const cipher = createCipheriv(algorithm, key, nonce).setAAD(Buffer.from(place));
      return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
    },
    open(sealed, place) {
      requireLength(sealed, GCM_NONCE_BYTES + TAG_BYTES);
      const tagAt = sealed.length - TAG_BYTES;
      const nonce = sealed.subarray(0, GCM_NONCE_BYTES);
      const decipher = createDecipheriv(algorithm, key, nonce, { authTagLength: TAG_BYTES });
      decipher.setAAD(Buffer.from(place)).setAuthTag(sealed.subarray(tagAt));
      const plain = decipher.update(sealed.subarray(GCM_NONCE_BYTES, tagAt));
      return Buffer.concat([plain, decipher.final()]);
    },
  };
}

/** AES-CBC with the padding of PKCS #7: initialisation vector, ciphertext. Nothing is signed. */
export function aesCbc(key: Uint8Array, random: Random): ValueCipher {
  const algorithm = `aes-${key.length * 8}-cbc`;
  return {
    seal(plain) {
      const iv = random.bytes(CBC_IV_BYTES);
      const cipher = createCipheriv(algorithm, key, iv);
      return Buffer.concat([iv, cipher.update(plain), cipher.final()]);
    },
    open(sealed) {
      requireLength(sealed, 2 * CBC_IV_BYTES);
      const decipher = createDecipheriv(algorithm, key, sealed.subarray(0, CBC_IV_BYTES));
      const plain = decipher.update(sealed.subarray(CBC_IV_BYTES));
      return Buffer.concat([plain, decipher.final()]);
    },
  };
}

/** @throws Error for a value that is cut off */
export function requireLength(sealed: Uint8Array, min: number): void {
  if (sealed.length < min) throw new Error(`it has ${sealed.length} bytes, at least ${min} wanted`);
}
