import { xsalsa20poly1305 } from "@noble/ciphers/salsa.js";
import type { Random } from "../../lib/random.ts";
import { requireLength, type ValueCipher } from "./value-cipher.ts";

const NONCE_BYTES = 24;
const TAG_BYTES = 16;

/** XSalsa20 and Poly1305, as NaCl's secretbox has them: nonce, tag, ciphertext. */
export function secretbox(key: Uint8Array, random: Random): ValueCipher {
  return {
    seal(plain) {
      const nonce = random.bytes(NONCE_BYTES);
      return Buffer.concat([nonce, xsalsa20poly1305(key, nonce).encrypt(plain)]);
    },
    open(sealed) {
      requireLength(sealed, NONCE_BYTES + TAG_BYTES);
      const nonce = sealed.subarray(0, NONCE_BYTES);
      return xsalsa20poly1305(key, nonce).decrypt(sealed.subarray(NONCE_BYTES));
    },
  };
}
