import type { NodeRequest } from "./node-request.ts";
import type { IncomingMessage } from "node:http";
import http from "node:http";
import https from "node:https";
import type { Duplex } from "node:stream";
import { methodNotAllowed, StatusError } from "../../api/errors.ts";
import type { AdmissionPlugin, AdmissionRequest } from "../contract.ts";
import type { Engine } from "../engine.ts";
import { mutate, validate } from "../rest/admission.ts";
import { answerHeaders, answerOf, isForwarded, relayUpgrade } from "../remote/relay.ts";
import type { StreamExchange } from "../http/exchange.ts";
import { connectOptions } from "./connect-options.ts";
import type { Target } from "../request/target.ts";
import type { ServedResource } from "../resource-registry.ts";
import { kubeletAgent, type KubeletTls } from "./kubelet-client.ts";
import { judgeLogOptions } from "./log-options.ts";
import { belowProxy, rewriteLinks } from "./proxied-links.ts";
import { proxiedPath } from "./proxied-path.ts";
import {
  containerOf,
  type Endpoint,
  hostOf,
  kubeletOf,
  parseProxyName,
  podEndpoint,
  podOf,
  serviceEndpoint,
} from "./node-address.ts";

/** Where to send it. */
interface Destination extends Endpoint {
  tls: boolean;
  /** The path that clients reach a pod's server by; absent when a kubelet answers. */
  prefix?: string;
  /** With query. */
  path: string;
}

const CONNECTED: ReadonlySet<string> = new Set([
  "pods/log",
  "pods/exec",
  "pods/attach",
  "pods/portforward",
  "pods/proxy",
  "services/proxy",
  "nodes/proxy",
]);
const CONNECT_TIMEOUT_MS = 10_000;

/** Query of the API and the same in the words of the kubelet. */
const STREAM_PARAMETERS: Readonly<Record<string, string>> = {
  stdin: "input",
  stdout: "output",
  stderr: "error",
  tty: "tty",
};

/** Forwards logs, exec, attach, port-forward and proxy requests to where the pods are. */
export class KubeletProxy {
  readonly #engine: Engine;
  readonly #agent: https.Agent;
  /** Pods sign their own certificates, and this server's must not be shown to them. */
  readonly #podAgent = new https.Agent({ keepAlive: false, rejectUnauthorized: false });

  constructor(engine: Engine, tls: KubeletTls | undefined) {
    this.#engine = engine;
    this.#agent = kubeletAgent(tls, false);
  }

  handles(served: ServedResource, target: Target): boolean {
    const { subresource } = target;
    if (subresource === undefined || served.resource.group !== "") return false;
    return CONNECTED.has(`${served.resource.plural}/${subresource}`);
  }

  /** An ordinary request: logs, or anything proxied. */
  async request(
    exchange: Pick<StreamExchange, "request" | "response" | "headers">,
    node: NodeRequest,
  ): Promise<void> {
    const { request, response } = exchange;
    const { method = "GET" } = request;
    const destination = await this.#destination(method, node);
    if (isRoot(node.target) && (method === "GET" || method === "HEAD")) {
      return redirectToRoot(exchange);
    }
    const outgoing = this.#dial(request, destination, forwardedHeaders(request, node.target));
    const incoming = await answerOf(outgoing, () => request.pipe(outgoing), response).catch(
      (error: Error) => {
        throw unreachable(destination, error);
      },
    );
    const { prefix } = destination;
    const isHtml = prefix !== undefined && isPlainHtml(incoming);
    const headers = answerHeaders(incoming.rawHeaders, exchange.headers, (name, value) => {
      if (isHtml && name === "content-length") return undefined;
      return prefix !== undefined && name === "location" ? belowProxy(value, prefix) : value;
    });
    response.writeHead(incoming.statusCode ?? 502, headers);
    response.flushHeaders();
    response.on("close", () => incoming.destroy());
    incoming.on("error", () => response.destroy());
    if (isHtml) incoming.pipe(rewriteLinks(prefix)).pipe(response);
    else incoming.pipe(response);
  }

