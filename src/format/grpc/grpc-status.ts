/** Codes of gRPC. Source: github.com/grpc/grpc, doc/statuscodes.md. */
export const GRPC_CODES = {
  ok: 0,
  cancelled: 1,
  unknown: 2,
  "invalid-argument": 3,
  "deadline-exceeded": 4,
  "not-found": 5,
  "already-exists": 6,
  "resource-exhausted": 8,
  "failed-precondition": 9,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
} as const;

/** The name of a number; "unknown" for one that nobody here tells apart. */
export function grpcCodeOf(number: number): GrpcCode {
  const found = Object.entries(GRPC_CODES).find(([, code]) => code === number)?.[0];
  return (found as GrpcCode | undefined) ?? "unknown";
}

/** Names of those codes that an answer may have. */
export type GrpcCode = keyof typeof GRPC_CODES;

/** A refusal, as the caller gets it. */
export class GrpcError extends Error {
  override readonly name = "GrpcError";
  readonly code: GrpcCode;

  constructor(code: GrpcCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/** Text of `grpc-message`: printable ASCII as it is, the rest percent-encoded. */
export function encodeGrpcMessage(message: string): string {
  return Array.from(Buffer.from(message), (byte) =>
    byte >= 0x20 && byte <= 0x7e && byte !== 0x25
      ? String.fromCharCode(byte)
      : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`,
  ).join("");
}

/** The text back from `grpc-message`; as it is where it is not encoded rightly. */
export function decodeGrpcMessage(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const UNIT_MS: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1_000,
  m: 1,
  u: 1e-3,
  n: 1e-6,
};

/** Milliseconds of a `grpc-timeout` such as "30S"; undefined when there is none. @throws GrpcError */
export function parseGrpcTimeout(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const unitMs = UNIT_MS[text.at(-1) ?? ""];
  const amount = text.slice(0, -1);
  if (unitMs === undefined || !/^\d{1,8}$/.test(amount)) {
    throw new GrpcError("invalid-argument", `Malformed grpc-timeout "${text}"`);
  }
  return Number(amount) * unitMs;
}
