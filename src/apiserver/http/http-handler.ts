import type { Body } from "../codec/body.ts";
import type { IncomingMessage } from "node:http";
import type { TLSSocket } from "node:tls";
import { methodNotAllowed, StatusError } from "../../api/errors.ts";
import type { ApiRequest } from "../../api/transport.ts";
import type { ProtobufDecoder } from "../codec/protobuf-decoder.ts";
import type { ProtobufEncoder } from "../codec/protobuf-encoder.ts";
import { ConvertingReceiver } from "../custom-resource/conversion/converting-receiver.ts";
import { type Discovery, isOfBuiltInGroup } from "../discovery/discovery.ts";
import { YamlReader } from "../codec/yaml-reader.ts";
import type { Engine } from "../engine.ts";
import type { KubeletProxy } from "../kubelet-proxy/kubelet-proxy.ts";
import type { AuditLog } from "../audit/audit-log.ts";
import { AuditIds } from "../audit/audit-ids.ts";
import { recordAnswer, recordBody } from "../audit/record-answer.ts";
import type { FlowControl, Seat } from "../flow-control/flow-control.ts";
import type { AggregationProxy } from "../aggregation/aggregation-proxy.ts";
import type { RequestMetrics, RequestRow } from "../metrics/request-metrics.ts";
import { authorize } from "../request/access.ts";
import type { Query } from "../request/query.ts";
import type { Target } from "../request/target.ts";
import type { ServedResource } from "../resource-registry.ts";
import type { Answer, Call } from "../rest/call.ts";
import { REVIEW_KINDS } from "../subresource/review.ts";
import { verbOf } from "../request/verb.ts";
import { dispatch, unknownPath } from "../rest/dispatch.ts";
import { prepareWatch } from "../rest/watch.ts";
import { isFault, toStatusError } from "../status-answer.ts";
import { type Admitted, Entrance } from "./entrance.ts";
import {
  asStream,
  type Exchange,
  type HttpRequest,
  type HttpResponse,
  type StreamExchange,
} from "./exchange.ts";
import { Negotiator, type Representation } from "./negotiation.ts";
import { LaterInTurn } from "./later-in-turn.ts";
import { OpenResponses } from "./open-responses.ts";
import type { PlainPages } from "./plain-pages.ts";
import { includeOf } from "./table.ts";
import { allowedMs, Deadlines } from "./deadline.ts";
import { readBody } from "./read-body.ts";
import { respond, respondPlain, respondStatus } from "./respond.ts";
import { sendPage } from "./send-page.ts";
import { SharedItems } from "./shared-items.ts";
import { WatchWriter } from "./watch-writer.ts";
import { WholeRequest } from "./whole-request.ts";

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
  metrics: RequestMetrics;
}

/** An exchange, and among which it is counted until its response closes. */
interface CountedExchange extends Exchange {
  among: OpenResponses;
}

/** What a path gets that nobody serves, not even for another version or resource. */
const PAGE_NOT_FOUND = { status: 404, text: "404 page not found\n" };

const NO_BODY: Body = { kind: "none" };

/** Paths that are no resources and are counted; upstream counts those of health only. */
const COUNTED_PATHS: ReadonlySet<string> = new Set(["/healthz", "/livez", "/metrics", "/readyz"]);

/** Serves one connection's requests: who asks, may they, what is it, and how to write it. */
export class HttpHandler {
  readonly #parts: HttpHandlerParts;
  readonly #negotiator = new Negotiator();
  readonly #yaml = new YamlReader();
  readonly #entrance: Entrance;
  readonly #auditIds: AuditIds;
  readonly #sharedItems = new SharedItems();
  readonly #later = new LaterInTurn();
  readonly #requests = new OpenResponses();
  readonly #streams = new OpenResponses();
  readonly #deadlines: Deadlines;

  constructor(parts: HttpHandlerParts) {
    this.#parts = parts;
    this.#entrance = new Entrance(parts.engine, parts.audit);
    this.#auditIds = new AuditIds(parts.engine.random);
    this.#deadlines = new Deadlines(parts.engine.clock);
  }

