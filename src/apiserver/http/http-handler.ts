import type { IncomingMessage, ServerResponse } from "node:http";
import type { TLSSocket } from "node:tls";
import { StatusError } from "../../api/errors.ts";
import type { ApiRequest } from "../../api/transport.ts";
import { authenticateRequest } from "../authentication/authentication.ts";
import { impersonate, impersonationOf } from "../authentication/impersonation.ts";
import type { ProtobufDecoder } from "../codec/protobuf-decoder.ts";
import type { ProtobufEncoder } from "../codec/protobuf-encoder.ts";
import type { UserInfo } from "../contract.ts";
import { ConvertingReceiver } from "../custom-resource/conversion/converting-receiver.ts";
import type { Discovery } from "../discovery/discovery.ts";
import type { Engine } from "../engine.ts";
import type { KubeletProxy } from "../kubelet-proxy/kubelet-proxy.ts";
import type { AuditLog, AuditRecord } from "../audit/audit-log.ts";
import { recordAnswer, recordBody } from "../audit/record-answer.ts";
import type { FlowControl } from "../flow-control/flow-control.ts";
import type { AggregationProxy } from "../aggregation/aggregation-proxy.ts";
import { accessOf, authorize, resourceAccess } from "../request/access.ts";
import { splitPath, type Query } from "../request/query.ts";
import { parseTarget, type Target } from "../request/target.ts";
import type { ServedResource } from "../resource-registry.ts";
import type { Answer, Call } from "../rest/call.ts";
import { REVIEW_KINDS } from "../subresource/review.ts";
import { verbOf } from "../request/verb.ts";
import { dispatch, methodNotAllowed, unknownPath } from "../rest/dispatch.ts";
import { prepareWatch } from "../rest/watch.ts";
import { toStatusError } from "../status-answer.ts";
import type { Exchange } from "./exchange.ts";
import { Negotiator, notAcceptable, type Representation } from "./negotiation.ts";
import { OpenResponses } from "./open-responses.ts";
import type { PlainPages } from "./plain-pages.ts";
import { includeOf } from "./table.ts";
import { allowedMs, withinMs } from "./deadline.ts";
import { readBody } from "./read-body.ts";
import { respond, respondPlain, respondStatus } from "./respond.ts";
import { sendPage } from "./send-page.ts";
import { WatchWriter } from "./watch-writer.ts";

/** Handlers of paths that are no resources; `undefined` means that the path is unknown. */
export interface HttpHandlerParts {
  engine: Engine;
  discovery: Discovery;
  pages: PlainPages;
  kubelets: KubeletProxy;
  /** Hands on what other servers answer for. */
  proxy: AggregationProxy | undefined;
  protobuf: { decoder: ProtobufDecoder; encoder: ProtobufEncoder };
  /** Records who did what. */
  audit: AuditLog | undefined;
  /** Shares the server out among its users. */
  flows: FlowControl | undefined;
}

const DECISION = "authorization.k8s.io/decision";
const DECISION_REASON = "authorization.k8s.io/reason";

/** What a path gets that nobody serves, not even for another version or resource. */
const PAGE_NOT_FOUND = "404 page not found\n";

/** A request that was let in. */
interface Admitted {
  path: string;
  query: Query;
  rawQuery: string;
  user: UserInfo;
  verb: string;
  /** Absent for paths that are no resources. */
  target: Target | undefined;
}

/** Serves one connection's requests: who asks, may they, what is it, and how to write it. */
export class HttpHandler {
  readonly #parts: HttpHandlerParts;
  readonly #negotiator = new Negotiator();
  /** Reading the certificate of a connection costs more than most requests: it is done once. */
  readonly #certificates = new WeakMap<TLSSocket, Uint8Array>();
  readonly #requests = new OpenResponses();
  readonly #streams = new OpenResponses();

  constructor(parts: HttpHandlerParts) {
    this.#parts = parts;
  }

