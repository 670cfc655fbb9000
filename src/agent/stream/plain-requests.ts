import type { IncomingMessage, ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import { StatusError } from "../../api/errors.ts";
import type { Pod } from "../../api/generated/types/core-v1.ts";
import type { Clock } from "../../lib/clock.ts";
import type { MetricsKind, StreamBackend } from "./contract.ts";
import { logOptionsOf, parseStreamRequest } from "./stream-request.ts";

const METRICS: ReadonlyMap<string, MetricsKind> = new Map([
  ["/metrics", "agent"],
  ["/metrics/resource", "resource"],
  ["/metrics/cadvisor", "cadvisor"],
  ["/metrics/probes", "probes"],
]);

const CHECKPOINT = "/checkpoint/";

/** Answers what is no stream in both directions. @throws StatusError */
export async function answerRequest(
  backend: StreamBackend,
  exchange: { request: IncomingMessage; response: ServerResponse; clock: Clock },
): Promise<void> {
  const { request, response } = exchange;
  const [path = ""] = (request.url ?? "").split("?", 1);
  const metrics = METRICS.get(path);
  if (metrics) {
    return send(
      response,
      "text/plain; version=0.0.4; charset=utf-8",
      await backend.metrics(metrics),
    );
  }
  switch (path) {
    case "/healthz":
    case "/healthz/ping":
    case "/healthz/log":
    case "/healthz/syncloop":
      return send(response, "text/plain", "ok");
    case "/pods":
      return send(response, "application/json", podList(backend.pods()));
    case "/runningpods":
    case "/runningpods/":
      return send(response, "application/json", podList(runningPods(backend.pods())));
    case "/configz":
      return sendJson(response, { kubeletconfig: backend.configuration() });
    case "/stats/summary":
      return sendJson(response, await backend.statsSummary());
    default:
      if (path.startsWith(CHECKPOINT)) return refuseCheckpoint(backend, { request, path });
      return await sendLog(backend, exchange);
  }
}

function podList(items: readonly Pod[]): string {
  return JSON.stringify({ kind: "PodList", apiVersion: "v1", metadata: {}, items });
}

/** Of pods whose containers run: who they are, and these containers with their images. */
function runningPods(pods: readonly Pod[]): Pod[] {
  return pods.flatMap(({ metadata, spec, status }) => {
    const statuses = [
      ...(status?.initContainerStatuses ?? []),
      ...(status?.containerStatuses ?? []),
      ...(status?.ephemeralContainerStatuses ?? []),
    ];
    const containers = statuses
      .filter(({ state }) => state?.running)
      .map(({ name, image }) => ({ name, image, resources: {} }));
    if (containers.length === 0) return [];
    const { name, namespace, uid } = metadata ?? {};
    const who = { ...(name && { name }), ...(namespace && { namespace }), ...(uid && { uid }) };
    const nodeName = spec?.nodeName;
    return [{ metadata: who, spec: { containers, ...(nodeName && { nodeName }) }, status: {} }];
  });
}

function send(response: ServerResponse, contentType: string, body: string): void {
  response.writeHead(200, { "content-type": contentType });
  response.end(body);
}

function sendJson(response: ServerResponse, value: unknown): void {
  send(response, "application/json", JSON.stringify(value));
}

/** @throws StatusError */
function refuseCheckpoint(
  backend: StreamBackend,
  { request, path }: { request: IncomingMessage; path: string },
): never {
  const [namespace, name, container, ...more] = path
    .slice(CHECKPOINT.length)
    .split("/")
    .map(decodeURIComponent);
  if (!namespace || !name || !container || more.length > 0) {
    throw new StatusError("NotFound", `the node has no "${path}"`);
  }
  if (request.method !== "POST")
    throw new StatusError("MethodNotAllowed", "checkpoints are made by POST");
  return backend.checkpoint({ namespace, name, container });
}

async function sendLog(
  backend: StreamBackend,
  {
    request,
    response,
    clock,
  }: { request: IncomingMessage; response: ServerResponse; clock: Clock },
): Promise<void> {
  const { verb, target, query } = parseStreamRequest(request);
  if (verb !== "containerLogs") {
    throw new StatusError("BadRequest", "Upgrade request required");
  }
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  const log = await backend.logs(target, logOptionsOf(query, clock.now()), gone.signal);
  response.writeHead(200, { "content-type": "text/plain" });
  response.flushHeaders();
  try {
    await pipeline(log, response);
  } catch (error) {
    if (!gone.signal.aborted) throw error;
  }
}
