import type { IncomingMessage } from "node:http";
import type { TLSSocket } from "node:tls";
import type { AuditLog, AuditRecord } from "../audit/audit-log.ts";
import { authenticateRequest } from "../authentication/authentication.ts";
import { impersonate, impersonationOf } from "../authentication/impersonation.ts";
import type { UserInfo } from "../contract.ts";
import type { Engine } from "../engine.ts";
import { accessOf, authorize, resourceAccess } from "../request/access.ts";
import { type Query, splitPath } from "../request/query.ts";
import { parseTarget, type Target } from "../request/target.ts";
import { verbOf } from "../request/verb.ts";

const DECISION = "authorization.k8s.io/decision";
const DECISION_REASON = "authorization.k8s.io/reason";

/** What a request is for. */
interface Asked {
  path: string;
  query: Query;
  rawQuery: string;
  verb: string;
  /** Absent for paths that are no resources. */
  target: Target | undefined;
}

/** A request whose user is known. */
export interface Admitted extends Asked {
  user: UserInfo;
}

/** Where the record of a request is kept, once it has begun. */
interface Audited {
  record: AuditRecord | undefined;
}

interface Arrival {
  request: IncomingMessage;
  audited: Audited;
  asked: Asked;
}

/** Finds out who asks for what, and whether they may. */
export class Entrance {
  readonly #engine: Engine;
  readonly #audit: AuditLog | undefined;
  /** Reading the certificate of a connection costs more than most requests: it is done once. */
  readonly #certificates = new WeakMap<TLSSocket, Uint8Array>();

  constructor(engine: Engine, audit: AuditLog | undefined) {
    this.#engine = engine;
    this.#audit = audit;
  }

  /** The record of the request begins here, be it of a refusal. @throws StatusError */
  admit(request: IncomingMessage, audited: Audited): Admitted | Promise<Admitted> {
    const { path, query, rawQuery } = splitPath(request.url ?? "/");
    const target = parseTarget(path);
    const { method = "GET" } = request;
    const verb = target ? verbOf(method, target, query) : method.toLowerCase();
    const asked: Asked = { path, query, rawQuery, verb, target };
    const arrival: Arrival = { request, audited, asked };
    try {
      const requester = this.#authenticate(request, path);
      if (!(requester instanceof Promise)) return this.#enter(arrival, requester);
      return requester
        .then((user) => this.#enter(arrival, user))
        .catch((error: unknown) => this.#refuse(arrival, error));
    } catch (error) {
      return this.#refuse(arrival, error);
    }
  }

  /** @throws StatusError Forbidden */
  authorizePath({ method = "" }: IncomingMessage, { user, path, query }: Admitted): void {
    authorize(this.#engine.authorizer, accessOf(user, { method, path, query }));
  }

  /** @throws StatusError Forbidden */
  authorize({ user, query, verb }: Admitted, target: Target, record?: AuditRecord): void {
    const { authorizer } = this.#engine;
    const access = resourceAccess(user, { verb, target, query });
    if (!record) return void authorize(authorizer, access);
    try {
      record.annotate(DECISION_REASON, authorize(authorizer, access));
      record.annotate(DECISION, "allow");
    } catch (error) {
      record.annotate(DECISION, "forbid");
      throw error;
    }
  }

  #authenticate(request: IncomingMessage, path: string): UserInfo | Promise<UserInfo> {
    const credentials = {
      authorization: request.headers.authorization,
      clientCertificate: this.#certificateOf(request.socket as TLSSocket),
    };
    return authenticateRequest(this.#engine.authenticators, { credentials, path });
  }

  /** DER of a client certificate that chains up to the client CA. */
  #certificateOf(socket: TLSSocket): Uint8Array | undefined {
    if (!socket.authorized) return undefined;
    const known = this.#certificates.get(socket);
    if (known) return known;
    const { raw } = socket.getPeerCertificate();
    if (raw) this.#certificates.set(socket, raw);
    return raw;
  }

  /** @throws StatusError when the requester may not act as somebody else */
  #enter(arrival: Arrival, requester: UserInfo): Admitted {
    const { request, asked } = arrival;
    const { path, query, rawQuery, verb, target } = asked;
    const acted = impersonationOf(request.rawHeaders);
    const user = acted ? impersonate(requester, acted, this.#engine.authorizer) : requester;
    this.#begin(arrival, { user, impersonator: acted && requester });
    return { path, query, rawQuery, verb, target, user };
  }

  #refuse(arrival: Arrival, error: unknown): never {
    this.#begin(arrival, { user: undefined, impersonator: undefined });
    throw error;
  }

  #begin(
    { request, audited, asked }: Arrival,
    { user, impersonator }: Record<"user" | "impersonator", UserInfo | undefined>,
  ): void {
    if (!this.#audit) return;
    const { path, verb, target } = asked;
    const subject = { user, verb, path, target };
    const decision = this.#audit.decide(subject);
    if (!decision) return;
    const { remoteAddress = "" } = request.socket;
    audited.record = this.#audit.begin(decision, {
      ...subject,
      impersonator,
      requestUri: request.url ?? "/",
      sourceIps: [remoteAddress.replace(/^::ffff:/, "")],
      userAgent: request.headers["user-agent"] ?? "",
      auditId: request.headers["audit-id"] as string | undefined,
    });
  }
}
