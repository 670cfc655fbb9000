import type { Status, StatusCause } from "./status.ts";

/** The `reason` values that clients branch on, with the HTTP status each one travels with. */
export const STATUS_REASONS = {
  BadRequest: 400,
  Unauthorized: 401,
  Forbidden: 403,
  NotFound: 404,
  MethodNotAllowed: 405,
  NotAcceptable: 406,
  AlreadyExists: 409,
  Conflict: 409,
  Gone: 410,
  Expired: 410,
  RequestEntityTooLarge: 413,
  UnsupportedMediaType: 415,
  Invalid: 422,
  TooManyRequests: 429,
  InternalError: 500,
  NotImplemented: 501,
  ServiceUnavailable: 503,
  Timeout: 504,
  ServerTimeout: 500,
} as const;

/** A reason of `metav1.StatusReason`. */
export type StatusReason = keyof typeof STATUS_REASONS;

/** Group, resource or kind, and name that a refusal is about. */
export interface StatusSubject {
  group?: string;
  /** Plural resource ("pods"), or the kind for "Invalid". */
  kind: string;
  name?: string;
  uid?: string;
}

/** What a `StatusError` can carry beside reason and message. */
export interface StatusErrorOptions {
  subject?: StatusSubject;
  causes?: StatusCause[];
  /** An answer about no object: its details are there, and empty. */
  generic?: boolean;
  retryAfterSeconds?: number;
  /** HTTP status when it differs from the usual one of the reason. */
  code?: number;
  /** A fresh continue token for reason "Expired". */
  continueToken?: string;
  cause?: unknown;
}

/** A refusal that travels to clients as a `metav1.Status`; thrown by server and client alike. */
export class StatusError extends Error {
  readonly status: Status;

  constructor(reason: StatusReason | "", message: string, options: StatusErrorOptions = {}) {
    super(message, { cause: options.cause });
    this.name = "StatusError";
    const { subject, causes, retryAfterSeconds, continueToken } = options;
    const details = {
      ...(subject?.name ? { name: subject.name } : {}),
      ...(subject?.group ? { group: subject.group } : {}),
      ...(subject ? { kind: subject.kind } : {}),
      ...(subject?.uid ? { uid: subject.uid } : {}),
      ...(causes?.length ? { causes } : {}),
      ...(retryAfterSeconds ? { retryAfterSeconds } : {}),
    };
    this.status = {
      kind: "Status",
      apiVersion: "v1",
      metadata: continueToken ? { continue: continueToken } : {},
      status: "Failure",
      message,
      ...(reason ? { reason } : {}),
      ...(options.generic || Object.keys(details).length > 0 ? { details } : {}),
      code: options.code ?? (reason ? STATUS_REASONS[reason] : 500),
    };
  }

  /** Wraps a Status received from a server. */
  static from(status: Status): StatusError {
    const error = new StatusError("", status.message ?? status.reason ?? "unknown error");
    Object.assign(error.status, status);
    return error;
  }

  get reason(): string {
    return this.status.reason ?? "";
  }

  get code(): number {
    return this.status.code;
  }
}

function hasReason(error: unknown, ...reasons: string[]): boolean {
  return error instanceof StatusError && reasons.includes(error.reason);
}

/** The object, or the resource itself, does not exist. */
export function isNotFound(error: unknown): boolean {
  return hasReason(error, "NotFound");
}

/** A create met an object of that name. */
export function isAlreadyExists(error: unknown): boolean {
  return hasReason(error, "AlreadyExists");
}

/** Somebody wrote first (stale resourceVersion, or field ownership); read again and retry. */
export function isConflict(error: unknown): boolean {
  return hasReason(error, "Conflict");
}

/** The resourceVersion or continue token is older than the history; list again. */
export function isExpired(error: unknown): boolean {
  return hasReason(error, "Expired", "Gone");
}

function qualified(resource: { group: string; plural: string }): string {
  return resource.group ? `${resource.plural}.${resource.group}` : resource.plural;
}

type NamedResource = { group: string; plural: string };

/** `pods "web" not found`. */
export function notFound(resource: NamedResource, name: string): StatusError {
  return new StatusError("NotFound", `${qualified(resource)} "${name}" not found`, {
    subject: { group: resource.group, kind: resource.plural, name },
  });
}

/** `pods "web" already exists`. `leaving`: what has the name will be gone once nothing holds it. */
export function alreadyExists(
  resource: NamedResource,
  name: string,
  { leaving = false }: { leaving?: boolean } = {},
): StatusError {
  const start = leaving ? "object is being deleted: " : "";
  const message = `${start}${qualified(resource)} "${name}" already exists`;
  return new StatusError("AlreadyExists", message, {
    subject: { group: resource.group, kind: resource.plural, name },
  });
}

/** `Operation cannot be fulfilled on pods "web": ...`. */
export function conflict(resource: NamedResource, name: string, why: string): StatusError {
  const message = `Operation cannot be fulfilled on ${qualified(resource)} "${name}": ${why}`;
  return new StatusError("Conflict", message, {
    subject: { group: resource.group, kind: resource.plural, name },
  });
}

/** `pods "web" is forbidden: ...`. */
export function forbidden(resource: NamedResource, name: string, why: string): StatusError {
  return new StatusError("Forbidden", `${qualified(resource)} "${name}" is forbidden: ${why}`, {
    subject: { group: resource.group, kind: resource.plural, name },
  });
}

/** `Pod "web" is invalid: spec.containers: Required value` with one cause per field. */
export function invalid(
  kind: { group: string; kind: string },
  name: string,
  causes: StatusCause[],
): StatusError {
  const texts = causes.map((cause) => `${cause.field}: ${cause.message}`);
  const detail = texts.length === 1 ? texts[0] : `[${texts.join(", ")}]`;
  const qualifiedKind = kind.group ? `${kind.kind}.${kind.group}` : kind.kind;
  return new StatusError("Invalid", `${qualifiedKind} "${name}" is invalid: ${detail}`, {
    ...(kind.kind ? { subject: { group: kind.group, kind: kind.kind, name } } : {}),
    causes,
  });
}

/** 405 for a method that a path does not offer. */
export function methodNotAllowed(): StatusError {
  return new StatusError(
    "MethodNotAllowed",
    "the server does not allow this method on the requested resource",
    { generic: true },
  );
}
