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
  | "unreadable"
  | "unwritable"
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

/** Wraps what an implementation met; `action` completes "Cannot ...". */
export function toStoreError(error: unknown, action: string): StoreError {
  if (error instanceof StoreError) return error;
  const text = error instanceof Error ? error.message : String(error);
  const { code } = (error ?? {}) as { code?: unknown };
  const isFull = code === "ENOSPC" || code === "EDQUOT" || /no space left|MAP_FULL/i.test(text);
  if (!isFull) return new StoreError("io", `Cannot ${action}: ${text}`, { cause: error });
  return new StoreError("disk-full", `Cannot ${action}: the disk is full`, { cause: error });
}
