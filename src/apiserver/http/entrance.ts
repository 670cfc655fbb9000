import type { TLSSocket } from "node:tls";
import type { AuditLog, AuditRecord } from "../audit/audit-log.ts";
import { authenticateRequest } from "../authentication/authentication.ts";
import { impersonate, impersonationOf } from "../authentication/impersonation.ts";
import type { Remarks, UserInfo } from "../contract.ts";
import type { Engine } from "../engine.ts";
import { accessOf, authorize, resourceAccess } from "../request/access.ts";
import type { Target } from "../request/target.ts";
import { type Asked, askedOf } from "./asked.ts";
import type { HttpRequest } from "./exchange.ts";
import { WholeRequest } from "./whole-request.ts";

const DECISION = "authorization.k8s.io/decision";
const DECISION_REASON = "authorization.k8s.io/reason";

/** A request whose user is known. */
export interface Admitted extends Asked {
  user: UserInfo;
}

/** What all requests of a connection have in common. */
interface Connection {
  /** DER of a client certificate that chains up to the client CA. */
  certificate: Uint8Array | undefined;
  /** It came with a certificate of somebody else's. */
  isUntrusted: boolean;
  sourceIps: readonly string[];
}

/** Where the record of a request is kept, once it has begun, beside remarks on its credentials. */
interface Audited extends Remarks {
  record: AuditRecord | undefined;
}

interface Arrival {
  request: HttpRequest;
  audited: Audited;
  asked: Asked;
}

/** Finds out who asks for what, and whether they may. */
export class Entrance {
  readonly #engine: Engine;
  readonly #audit: AuditLog | undefined;
  /** Reading the certificate of a connection costs more than most requests: it is done once. */
  readonly #connections = new WeakMap<TLSSocket, Connection>();

  constructor(engine: Engine, audit: AuditLog | undefined) {
    this.#engine = engine;
    this.#audit = audit;
  }

  /** The record of the request begins here, be it of a refusal. @throws StatusError */
  admit(request: HttpRequest, audited: Audited): Admitted | Promise<Admitted> {
    const asked =
      request instanceof WholeRequest
        ? request.asked
        : askedOf(request.method ?? "GET", request.url ?? "/");
    const arrival: Arrival = { request, audited, asked };
    try {
      const requester = this.#authenticate(request, { path: asked.path, remarks: audited });
      if (!(requester instanceof Promise)) return this.#enter(arrival, requester);
      return requester
        .then((user) => this.#enter(arrival, user))
        .catch((error: unknown) => this.#refuse(arrival, error));
    } catch (error) {
      return this.#refuse(arrival, error);
    }
  }

  /** @throws StatusError Forbidden */
  authorizePath({ method = "" }: HttpRequest, { user, path, query }: Admitted): void {
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

  #authenticate(
    request: HttpRequest,
    { path, remarks }: { path: string; remarks: Remarks },
  ): UserInfo | Promise<UserInfo> {
    const { certificate: clientCertificate, isUntrusted } = this.#connectionOf(request);
    const { authorization } = request.headers;
    const credentials = { authorization, clientCertificate, isUntrusted, remarks };
    const { authenticators, anonymous } = this.#engine;
    return authenticateRequest(authenticators, { credentials, path, anonymous });
  }

  #connectionOf(request: HttpRequest): Connection {
    const socket = request.socket as TLSSocket;
    const known = this.#connections.get(socket);
    if (known) return known;
    const { remoteAddress = "" } = socket;
    // Without a certificate it is an empty object.
    const shown = socket.getPeerCertificate().raw as Uint8Array | undefined;
    const connection: Connection = {
      certificate: socket.authorized ? shown : undefined,
      isUntrusted: !socket.authorized && shown !== undefined,
      sourceIps: [remoteAddress.replace(/^::ffff:/, "")],
    };
    this.#connections.set(socket, connection);
    return connection;
  }

  /** @throws StatusError when the requester may not act as somebody else */
  #enter(arrival: Arrival, requester: UserInfo): Admitted {
    const { request, asked } = arrival;
    const acted = impersonationOf(request.rawHeaders);
    asked.user = acted ? impersonate(requester, acted, this.#engine.authorizer) : requester;
    this.#begin(arrival, acted && requester);
    return asked as Admitted;
  }

  #refuse(arrival: Arrival, error: unknown): never {
    arrival.asked.user = undefined;
    this.#begin(arrival);
    throw error;
  }

  #begin({ request, audited, asked }: Arrival, impersonator?: UserInfo): void {
    const decision = this.#audit?.decide(asked);
    if (!decision) return;
    audited.record = this.#audit?.begin(decision, {
      request: asked,
      impersonator,
      requestUri: request.url ?? "/",
      sourceIps: this.#connectionOf(request).sourceIps,
      userAgent: request.headers["user-agent"] ?? "",
      auditId: request.headers["audit-id"] as string | undefined,
    });
    const { record, annotations = {} } = audited;
    for (const [key, value] of Object.entries(annotations)) record?.annotate(key, value);
  }
}
