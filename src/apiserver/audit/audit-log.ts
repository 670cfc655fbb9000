import type { Clock } from "../../lib/clock.ts";
import { type Random, randomUuid } from "../../lib/random.ts";
import type { Status } from "../../api/status.ts";
import type { UserInfo } from "../contract.ts";
import {
  type AuditDecision,
  type AuditedRequest,
  type AuditPolicy,
  decide,
} from "./audit-policy.ts";

/** Takes lines; must neither block nor throw. */
export interface AuditSink {
  write(line: string): void;
}

/** A request as the log begins to know it. */
export interface AuditSubject extends AuditedRequest {
  /** Path with query. */
  requestUri: string;
  /** Who asked, when that is not as whom the request is made. */
  impersonator?: UserInfo | undefined;
  sourceIps: readonly string[];
  userAgent: string;
}

type Json = Record<string, unknown>;

/** Decides what is recorded, and writes events of `audit.k8s.io/v1` as JSON lines. */
export class AuditLog {
  readonly #policy: AuditPolicy;
  readonly #parts: { sink: AuditSink; clock: Clock; random: Random };

  constructor(policy: AuditPolicy, parts: { sink: AuditSink; clock: Clock; random: Random }) {
    this.#policy = policy;
    this.#parts = parts;
  }

  /** The record of a request; `undefined` when the policy wants nothing of it. */
  begin(subject: AuditSubject): AuditRecord | undefined {
    const decision = decide(this.#policy, subject);
    return decision && new AuditRecord(subject, decision, this.#parts);
  }
}

/** One request on its way to the log. */
export class AuditRecord {
  readonly #subject: AuditSubject;
  readonly #decision: AuditDecision;
  readonly #parts: { sink: AuditSink; clock: Clock };
  readonly #auditId: string;
  readonly #receivedMs: number;
  #annotations: Record<string, string> | undefined;
  #requestObject: unknown;
  #responseObject: unknown;
  #refusal: Status | undefined;
  #name: string | undefined;
  #done = false;

  constructor(
    subject: AuditSubject,
    decision: AuditDecision,
    parts: { sink: AuditSink; clock: Clock; random: Random },
  ) {
    this.#subject = subject;
    this.#decision = decision;
    this.#parts = parts;
    this.#auditId = randomUuid(parts.random);
    this.#receivedMs = parts.clock.now();
    this.#write("RequestReceived", undefined);
  }

  get wantsRequest(): boolean {
    return this.#decision.level !== "Metadata";
  }

  get wantsResponse(): boolean {
    return this.#decision.level === "RequestResponse";
  }

  annotate(key: string, value: string): void {
    this.#annotations ??= {};
    // The first word counts: nobody rewrites what another one said.
    this.#annotations[key] ??= value;
  }

  /** The object that the client sent; not kept below level Request. */
  requested(object: unknown): void {
    if (this.wantsRequest) this.#requestObject = object;
  }

  /** The name that a new object got, which its path does not say. */
  named(name: string): void {
    this.#name = name;
  }

  /** The object that goes back; not kept below level RequestResponse. */
  answered(object: unknown): void {
    if (this.wantsResponse) this.#responseObject = object;
  }

  refused(status: Status): void {
    this.#refusal = status;
    if (this.wantsResponse) this.#responseObject = status;
  }

  /** A watch or a connection is open. */
  started(code: number): void {
    this.#write("ResponseStarted", code);
  }

  /** The answer is out; says so once. */
  completed(code: number): void {
    if (this.#done) return;
    this.#done = true;
    this.#write("ResponseComplete", code);
  }

  #write(stage: string, code: number | undefined): void {
    const { level, omitStages } = this.#decision;
    if (omitStages.has(stage)) return;
    const { user, impersonator, verb, requestUri, sourceIps, userAgent } = this.#subject;
    const isLast = stage === "ResponseComplete";
    const event: Json = {
      kind: "Event",
      apiVersion: "audit.k8s.io/v1",
      level,
      auditID: this.#auditId,
      stage,
      requestURI: requestUri,
      verb,
      user: userJson(impersonator ?? user),
      ...(impersonator ? { impersonatedUser: userJson(user) } : {}),
      sourceIPs: sourceIps,
      ...(userAgent ? { userAgent } : {}),
      ...this.#objectRef(),
      ...(code === undefined ? {} : { responseStatus: this.#status(code) }),
      ...(this.#requestObject !== undefined
        ? { requestObject: this.#shown(this.#requestObject) }
        : {}),
      ...(isLast && this.#responseObject !== undefined
        ? { responseObject: this.#shown(this.#responseObject) }
        : {}),
      requestReceivedTimestamp: microTime(this.#receivedMs),
      stageTimestamp: microTime(this.#parts.clock.now()),
      ...(this.#annotations ? { annotations: this.#annotations } : {}),
    };
    this.#parts.sink.write(`${JSON.stringify(event)}\n`);
  }

  #objectRef(): { objectRef?: Json } {
    const { target } = this.#subject;
    if (!target) return {};
    const { group, version, resource, namespace, name, subresource } = target;
    return {
      objectRef: {
        resource,
        ...(namespace ? { namespace } : {}),
        ...((name ?? this.#name) ? { name: name ?? this.#name } : {}),
        ...(group ? { apiGroup: group } : {}),
        apiVersion: version,
        ...(subresource ? { subresource } : {}),
      },
    };
  }

  #status(code: number): Json {
    if (!this.#refusal) return { metadata: {}, code };
    const { status, message, reason } = this.#refusal;
    return {
      metadata: {},
      status,
      ...(message ? { message } : {}),
      ...(reason ? { reason } : {}),
      code,
    };
  }

  #shown(object: unknown): unknown {
    return this.#decision.omitManagedFields ? withoutManagedFields(object) : object;
  }
}

function userJson(user: UserInfo | undefined): Json {
  if (!user) return {};
  const { name, uid, groups, extra } = user;
  return { username: name, ...(uid ? { uid } : {}), groups, ...(extra ? { extra } : {}) };
}

/** A copy without `metadata.managedFields`, of the object or of every item of a list. */
function withoutManagedFields(object: unknown): unknown {
  if (typeof object !== "object" || object === null || Array.isArray(object)) return object;
  const { metadata, items, ...rest } = object as Json;
  const kept = { ...(metadata as Json | undefined) };
  delete kept["managedFields"];
  return {
    ...rest,
    ...(metadata ? { metadata: kept } : {}),
    ...(Array.isArray(items) ? { items: items.map(withoutManagedFields) } : {}),
  };
}

/** `metav1.MicroTime`; the clock knows milliseconds. */
function microTime(epochMs: number): string {
  return new Date(epochMs).toISOString().replace("Z", "000Z");
}
