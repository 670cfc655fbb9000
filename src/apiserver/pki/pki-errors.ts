/** Key material on disk that must not be replaced without somebody's decision. */
export class PkiError extends Error {
  readonly code: "authority-incomplete" | "authority-mismatch" | "authority-expired";

  constructor(code: PkiError["code"], message: string) {
    super(message);
    this.name = "PkiError";
    this.code = code;
  }
}