  /** Never throws: what goes wrong becomes a Status. */
  handle(request: IncomingMessage, response: ServerResponse): void {
    this.#requests.add(response);
    const warnings: string[] = [];
    const exchange: Exchange = { request, response, warnings, headers: [], record: undefined };
    this.#serve(exchange).catch((error: unknown) => {
      if (request.destroyed && !request.complete) return void response.destroy();
      const { engine, protobuf } = this.#parts;
      const { status } = toStatusError(error, engine.logger);
      exchange.record?.refused(status);
      const format = this.#negotiator.refusalFormat(request.headers.accept);
      const { headers } = exchange;
      const encoder = protobuf.encoder;
      return respondStatus(response, status, { warnings, headers, format, protobuf: encoder });
    });
  }

  /** Resolves when everything but watches and connections to nodes has been answered. */
  requestsDrained(): Promise<void> {
    return this.#requests.drained();
  }

  /** The same for the others, which do not end by themselves. */
  streamsDrained(): Promise<void> {
    return this.#streams.drained();
  }

  /** exec, attach, port-forward and proxied upgrades. Never throws. */
  upgrade(request: IncomingMessage, socket: TLSSocket, head: Buffer): void {
    this.#serveUpgrade(request, { socket, head }).catch((error: unknown) => {
      const { status } = toStatusError(error, this.#parts.engine.logger);
      const body = JSON.stringify(status);
      socket.end(
        `HTTP/1.1 ${status.code} ${status.reason || "Error"}\r\nContent-Type: application/json\r\n` +
          `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
      );
    });
  }

  async #serve(exchange: Exchange): Promise<void> {
    const admitted = await this.#admitRecorded(exchange);
    const entering = this.#parts.flows?.enter(admitted);
    if (!entering) return this.#serveAdmitted(exchange, admitted);
    const seat = entering instanceof Promise ? await entering : entering;
    exchange.headers = seat.headers;
    try {
      await this.#serveAdmitted(exchange, admitted);
    } finally {
      seat.release();
    }
  }

  /** What is recorded of a request is complete when its response is out, a refusal too. */
  async #admitRecorded(exchange: Exchange): Promise<Admitted> {
    const { request, response } = exchange;
    try {
      return await this.#admit(request, exchange);
    } finally {
      const { record } = exchange;
      if (record) response.once("close", () => record.completed(response.statusCode));
    }
  }

  async #serveAdmitted(exchange: Exchange, admitted: Admitted): Promise<void> {
    const { request, warnings, record } = exchange;
    const { target } = admitted;
    const remote = this.#parts.proxy?.route(admitted.path);
    if (remote) {
      this.#authorizePath(request, admitted);
      return this.#parts.proxy?.request(exchange, { ...admitted, remote });
    }
    if (!target) return this.#servePage(exchange, admitted);
    const served = this.#find(target);
    if (!served) {
      if (this.#parts.engine.registry.hasGroup(target.group)) throw unknownPath();
      return respondPlain(exchange.response, { status: 404, text: PAGE_NOT_FOUND });
    }
    this.#authorize(admitted, { target, record });
    if (this.#parts.kubelets.handles(served, target)) {
      this.#becomesStream(exchange.response);
      return this.#parts.kubelets.request(exchange, { ...admitted, target, served });
    }
    const { engine, protobuf } = this.#parts;
    const call: Call = {
      method: methodOf(request),
      served,
      target,
      query: admitted.query,
      user: admitted.user,
      body: { kind: "none" },
      userAgent: request.headers["user-agent"] ?? "",
      warn: (text) => warnings.push(text),
      ...(record ? { annotate: (key, value) => record.annotate(key, value) } : {}),
    };
    const { query } = call;
    const isWatch = call.method === "GET" && verbOf("GET", target, query) === "watch";
    const representation = this.#representation(request, { call, isWatch });
    if (isWatch) {
      this.#becomesStream(exchange.response);
      return this.#watch(exchange, { call, representation });
    }
    const work = this.#perform(exchange, call);
    // What only reads needs no timer of its own: it never waits longer than for a revision.
    const isBounded = call.method === "GET" && !query.has("timeout");
    const answer = await (isBounded
      ? work
      : withinMs(allowedMs(query), { clock: engine.clock, work }));
    const nowMs = engine.clock.now();
    await respond(exchange, answer, {
      representation,
      query,
      warnings,
      headers: exchange.headers,
      nowMs,
      protobuf: protobuf.encoder,
    });
  }

  #becomesStream(response: ServerResponse): void {
    this.#streams.add(response);
    this.#requests.delete(response);
  }

  async #perform({ request, record }: Exchange, call: Call): Promise<Answer> {
    const { engine, protobuf } = this.#parts;
    const custom = call.served.custom && call.target.subresource === undefined;
    const body = await readBody(request, { protobuf: protobuf.decoder, custom });
    recordBody(record, body);
    const answer = await dispatch(engine, { ...call, body });
    recordAnswer(record, answer);
    return answer;
  }

  #representation(
    request: IncomingMessage,
    { call, isWatch }: { call: Call; isWatch: boolean },
  ): Representation {
    const { served, query } = call;
    const offer = { custom: served.custom, watch: isWatch };
    const representation = this.#negotiator.representation(request.headers.accept, offer);
    if (representation.as !== "object" && REVIEW_KINDS.has(served.resource.kind)) {
      // A review is an answer, no object that could be a row of a table.
      throw notAcceptable();
    }
    // Before anything is done: a table that cannot be made must not follow a write.
    if (representation.as === "table") includeOf(query);
    return representation;
  }

  async #serveUpgrade(
    request: IncomingMessage,
    upgrade: { socket: TLSSocket; head: Buffer },
  ): Promise<void> {
    const audited: { record: AuditRecord | undefined } = { record: undefined };
    const admitted = await this.#admit(request, audited);
    const { record } = audited;
    if (record) {
      record.started(101);
      upgrade.socket.once("close", () => record.completed(101));
    }
    const remote = this.#parts.proxy?.route(admitted.path);
    if (remote) {
      this.#authorizePath(request, admitted);
      return this.#parts.proxy?.upgrade(request, { ...admitted, ...upgrade, remote });
    }
    const { target } = admitted;
    if (!target) throw unknownPath();
    const served = this.#find(target);
    if (!served) throw unknownPath();
    this.#authorize(admitted, { target, record });
    if (!this.#parts.kubelets.handles(served, target)) {
      throw new StatusError("BadRequest", "this path does not offer a connection upgrade");
    }
    await this.#parts.kubelets.upgrade(request, { ...upgrade, ...admitted, target, served });
  }

  /** Who asks for what; the record of it begins here, be it of a refusal. */
  async #admit(
    request: IncomingMessage,
    audited: { record: AuditRecord | undefined },
  ): Promise<Admitted> {
    const { path, query, rawQuery } = splitPath(request.url ?? "/");
    const target = parseTarget(path);
    const { method = "GET" } = request;
    const verb = target ? verbOf(method, target, query) : method.toLowerCase();
    const asked = { path, target, verb };
    const { audit } = this.#parts;
    const begin = (who: { user: UserInfo | undefined; impersonator?: UserInfo | undefined }) => {
      if (audit) audited.record = audit.begin({ ...asked, ...who, ...originOf(request) });
    };
    let who: { user: UserInfo; impersonator?: UserInfo | undefined };
    try {
      who = await this.#authenticate(request, path);
    } catch (error) {
      begin({ user: undefined });
      throw error;
    }
    begin(who);
    return { ...asked, query, rawQuery, user: who.user };
  }

  async #authenticate(
    request: IncomingMessage,
    path: string,
  ): Promise<{ user: UserInfo; impersonator?: UserInfo }> {
    const { engine } = this.#parts;
    const credentials = {
      authorization: request.headers.authorization,
      clientCertificate: this.#certificateOf(request.socket as TLSSocket),
    };
    const user = await authenticateRequest(engine.authenticators, { credentials, path });
    const asked = impersonationOf(request.rawHeaders);
    if (!asked) return { user };
    return { user: impersonate(user, asked, engine.authorizer), impersonator: user };
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

  #find(target: Target): ServedResource | undefined {
    return this.#parts.engine.registry.find(target.group, target.version, target.resource);
  }

  #authorizePath({ method = "" }: IncomingMessage, { user, path, query }: Admitted): void {
    authorize(this.#parts.engine.authorizer, accessOf(user, { method, path, query }));
  }

  #authorize(
    { user, query, verb }: Admitted,
    { target, record }: { target: Target; record: AuditRecord | undefined },
  ): void {
    const { authorizer } = this.#parts.engine;
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

  async #servePage(exchange: Exchange, { path, query, user }: Admitted): Promise<void> {
    const { engine, discovery, pages } = this.#parts;
    const { request } = exchange;
    const verb = (request.method ?? "GET").toLowerCase();
    authorize(engine.authorizer, { user, verb, path });
    const trimmed = path.length > 1 && path.endsWith("/") ? path.slice(0, -1) : path;
    const document =
      discovery.document(trimmed, request.headers.accept) ??
      (await pages.page(trimmed, { query, accept: request.headers.accept }));
    if (!document) {
      return respondPlain(exchange.response, { status: 404, text: PAGE_NOT_FOUND });
    }
    if (verb !== "get" && verb !== "head") {
      throw new StatusError("MethodNotAllowed", "only GET is allowed here");
    }
    sendPage(exchange, document, engine.clock.now());
  }

  async #watch(
    { response, headers, record }: Exchange,
    { call, representation }: { call: Call; representation: Representation },
  ): Promise<void> {
    const { engine, protobuf } = this.#parts;
    const watch = prepareWatch(call, engine);
    const { served, query } = call;
    const writer = new WatchWriter(response, {
      served,
      representation,
      query,
      headers,
      protobuf: protobuf.encoder,
      clock: engine.clock,
      logger: engine.logger,
    });
    const session = await watch.start(
      served.conversion ? new ConvertingReceiver(writer, served.conversion) : writer,
    );
    record?.started(200);
    if (response.destroyed) session[Symbol.dispose]();
    else response.on("close", () => session[Symbol.dispose]());
  }
}

/** Where a request came from, as the audit log names it. */
function originOf(request: IncomingMessage) {
  const { remoteAddress = "" } = request.socket;
  return {
    requestUri: request.url ?? "/",
    sourceIps: [remoteAddress.replace(/^::ffff:/, "")],
    userAgent: request.headers["user-agent"] ?? "",
  };
}

const METHODS: ReadonlySet<string> = new Set(["GET", "POST", "PUT", "PATCH", "DELETE"]);

function methodOf({ method = "" }: IncomingMessage): ApiRequest["method"] {
  if (METHODS.has(method)) return method as ApiRequest["method"];
  throw methodNotAllowed();
}
