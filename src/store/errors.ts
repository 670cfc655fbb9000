/** Every way in which a store refuses; callers branch on `code`. */
export type StoreErrorCode =
  | "exists"
  | "not-found"
  | "conflict"
  | "compacted"
  | "future-revision"
  | "closed"
  | "newer-format"
  | "disk-full"
  | "io";

/** A refusal of the store. After it nothing of the refused operation is stored. */
export class StoreError extends Error {
  readonly code: StoreErrorCode;
  /** The current revision of the key for "conflict", the oldest kept one for "compacted". */
  readonly revision: number | undefined;

  constructor(
    code: StoreErrorCode,
    message: string,
    options: { revision?: number; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.name = "StoreError";
    this.code = code;
    this.revision = options.revision;
  }
}

/** Whether `error` is a store refusal with this code. */
export function isStoreError(error: unknown, code: StoreErrorCode): error is StoreError {
  return error instanceof StoreError && error.code === code;
}
