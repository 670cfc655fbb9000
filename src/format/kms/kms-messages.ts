import type { MessageTable } from "../protobuf/message-codec.ts";

/** Messages of `v2.KeyManagementService` (k8s.io/kms), and what is stored of a value. */
export const KMS_MESSAGES: MessageTable = {
  StatusRequest: {},
  StatusResponse: { version: "1 string", healthz: "2 string", keyId: "3 string" },
  DecryptRequest: {
    ciphertext: "1 bytes",
    uid: "2 string",
    keyId: "3 string",
    annotations: "4 map bytes",
  },
  DecryptResponse: { plaintext: "1 bytes" },
  EncryptRequest: { plaintext: "1 bytes", uid: "2 string" },
  EncryptResponse: { ciphertext: "1 bytes", keyId: "2 string", annotations: "3 map bytes" },
  EncryptedObject: {
    encryptedData: "1 bytes",
    keyId: "2 string",
    encryptedDekSource: "3 bytes",
    annotations: "4 map bytes",
    encryptedDekSourceType: "5 int32",
  },
};

/** How the data key follows from what was encrypted by the service. */
export const DEK_SOURCES = { aesGcmKey: 0, hkdfSeed: 1 } as const;
