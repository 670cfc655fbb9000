import { StatusError } from "../../api/errors.ts";

/** What etcd takes unless it is told otherwise; all stores keep to it, so that any can follow. */
const STORED_MAX_BYTES = 1.5 * 1024 * 1024;

/** @throws StatusError RequestEntityTooLarge for an object that no store would take */
export function checkStoredSize({ byteLength }: Uint8Array): void {
  if (byteLength <= STORED_MAX_BYTES) return;
  throw new StatusError(
    "RequestEntityTooLarge",
    `Request entity too large: the object takes ${byteLength} bytes, limit is ${STORED_MAX_BYTES}`,
  );
}
