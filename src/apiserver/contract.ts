import type { Resource } from "../api/resource.ts";

/** Who asks. */
export interface UserInfo {
  name: string;
  uid?: string;
  groups: readonly string[];
  extra?: Readonly<Record<string, readonly string[]>>;
}

/** What of a connection or request can identify a user. */
export interface Credentials {
  /** Value of the Authorization header. */
  authorization?: string | undefined;
  /** Client certificate in DER that the TLS layer verified against the client CA. */
  clientCertificate?: Uint8Array | undefined;
  /** There was a certificate that the client CA does not vouch for. */
  isUntrusted?: boolean;
  /** Where to say what is remarkable about them. */
  remarks?: Remarks;
}

/** What the client, and the audit event, of a request are told about its credentials. */
export interface Remarks {
  /** Become `Warning` headers. */
  warnings: string[];
  annotations?: Record<string, string>;
}

/**
 * Turns credentials into a user. `undefined` means that there were none of this kind; bad
 * credentials throw StatusError "Unauthorized". Those who know at once answer at once.
 */
export interface Authenticator {
  authenticate(credentials: Credentials): UserInfo | undefined | Promise<UserInfo | undefined>;
}

/** One access to decide on. */
export interface AccessRequest {
  user: UserInfo;
  /** Kubernetes verb ("get", "list", "deletecollection"), or the lower-case HTTP method. */
  verb: string;
  /** Absent for resource requests. */
  path?: string;
  group?: string;
  version?: string;
  /** Plural; absent for non-resource requests. */
  resource?: string;
  subresource?: string;
  namespace?: string;
  name?: string;
  /** Of a list or a watch: nodes may read pods only by such a selector. */
  fieldSelector?: string;
}

/** Decides; must not throw and must not wait on anything but memory. */
export interface Authorizer {
  authorize(request: AccessRequest): { allowed: boolean; reason: string };
  /** `SubjectRulesReviewStatus`: what a user may do in a namespace, for `kubectl auth can-i --list`. */
  rulesFor?(user: UserInfo, namespace: string): object;
}

/** Signs service account tokens for the `token` subresource. */
export interface TokenIssuer {
  issue(request: TokenIssueRequest): Promise<IssuedToken>;
}

/** A token asked for; the account exists and the lifetime is at least ten minutes. */
export interface TokenIssueRequest {
  namespace: string;
  serviceAccount: { name: string; uid: string };
  /** Empty means the audience of this server. */
  audiences: readonly string[];
  expirationSeconds: number;
  /** The token dies with this object of the same namespace. */
  bound?: { kind: string; name: string; uid: string };
}

/** A signed token. */
export interface IssuedToken {
  token: string;
  audiences: readonly string[];
  /** RFC 3339. */
  expirationTimestamp: string;
}

/** Reads other objects from memory, as admission and authorization need to. */
export interface ObjectReader {
  get<T>(resource: Resource<T>, at: { namespace?: string; name: string }): T | undefined;
  list<T>(resource: Resource<T>, namespace?: string): readonly T[];
}

/** A write (or CONNECT) on its way into the store. */
export interface AdmissionRequest {
  operation: "CREATE" | "UPDATE" | "DELETE" | "CONNECT";
  resource: Resource;
  subresource?: string | undefined;
  namespace?: string | undefined;
  /** "" for a create with generateName. */
  name: string;
  user: UserInfo;
  /** Decoded and defaulted; mutating plugins change it in place. Absent for DELETE. */
  object?: Record<string, unknown> | undefined;
  /** The stored state; never changed. Absent for CREATE. */
  oldObject?: Record<string, unknown> | undefined;
  dryRun: boolean;
  /** Mutating plugins run once more, as one of them changed what others had seen. */
  reinvoked?: boolean;
  /** The options of the verb (`CreateOptions` and so on), for those outside this process. */
  options?(): Record<string, unknown>;
  /** Adds a `Warning` header to the answer. */
  warn(text: string): void;
  /** Adds to the audit event of the request; absent where nothing is audited. */
  annotate?: ((key: string, value: string) => void) | undefined;
}

/** The kinds that are served now, for plugins that show objects in another version. */
export interface ServedKinds {
  /** Other groups and versions under which the same objects are served. */
  equivalentsOf(resource: Resource): readonly Resource[];
  /** A copy of an object in another version. */
  convert(
    object: Record<string, unknown>,
    of: { from: Resource; to: Resource },
  ): Promise<Record<string, unknown>>;
  /** What an outsider made of an object: checked and defaulted. @throws StatusError BadRequest */
  decode(resource: Resource, value: object): Record<string, unknown>;
}

/** What a mutating plugin reports; the built-in ones report nothing and run in a fixed order. */
export type MutationResult = "changed" | void;

/** A step of admission. A refusal is thrown as `StatusError`. */
export interface AdmissionPlugin {
  name: string;
  /** Which requests it wants to see; the rest never pay for it. */
  handles(request: AdmissionRequest): boolean;
  /** "changed" asks that every plugin looks at the object again. */
  mutate?(request: AdmissionRequest): Promise<MutationResult> | MutationResult;
  validate?(request: AdmissionRequest): Promise<void> | void;
}

/** A part of the control plane that says how it is. */
export interface ComponentCheck {
  name: string;
  /** `undefined` means healthy, text says what is wrong. */
  check(): Promise<string | undefined> | string | undefined;
}