  /** Never throws: what goes wrong becomes a Status. */
  handle(request: HttpRequest, response: HttpResponse): void {
    this.#requests.enter();
    const exchange: CountedExchange = {
      request,
      response,
      warnings: [],
      headers: [],
      record: undefined,
      receivedMs: this.#parts.engine.clock.monotonicMs(),
      row: undefined,
      among: this.#requests,
    };
    response.on("close", () => this.#closed(exchange));
    const refuse = (error: unknown) => this.#refuse(exchange, error);
    try {
      this.#serve(exchange).catch(refuse);
    } catch (error) {
      void refuse(error);
    }
  }

  /** Whether this server itself answers a whole request, and not one that it hands it on to. */
  acceptsWhole({ asked }: WholeRequest): boolean {
    return !this.#parts.proxy?.route(asked.path);
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

  async #refuse(exchange: Exchange, error: unknown): Promise<void> {
    const { request, response, headers, warnings, record } = exchange;
    if (request.destroyed && !request.complete) return void response.destroy();
    const { engine, protobuf } = this.#parts;
    const { status } = toStatusError(error, engine.logger);
    record?.refused(status);
    if (isFault(error)) record?.panicked(status.code);
    const format = this.#negotiator.refusalFormat(request.headers.accept);
    const encoder = protobuf.encoder;
    await respondStatus(response, status, { warnings, headers, format, protobuf: encoder });
  }

  #serve(exchange: CountedExchange): Promise<void> {
    const admitting = this.#admitRecorded(exchange);
    if (!(admitting instanceof Promise)) return this.#enter(exchange, admitting);
    return admitting.then((admitted) => this.#enter(exchange, admitted));
  }

  /** Waits for a seat, where there is none. */
  #enter(exchange: CountedExchange, admitted: Admitted): Promise<void> {
    const entering = this.#parts.flows?.enter(admitted);
    if (!(entering instanceof Promise)) return this.#serveSeated(exchange, admitted, entering);
    return entering.then((seat) => this.#serveSeated(exchange, admitted, seat));
  }

  async #serveSeated(exchange: CountedExchange, admitted: Admitted, seat?: Seat): Promise<void> {
    if (seat) {
      exchange.headers =
        exchange.headers.length > 0 ? [...exchange.headers, ...seat.headers] : seat.headers;
    }
    try {
      const serving = this.#serveAdmitted(exchange, admitted);
      if (serving) await serving;
    } finally {
      seat?.release();
    }
  }

  /** What is recorded of a request is complete when its response is out, a refusal too. */
  #admitRecorded(exchange: Exchange): Admitted | Promise<Admitted> {
    const { request } = exchange;
    const follow = () => {
      const { record } = exchange;
      const asked = request.headers["audit-id"] as string | undefined;
      exchange.headers = ["Audit-Id", record?.auditId ?? this.#auditIds.next(asked)];
    };
    let admitting: Admitted | Promise<Admitted> | undefined;
    try {
      admitting = this.#entrance.admit(request, exchange);
    } finally {
      if (!(admitting instanceof Promise)) follow();
    }
    return admitting instanceof Promise ? admitting.finally(follow) : admitting;
  }

  /** Answered at once, or when that resolves. */
  #serveAdmitted(exchange: CountedExchange, admitted: Admitted): Promise<void> | undefined {
    const { request, response, warnings, record } = exchange;
    const { target, query } = admitted;
    // Of a whole request that is known already, by `acceptsWhole`.
    const isWhole = request instanceof WholeRequest;
    const remote = isWhole ? undefined : this.#parts.proxy?.route(admitted.path);
    if (remote) {
      this.#entrance.authorizePath(request, admitted);
      return this.#parts.proxy?.request(asStream(exchange), { ...admitted, remote });
    }
    if (!target) return this.#servePage(asStream(exchange), admitted);
    const served = this.#find(target);
    if (!served) {
      if (this.#parts.engine.registry.hasGroup(target.group)) throw unknownPath();
      respondPlain(response, { ...PAGE_NOT_FOUND, headers: exchange.headers });
      return undefined;
    }
    this.#entrance.authorize(admitted, target, record);
    if (!response.destroyed) exchange.row = this.#counted(request, { admitted, target, served });
    if (this.#parts.kubelets.handles(served, target)) {
      this.#becomesStream(exchange);
      return this.#parts.kubelets.request(asStream(exchange), { ...admitted, target, served });
    }
    const { engine } = this.#parts;
    const call: Call = {
      method: methodOf(request),
      served,
      target,
      query,
      user: admitted.user,
      body: NO_BODY,
      userAgent: request.headers["user-agent"] ?? "",
      warn: (text) => warnings.push(text),
      annotate: record && ((key, value) => record.annotate(key, value)),
    };
    const isRead = call.method === "GET";
    const isWatch = isRead && verbOf("GET", target, query) === "watch";
    const representation = this.#representation(request, { call, isWatch });
    if (isWatch) {
      this.#becomesStream(exchange);
      return this.#watch(asStream(exchange), { call, representation });
    }
    // What only reads needs no timer of its own: it never waits longer than for a revision.
    const limitMs = isRead && !query.has("timeout") ? undefined : allowedMs(query);
    const work = isRead ? dispatch(engine, call) : this.#write(exchange, call);
    const bounded = limitMs === undefined ? work : this.#deadlines.within(limitMs, work);
    return this.#answer(exchange, bounded, { query, representation });
  }

