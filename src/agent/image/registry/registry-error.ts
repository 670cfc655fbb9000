/** Why a registry did not give what was asked; "unreached" has not even heard of it. */
export type RegistryErrorCode =
  | "not-found"
  | "unauthorized"
  | "unavailable"
  | "unreached"
  | "malformed";

/** A refusal of a registry, or that it was not reached; the message names the registry. */
export class RegistryError extends Error {
  override readonly name = "RegistryError";
  readonly code: RegistryErrorCode;

  constructor(code: RegistryErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}
