import { type Clock, formatMicroTime } from "../../lib/clock.ts";
import type { Random } from "../../lib/random.ts";
import { AuditIds } from "./audit-ids.ts";
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
export interface AuditSubject {
  request: AuditedRequest;
  /** Path with query. */
  requestUri: string;
  /** Who asked, when that is not as whom the request is made. */
  impersonator?: UserInfo | undefined;
  sourceIps: readonly string[];
  userAgent: string;
  /** As the client or a proxy before it calls the request. */
  auditId?: string | undefined;
}

type Json = Record<string, unknown>;

/** What all records of a log share. */
interface RecordParts {
  sink: AuditSink;
  clock: Clock;
  ids: AuditIds;
  users: UserTexts;
}

/** Decides what is recorded, and writes events of `audit.k8s.io/v1` as JSON lines. */
export class AuditLog {
  readonly #policy: AuditPolicy;
  readonly #parts: RecordParts;

  constructor(policy: AuditPolicy, of: { sink: AuditSink; clock: Clock; random: Random }) {
    this.#policy = policy;
    const { sink, clock, random } = of;
    this.#parts = { sink, clock, ids: new AuditIds(random), users: new UserTexts() };
  }

  /** What the policy wants of a request; `undefined` for nothing. */
  decide(request: AuditedRequest): AuditDecision | undefined {
    return decide(this.#policy, request);
  }

  /** The record of a request that the policy wants. */
  begin(decision: AuditDecision, subject: AuditSubject): AuditRecord {
    return new AuditRecord(subject, decision, this.#parts);
  }
}

/** One request on its way to the log. */
export class AuditRecord {
  readonly #subject: AuditSubject;
  readonly #decision: AuditDecision;
  readonly #parts: RecordParts;
  /** Goes back in the header `Audit-Id`. */
  readonly auditId: string;
  readonly #receivedMs: number;
  #annotations: Record<string, string> | undefined;
  #requestObject: unknown;
  #responseObject: unknown;
  #refusal: Status | undefined;
  #name: string | undefined;
  #done = false;

  constructor(subject: AuditSubject, decision: AuditDecision, parts: RecordParts) {
    this.#subject = subject;
    this.#decision = decision;
    this.#parts = parts;
    this.auditId = parts.ids.next(subject.auditId);
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

  /** This server made a mistake: instead of an end the log has that. */
  panicked(code: number): void {
    if (this.#done) return;
    this.#done = true;
    this.#write("Panic", code);
  }

  /** Puts the text together by hand: at full load the log is as busy as the server. */
  #write(stage: string, code: number | undefined): void {
    const { level, omitStages } = this.#decision;
    if (omitStages.has(stage)) return;
    const { request, impersonator, requestUri, sourceIps, userAgent } = this.#subject;
    const { user, verb } = request;
    const { sink, clock, users } = this.#parts;
    const isLast = stage === "ResponseComplete" || stage === "Panic";
    let line =
      `{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"${level}"` +
      `,"auditID":"${this.auditId}","stage":"${stage}","requestURI":${quoteText(requestUri)}` +
      `,"verb":${quoteText(verb)},"user":${users.text(impersonator ?? user)}`;
    if (impersonator) line += `,"impersonatedUser":${users.text(user)}`;
    line += `,"sourceIPs":[${sourceIps.map(quoteText).join(",")}]`;
    if (userAgent) line += `,"userAgent":${quoteText(userAgent)}`;
    line += this.#objectRef();
    if (code !== undefined) line += `,"responseStatus":${this.#status(code)}`;
    if (this.#requestObject !== undefined) {
      line += `,"requestObject":${quote(this.#shown(this.#requestObject))}`;
    }
    if (isLast && this.#responseObject !== undefined) {
      line += `,"responseObject":${quote(this.#shown(this.#responseObject))}`;
    }
    line +=
      `,"requestReceivedTimestamp":"${formatMicroTime(this.#receivedMs)}"` +
      `,"stageTimestamp":"${formatMicroTime(clock.now())}"`;
    if (this.#annotations) line += `,"annotations":${quoteTexts(this.#annotations)}`;
    sink.write(`${line}}\n`);
  }

  #objectRef(): string {
    const { target } = this.#subject.request;
    if (!target) return "";
    const { group, version, resource, namespace, name = this.#name, subresource } = target;
    let text = `,"objectRef":{"resource":${quoteText(resource)}`;
    if (namespace) text += `,"namespace":${quoteText(namespace)}`;
    if (name) text += `,"name":${quoteText(name)}`;
    if (group) text += `,"apiGroup":${quoteText(group)}`;
    text += `,"apiVersion":${quoteText(version)}`;
    if (subresource) text += `,"subresource":${quoteText(subresource)}`;
    return `${text}}`;
  }

  #status(code: number): string {
    if (!this.#refusal) return `{"metadata":{},"code":${code}}`;
    const { status, message, reason } = this.#refusal;
    return quote({
      metadata: {},
      status,
      ...(message ? { message } : {}),
      ...(reason ? { reason } : {}),
      code,
    });
  }

  #shown(object: unknown): unknown {
    return this.#decision.omitManagedFields ? withoutManagedFields(object) : object;
  }
}

/** Users as the log writes them; the same few ask again and again. */
class UserTexts {
  readonly #known = new WeakMap<UserInfo, string>();

  text(user: UserInfo | undefined): string {
    if (!user) return "{}";
    let text = this.#known.get(user);
    if (text === undefined) {
      const { name, uid, groups, extra } = user;
      text = quote({
        username: name,
        ...(uid ? { uid } : {}),
        groups,
        ...(extra ? { extra } : {}),
      });
      this.#known.set(user, text);
    }
    return text;
  }
}

function quote(value: unknown): string {
  return JSON.stringify(value);
}

/** Text that JSON says as it is, as almost all text here does. */
const PLAIN = /^[ !#-[\]-~]*$/;

function quoteText(text: string): string {
  return PLAIN.test(text) ? `"${text}"` : JSON.stringify(text);
}

function quoteTexts(texts: Readonly<Record<string, string>>): string {
  let members = "";
  for (const key in texts) {
    members += `${members && ","}${quoteText(key)}:${quoteText(texts[key] ?? "")}`;
  }
  return `{${members}}`;
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
