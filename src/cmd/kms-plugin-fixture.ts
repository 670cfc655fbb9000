import { createCipheriv, createDecipheriv, createHash, randomBytes } from "node:crypto";
import { startGrpcServer } from "../cri/grpc-server.ts";
import { GrpcError } from "../format/grpc/grpc-status.ts";
import { KMS_MESSAGES } from "../format/kms/kms-messages.ts";
import { createMessageCodec } from "../format/protobuf/message-codec.ts";
import { silentLogger } from "../lib/logger.ts";
import { systemClock } from "../sys/clock.ts";

const SERVICE = "/v2.KeyManagementService";
const ANNOTATION = "kms.example.com/nonce";

/** What a plugin keeps, whether it runs or not. */
export interface KmsVault {
  /** The key that encrypts. */
  keyId: string;
  /** Keys that decrypt, the first included. */
  readonly keyIds: Set<string>;
  /** "ok", or what is wrong. */
  healthz: string;
  /** Methods in the order of their calls. */
  readonly calls: string[];
  /** Calls are taken and not answered. */
  isStuck: boolean;
}

/** A vault with one key. */
export function createKmsVault(keyId: string): KmsVault {
  return { keyId, keyIds: new Set([keyId]), healthz: "ok", calls: [], isStuck: false };
}

/** From now on another key encrypts; those of before still decrypt. */
export function rotate(vault: KmsVault, keyId: string): void {
  vault.keyId = keyId;
  vault.keyIds.add(keyId);
}

/** A KMS v2 plugin for tests: AES-256-GCM under keys that follow from their names. */
export async function startKmsPlugin(
  socketPath: string,
  vault: KmsVault,
): Promise<AsyncDisposable> {
  const codec = createMessageCodec(KMS_MESSAGES);
  const methods: Record<string, (request: never) => object> = {
    Status: () => ({ version: "v2", healthz: vault.healthz, keyId: vault.keyId }),
    Encrypt: ({ plaintext }: { plaintext: Uint8Array }) => {
      const nonce = randomBytes(12);
      const cipher = createCipheriv("aes-256-gcm", secretOf(vault, vault.keyId), nonce);
      const sealed = Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
      return { ciphertext: sealed, keyId: vault.keyId, annotations: { [ANNOTATION]: nonce } };
    },
    Decrypt: (of: {
      ciphertext: Uint8Array;
      keyId: string;
      annotations: Record<string, Uint8Array>;
    }) => {
      const nonce = of.annotations[ANNOTATION] ?? Buffer.alloc(0);
      const decipher = createDecipheriv("aes-256-gcm", secretOf(vault, of.keyId), nonce);
      decipher.setAuthTag(of.ciphertext.subarray(-16));
      return {
        plaintext: Buffer.concat([
          decipher.update(of.ciphertext.subarray(0, -16)),
          decipher.final(),
        ]),
      };
    },
  };
  const answer = (method: string) => async (bytes: Uint8Array) => {
    vault.calls.push(method);
    if (vault.isStuck) await new Promise(() => {});
    const request = codec.decode(`${method}Request`, bytes);
    return codec.encode(`${method}Response`, methods[method]?.(request as never) ?? {});
  };
  return await startGrpcServer({
    socketPath,
    methods: new Map(
      Object.keys(methods).map((method) => {
        return [`${SERVICE}/${method}`, { streams: false, answer: answer(method) }];
      }),
    ),
    clock: systemClock,
    logger: silentLogger,
  });
}

function secretOf({ keyIds }: KmsVault, keyId: string): Buffer {
  if (keyIds.has(keyId)) return createHash("sha256").update(keyId).digest();
  throw new GrpcError("not-found", `key ${keyId} was destroyed`);
}
