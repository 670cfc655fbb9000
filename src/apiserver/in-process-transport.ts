import type { Body } from "./codec/body.ts";
import { StatusError } from "../api/errors.ts";
import type { ApiRequest, ApiResponse, Transport, WatchSink } from "../api/transport.ts";
import type { UserInfo } from "./contract.ts";
import { ConvertingReceiver } from "./custom-resource/conversion/converting-receiver.ts";
import type { Discovery } from "./discovery/discovery.ts";
import type { Engine } from "./engine.ts";
import { listValueOf } from "./http/representations.ts";
import { pathOf } from "../api/resource.ts";
import type { Clock } from "../lib/clock.ts";
import type { AuditLog } from "./audit/audit-log.ts";
import { recordAnswer, recordBody } from "./audit/record-answer.ts";
import type { RequestMetrics, RequestRow } from "./metrics/request-metrics.ts";
import type { AggregationProxy } from "./aggregation/aggregation-proxy.ts";
import { accessOf, authorize, resourceAccess } from "./request/access.ts";
import { splitPath } from "./request/query.ts";
import { parseTarget } from "./request/target.ts";
import type { Answer, Call } from "./rest/call.ts";
import { verbOf } from "./request/verb.ts";
import { dispatch, unknownPath } from "./rest/dispatch.ts";
import { prepareWatch, type WatchReceiver } from "./rest/watch.ts";
import { isFault, toStatusError } from "./status-answer.ts";

const NO_BODY: Body = { kind: "none" };

function bodyOf({ body, contentType = "application/json" }: ApiRequest): Body {
  if (body === undefined) return NO_BODY;
  if (body instanceof Uint8Array) return { kind: "bytes", bytes: body, contentType };
  return { kind: "value", value: body, contentType };
}

/** Authorizes and describes a request. @throws StatusError */
function callOf(engine: Engine, user: UserInfo, request: ApiRequest): Call {
  const { path, query } = splitPath(request.path);
  const target = parseTarget(path);
  const served = target && engine.registry.find(target.group, target.version, target.resource);
  if (!target || !served) throw unknownPath();
  const verb = verbOf(request.method, target, query);
  authorize(engine.authorizer, resourceAccess(user, { verb, target, query }));
  const warn = (text: string) =>
    engine.logger.warn("an in-process write was warned", { text, user: user.name });
  const userAgent = user.name;
  return {
    method: request.method,
    served,
    target,
    query,
    user,
    body: bodyOf(request),
    userAgent,
    warn,
  };
}

/** What this server's own parts do is recorded like what others do. */
async function dispatchAudited(engine: Engine, call: Call, audit: AuditLog): Promise<Answer> {
  const { user, target, query, method } = call;
  const verb = verbOf(method, target, query);
  const path = pathOf(call.served.resource, target);
  const audited = { user, verb, path, target };
  const decision = audit.decide(audited);
  if (!decision) return dispatch(engine, call);
  const origin = { requestUri: path, sourceIps: [], userAgent: call.userAgent };
  const record = audit.begin(decision, { request: audited, ...origin });
  recordBody(record, call.body);
  try {
    const annotate = (key: string, value: string) => record.annotate(key, value);
    const answer = await dispatch(engine, { ...call, annotate });
    recordAnswer(record, answer);
    record.completed(answer.status);
    return answer;
  } catch (error) {
    const { status } = toStatusError(error, engine.logger);
    record.refused(status);
    if (isFault(error)) record.panicked(status.code);
    record.completed(status.code);
    throw error;
  }
}

/** A request among those that are counted, until it ends. */
class Counted {
  readonly #row: RequestRow;
  readonly #clock: Clock;
  readonly #sinceMs: number;

  constructor(row: RequestRow, clock: Clock) {
    this.#row = row;
    this.#clock = clock;
    this.#sinceMs = clock.monotonicMs();
  }

  end(code: number): void {
    this.#row.end(code, this.#clock.monotonicMs() - this.#sinceMs);
  }
}

function count(metrics: RequestMetrics, call: Call, { clock }: Engine): Counted | undefined {
  const { method, target, query, served, body } = call;
  const verb = verbOf(method, target, query);
  const contentType = body.kind === "none" ? undefined : body.contentType;
  const row = metrics.begin({ method, verb, target, served, query, contentType });
  return row && new Counted(row, clock);
}

/** @throws StatusError Forbidden */
function authorizeRemote(engine: Engine, user: UserInfo, request: ApiRequest): void {
  const { path, query } = splitPath(request.path);
  authorize(engine.authorizer, accessOf(user, { method: request.method, path, query }));
}