  /** A request that turns its connection into a stream: forwards the handshake, then bytes. */
  async upgrade(
    request: IncomingMessage,
    node: NodeRequest & { socket: Duplex; head: Buffer },
  ): Promise<void> {
    const { socket, head } = node;
    const destination = await this.#destination(request.method ?? "GET", node);
    const outgoing = this.#dial(request, destination, {
      connection: "Upgrade",
      upgrade: request.headers.upgrade ?? "",
    });
    await relayUpgrade(outgoing, { socket, head }).catch((error: Error) => {
      throw unreachable(destination, error);
    });
  }

  close(): void {
    this.#agent.destroy();
    this.#podAgent.destroy();
  }

  #dial(
    request: IncomingMessage,
    destination: Destination,
    extra: Record<string, string>,
  ): http.ClientRequest {
    const { host, port, path, tls, prefix } = destination;
    const headers: Record<string, string | string[]> = { ...extra };
    for (const [name, value] of Object.entries(request.headers)) {
      if (value === undefined || !isForwarded(name)) continue;
      headers[name] ??= value;
    }
    if (request.headers["transfer-encoding"]) headers["transfer-encoding"] = "chunked";
    const method = request.method ?? "GET";
    const options = { host, port, path, method, headers, timeout: CONNECT_TIMEOUT_MS };
    const outgoing = tls
      ? https.request({ ...options, agent: prefix === undefined ? this.#agent : this.#podAgent })
      : http.request({ ...options, agent: false });
    // Only connecting is bounded: logs and streams may rest for as long as they like.
    outgoing.once("timeout", () => {
      if (outgoing.socket?.connecting) outgoing.destroy(new Error("timed out"));
    });
    outgoing.once("socket", (socket) => {
      socket.once("connect", () => socket.setTimeout(0));
    });
    return outgoing;
  }

  async #destination(method: string, node: NodeRequest): Promise<Destination> {
    const { target, served } = node;
    const { registry } = this.#engine;
    checkMethod(method, target.subresource);
    if (target.subresource === "proxy") {
      await this.#admit(node);
      return this.#proxied(node);
    }
    const at = { namespace: target.namespace ?? "", name: target.name ?? "" };
    if (target.subresource === "log") judgeLogOptions(at.name, node.query);
    const pod = podOf(registry, at);
    const kubelet = kubeletOf(registry, hostOf(pod));
    await this.#admit(node);
    const path = kubeletPath(pod.metadata.name ?? "", node, () =>
      containerOf(pod, node.query.get("container")),
    );
    if (path === undefined) {
      throw new StatusError("MethodNotAllowed", `${served.resource.plural} do not offer this`);
    }
    return { ...kubelet, tls: true, path };
  }

  async #proxied(node: NodeRequest): Promise<Destination> {
    const { target, served, rawQuery } = node;
    const { registry } = this.#engine;
    const { scheme, name, port } = parseProxyName(target.name ?? "");
    const namespace = target.namespace ?? "";
    const path = `${proxiedPath(target.subpath ?? "")}${rawQuery ? `?${rawQuery}` : ""}`;
    const tls = scheme === "https";
    const { plural } = served.resource;
    const prefix = `/api/v1/namespaces/${namespace}/${plural}/${target.name}/proxy`;
    switch (plural) {
      case "nodes":
        return { ...kubeletOf(registry, name), tls: true, path };
      case "services":
        return {
          ...serviceEndpoint(registry, { namespace, name, port, asked: target.name }),
          tls,
          path,
          prefix,
        };
      default:
        return { ...podEndpoint(podOf(registry, { namespace, name }), port), tls, path, prefix };
    }
  }

  /** Everything but logs is admitted as CONNECT. */
  async #admit(node: NodeRequest): Promise<void> {
    const { target, served, user } = node;
    if (target.subresource === "log") return;
    const plugins: readonly AdmissionPlugin[] = this.#engine.admission;
    const request: AdmissionRequest = {
      operation: "CONNECT",
      resource: served.resource,
      object: connectOptions(node),
      name: target.name ?? "",
      user,
      dryRun: false,
      warn: () => {},
      ...(target.subresource ? { subresource: target.subresource } : {}),
      ...(target.namespace ? { namespace: target.namespace } : {}),
    };
    await mutate(plugins, request);
    await validate(plugins, request);
  }
}

/** Whether the root of a server is asked for by the proxy's own name, against which links break. */
function isRoot({ subresource, subpath }: Target): boolean {
  return subresource === "proxy" && subpath === undefined;
}

function redirectToRoot({
  request,
  response,
  headers,
}: Pick<StreamExchange, "request" | "response" | "headers">): void {
  const [path, query] = (request.url ?? "").split(/\?(.*)/s);
  const location = `${path}/${query ? `?${query}` : ""}`;
  response.writeHead(301, [...headers, "location", location, "content-length", "0"]);
  response.end();
}

/** What a proxied server is told of how it was reached. */
function forwardedHeaders(
  { socket, headers }: IncomingMessage,
  { resource, namespace, name = "", subresource, subpath = "" }: Target,
): Record<string, string> {
  if (subresource !== "proxy") return {};
  const above = resource === "nodes" ? "" : `/namespaces/${namespace}`;
  const before = headers["x-forwarded-for"];
  const client = (socket.remoteAddress ?? "").replace(/^::ffff:/, "");
  return {
    "x-forwarded-for": before === undefined ? client : `${String(before)}, ${client}`,
    "x-forwarded-uri": `/api/v1${above}/${resource}/${name}/proxy${proxiedPath(subpath)}`,
  };
}

/** Logs are read, streams are opened by either method, and proxies pass on what comes. */
function checkMethod(method: string, subresource: string | undefined): void {
  if (subresource === "proxy" || method === "GET" || method === "HEAD") return;
  if (method !== "POST" || subresource === "log") throw methodNotAllowed();
}

function kubeletPath(
  pod: string,
  { target, query, rawQuery }: NodeRequest,
  container: () => string,
): string | undefined {
  const at = `${target.namespace}/${pod}`;
  const parameters: string[] = [];
  const add = (name: string, value: string) =>
    parameters.push(`${name}=${encodeURIComponent(value)}`);
  const suffix = () => (parameters.length > 0 ? `?${parameters.join("&")}` : "");
  switch (target.subresource) {
    case "log":
      return `/containerLogs/${at}/${container()}${rawQuery ? `?${rawQuery}` : ""}`;
    case "exec":
    case "attach": {
      for (const [name, kubelet] of Object.entries(STREAM_PARAMETERS)) {
        if (query.flag(name)) add(kubelet, "1");
      }
      for (const argument of query.all("command")) add("command", argument);
      return `/${target.subresource}/${at}/${container()}${suffix()}`;
    }
    case "portforward":
      for (const port of query.all("ports")) add("port", port);
      return `/portForward/${at}${suffix()}`;
    default:
      return undefined;
  }
}

function unreachable(endpoint: Endpoint, error: Error): StatusError {
  return new StatusError(
    "ServiceUnavailable",
    `error trying to reach ${endpoint.host}:${endpoint.port}: ${error.message}`,
    { cause: error },
  );
}

/** Links in compressed pages stay as they are. */
function isPlainHtml({ headers }: IncomingMessage): boolean {
  const isHtml = headers["content-type"]?.startsWith("text/html") ?? false;
  return isHtml && (headers["content-encoding"] ?? "identity") === "identity";
}
