import type { IncomingMessage } from "node:http";
import { StatusError } from "../../api/errors.ts";
import type { ContainerTarget, LogOptions } from "./contract.ts";

/** What a request to the node's endpoint is about. */
export interface StreamRequest {
  verb: "containerLogs" | "exec" | "attach" | "portForward";
  /** `container` is "" for port-forward. */
  target: ContainerTarget;
  query: URLSearchParams;
}

const VERBS: readonly string[] = ["containerLogs", "exec", "attach", "portForward"];

/**
 * Parses `/exec/NAMESPACE/POD[/UID]/CONTAINER` and its likes. @throws StatusError NotFound
 */
export function parseStreamRequest(request: IncomingMessage): StreamRequest {
  const [path = "", query = ""] = (request.url ?? "").split("?", 2);
  const [, verb = "", ...parts] = path.split("/").map(decodeURIComponent);
  const named = verb === "portForward" ? 2 : 3;
  if (!VERBS.includes(verb) || (parts.length !== named && parts.length !== named + 1)) {
    throw new StatusError("NotFound", `the node has no "${path}"`);
  }
  const [namespace = "", name = ""] = parts;
  const uid = parts.length > named ? parts[2] : undefined;
  const container = verb === "portForward" ? "" : (parts.at(-1) ?? "");
  return {
    verb: verb as StreamRequest["verb"],
    target: { namespace, name, container, ...(uid ? { uid } : {}) },
    query: new URLSearchParams(query),
  };
}

/** A flag under the kubelet's name or the API's. */
export function flag(query: URLSearchParams, ...names: readonly string[]): boolean {
  return names.some((name) => ["1", "true"].includes(query.get(name) ?? ""));
}

/** Options of `containerLogs`. @throws StatusError BadRequest, or Invalid below zero */
export function logOptionsOf(query: URLSearchParams, nowMs: number): LogOptions {
  const number = (name: string, text = query.get(name)): number | undefined => {
    if (text === null || text === "") return undefined;
    const value = Number(text);
    if (Number.isInteger(value) && value >= 0) return value;
    const reason = Number.isInteger(value) ? "Invalid" : "BadRequest";
    throw new StatusError(reason, `${name} must be a whole number, not "${text}"`);
  };
  const sinceSeconds = number("sinceSeconds");
  const sinceTime = Date.parse(query.get("sinceTime") ?? "");
  const sinceTimeMs = sinceSeconds === undefined ? sinceTime : nowMs - sinceSeconds * 1000;
  // The name that kubelets knew first.
  const tail = query.get("tail") || query.get("tailLines");
  const tailLines = number("tailLines", query.get("tail") === "all" ? null : tail);
  const limitBytes = number("limitBytes");
  return {
    follow: flag(query, "follow"),
    previous: flag(query, "previous"),
    timestamps: flag(query, "timestamps"),
    ...(Number.isNaN(sinceTimeMs) ? {} : { sinceTimeMs }),
    ...(tailLines === undefined ? {} : { tailLines }),
    ...(limitBytes === undefined ? {} : { limitBytes }),
  };
}

/** Ports of a forward that names them in its query; what is no port is left out. */
export function portsOf(query: URLSearchParams): number[] {
  return query
    .getAll("port")
    .flatMap((text) => text.split(","))
    .map(Number)
    .filter((port) => Number.isInteger(port) && port > 0 && port < 65_536);
}