function valueOf(answer: Answer): unknown {
  switch (answer.kind) {
    case "object":
      return answer.object.object();
    case "list":
      return listValueOf(answer.served, answer.list);
    case "value":
      return answer.value;
  }
}

function responseOf(answer: Answer): ApiResponse {
  return { status: answer.status, body: valueOf(answer) };
}

/** Whose requests they are, and where kinds of the server are looked up. */
export interface InProcessCaller {
  user: UserInfo;
  discovery: Discovery;
  /** Hands on what other servers answer for. */
  proxy?: AggregationProxy | undefined;
  audit?: AuditLog | undefined;
  metrics?: RequestMetrics | undefined;
}

/** Requests without HTTP or JSON: answers are the server's own shared, frozen objects. */
export function createInProcessTransport(
  engine: Engine,
  { user, discovery, proxy, audit, metrics }: InProcessCaller,
): Transport {
  const fail = (error: unknown): never => {
    throw toStatusError(error, engine.logger);
  };
  return {
    request: (request: ApiRequest): Promise<ApiResponse> => {
      try {
        const remote = proxy?.route(request.path);
        if (proxy && remote) {
          authorizeRemote(engine, user, request);
          return proxy.fetch(request, { remote, user }).catch(fail);
        }
        const document = request.method === "GET" && discovery.document(request.path, undefined);
        if (document) {
          const body: unknown = JSON.parse(Buffer.from(document.bytes).toString());
          return Promise.resolve({ status: 200, body });
        }
        const call = callOf(engine, user, request);
        const counted = metrics && count(metrics, call, engine);
        const answering = audit ? dispatchAudited(engine, call, audit) : dispatch(engine, call);
        return answering.then(
          (answer) => {
            counted?.end(answer.status);
            return responseOf(answer);
          },
          (error: unknown) => {
            const refusal = toStatusError(error, engine.logger);
            counted?.end(refusal.status.code);
            throw refusal;
          },
        );
      } catch (error) {
        return Promise.reject(toStatusError(error, engine.logger));
      }
    },
    watch: async (request: ApiRequest, sink: WatchSink): Promise<Disposable> => {
      try {
        const remote = proxy?.route(request.path);
        if (proxy && remote) {
          authorizeRemote(engine, user, request);
          return await proxy.watch(request, { remote, user, sink });
        }
        const path = `${request.path}${request.path.includes("?") ? "&" : "?"}watch=1`;
        const call = callOf(engine, user, { ...request, method: "GET", path });
        const receiver = new SinkReceiver(sink, call);
        const { conversion } = call.served;
        const session = await prepareWatch(call, engine).start(
          conversion ? new ConvertingReceiver(receiver, conversion) : receiver,
        );
        receiver.begun(session, metrics && count(metrics, call, engine));
        return receiver;
      } catch (error) {
        throw toStatusError(error, engine.logger);
      }
    },
  };
}

/** Hands a watch to a sink. Sinks take what they get at once, so that nothing has to queue. */
class SinkReceiver implements WatchReceiver, Disposable {
  readonly #sink: WatchSink;
  readonly #call: Call;
  #done = false;
  #session: Disposable | undefined;
  #counted: Counted | undefined;

  constructor(sink: WatchSink, call: Call) {
    this.#sink = sink;
    this.#call = call;
  }

  begun(session: Disposable, counted: Counted | undefined): void {
    this.#session = session;
    this.#counted = counted;
    if (this.#done) counted?.end(200);
  }

  backlog: WatchReceiver["backlog"] = (backlog) => {
    for (const { type, object } of backlog) {
      if (this.#done) return;
      this.#sink.event(type, object.object());
    }
  };

  event: WatchReceiver["event"] = (_event, { type, object }) => {
    if (this.#done) return;
    this.#sink.event(type, this.#sink.keeps === "nothing" ? object.glance() : object.object());
  };

  bookmark: WatchReceiver["bookmark"] = (revision, initialEventsEnd) => {
    if (this.#done) return;
    const { resource, apiVersion } = this.#call.served;
    const annotations = { "k8s.io/initial-events-end": "true" };
    this.#sink.event("BOOKMARK", {
      kind: resource.kind,
      apiVersion,
      metadata: {
        resourceVersion: String(revision),
        ...(initialEventsEnd ? { annotations } : {}),
      },
    });
  };

  ended: WatchReceiver["ended"] = (refusal?: StatusError) => {
    if (!this.#finish()) return;
    this.#sink.closed(refusal);
  };

  [Symbol.dispose](): void {
    if (!this.#finish()) return;
    this.#session?.[Symbol.dispose]();
    this.#sink.closed();
  }

  /** False when it was done before. */
  #finish(): boolean {
    if (this.#done) return false;
    this.#done = true;
    this.#counted?.end(200);
    return true;
  }
}