  async #answer(
    exchange: CountedExchange,
    work: Promise<Answer>,
    { query, representation }: { query: Query; representation: Representation },
  ): Promise<void> {
    const answer = await work;
    recordAnswer(exchange.record, answer);
    const { engine, protobuf } = this.#parts;
    const sending = respond(exchange, answer, {
      representation,
      query,
      warnings: exchange.warnings,
      headers: exchange.headers,
      nowMs: engine.clock.now(),
      protobuf: protobuf.encoder,
      sharedItems: this.#sharedItems,
    });
    if (sending) await sending;
  }

  #closed({ response, record, row, receivedMs, among }: CountedExchange): void {
    among.leave();
    record?.completed(response.statusCode);
    row?.end(response.statusCode, this.#parts.engine.clock.monotonicMs() - receivedMs);
  }

  #counted(
    { method = "", headers }: HttpRequest,
    { admitted, target, served }: { admitted: Admitted; target: Target; served: ServedResource },
  ): RequestRow | undefined {
    const { verb, query } = admitted;
    const contentType = headers["content-type"];
    return this.#parts.metrics.begin({ method, contentType, verb, query, target, served });
  }

  #becomesStream(exchange: CountedExchange): void {
    if (exchange.response.destroyed) return;
    exchange.among.leave();
    exchange.among = this.#streams;
    exchange.among.enter();
  }

  async #write({ request, record }: Exchange, call: Call): Promise<Answer> {
    const { engine, protobuf } = this.#parts;
    const custom = call.served.custom && call.target.subresource !== "scale";
    const of = { protobuf: protobuf.decoder, yaml: this.#yaml, custom };
    // Awaited also where it is there: who arrived together has been let in before any goes on.
    call.body = await readBody(request, of);
    recordBody(record, call.body);
    // Awaited here, and in what it calls: a promise handed on as it is takes two turns more.
    return await dispatch(engine, call);
  }

  #representation(
    request: HttpRequest,
    { call, isWatch }: { call: Call; isWatch: boolean },
  ): Representation {
    const { served, query } = call;
    const review = REVIEW_KINDS.has(served.resource.kind);
    const offer = { custom: served.custom, watch: isWatch, review };
    const representation = this.#negotiator.representation(request.headers.accept, offer);
    // Before anything is done: a table that cannot be made must not follow a write.
    if (representation.as === "table") includeOf(query);
    return representation;
  }

  async #serveUpgrade(
    request: IncomingMessage,
    upgrade: { socket: TLSSocket; head: Buffer },
  ): Promise<void> {
    const audited: Parameters<Entrance["admit"]>[1] = { record: undefined, warnings: [] };
    const admitted = await this.#entrance.admit(request, audited);
    const { record } = audited;
    if (record) {
      record.started(101);
      upgrade.socket.once("close", () => record.completed(101));
    }
    const remote = this.#parts.proxy?.route(admitted.path);
    if (remote) {
      this.#entrance.authorizePath(request, admitted);
      return this.#parts.proxy?.upgrade(request, { ...admitted, ...upgrade, remote });
    }
    const { target } = admitted;
    if (!target) throw unknownPath();
    const served = this.#find(target);
    if (!served) throw unknownPath();
    this.#entrance.authorize(admitted, target, record);
    if (!this.#parts.kubelets.handles(served, target)) {
      throw new StatusError("BadRequest", "this path does not offer a connection upgrade");
    }
    const { clock } = this.#parts.engine;
    const row = this.#counted(request, { admitted, target, served });
    const sinceMs = clock.monotonicMs();
    if (upgrade.socket.destroyed) return row?.end(101, 0);
    upgrade.socket.once("close", () => row?.end(101, clock.monotonicMs() - sinceMs));
    await this.#parts.kubelets.upgrade(request, { ...upgrade, ...admitted, target, served });
  }

  #find(target: Target): ServedResource | undefined {
    return this.#parts.engine.registry.find(target.group, target.version, target.resource);
  }

  async #servePage(exchange: StreamExchange, { path, query, user }: Admitted): Promise<void> {
    const { engine, discovery, pages } = this.#parts;
    const { request } = exchange;
    const verb = (request.method ?? "GET").toLowerCase();
    authorize(engine.authorizer, { user, verb, path });
    const trimmed = path.length > 1 && path.endsWith("/") ? path.slice(0, -1) : path;
    if (COUNTED_PATHS.has(trimmed) && !exchange.response.destroyed) {
      exchange.row = this.#parts.metrics.beginPath(trimmed);
    }
    const document =
      discovery.document(trimmed, request.headers.accept) ??
      (await pages.page(trimmed, { query, accept: request.headers.accept }));
    if (!document) {
      if (isOfBuiltInGroup(trimmed)) throw unknownPath();
      return respondPlain(exchange.response, { ...PAGE_NOT_FOUND, headers: exchange.headers });
    }
    if (verb !== "get" && verb !== "head") {
      throw new StatusError("MethodNotAllowed", "only GET is allowed here");
    }
    sendPage(exchange, document, engine.clock.now());
  }

  async #watch(
    { response, headers, record }: StreamExchange,
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
      later: this.#later,
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

const METHODS: ReadonlySet<string> = new Set(["GET", "POST", "PUT", "PATCH", "DELETE"]);

function methodOf({ method = "" }: HttpRequest): ApiRequest["method"] {
  if (METHODS.has(method)) return method as ApiRequest["method"];
  throw methodNotAllowed();
}
