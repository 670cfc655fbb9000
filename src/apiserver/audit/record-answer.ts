import { decodeJson } from "../../format/json-decode.ts";
import { listValueOf } from "../http/representations.ts";
import type { Body } from "../codec/body.ts";
import type { Answer } from "../rest/call.ts";
import type { AuditRecord } from "./audit-log.ts";

/** Notes what the client sent, when that is wanted. */
export function recordBody(record: AuditRecord | undefined, body: Body): void {
  if (!record?.wantsRequest || body.kind === "none") return;
  record.requested(body.kind === "value" ? body.value : parse(body.bytes));
}

/** Notes what goes back, when that is wanted, and in any case the name of a new object. */
export function recordAnswer(record: AuditRecord | undefined, answer: Answer): void {
  if (!record) return;
  if (answer.kind === "object") {
    const { key } = answer.object;
    record.named(key.slice(key.lastIndexOf("/") + 1));
  }
  if (!record.wantsResponse) return;
  switch (answer.kind) {
    case "object":
      return record.answered(answer.object.object());
    case "list":
      return record.answered(listValueOf(answer.served, answer.list));
    case "value":
      return record.answered(answer.value);
  }
}

function parse(bytes: Uint8Array): unknown {
  try {
    return decodeJson(bytes).value;
  } catch {
    return undefined;
  }
}
