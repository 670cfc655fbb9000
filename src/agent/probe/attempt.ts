import { request as httpRequest } from "node:http";
import { connect as http2Connect } from "node:http2";
import { request as httpsRequest } from "node:https";
import { connect } from "node:net";
import type {
  ExecAction,
  GRPCAction,
  HTTPGetAction,
  TCPSocketAction,
} from "../../api/generated/types/core-v1.ts";
import type { ContainerRuntime } from "../runtime/contract.ts";
import type { ProbeTarget } from "./contract.ts";
import {
  commandTimedOut,
  dialFailure,
  REQUEST_TIMED_OUT,
  requestFailure,
} from "./failure-words.ts";

/** What a probe or a hook can do; exactly one field is set. */
export interface ProbeAction {
  exec?: ExecAction;
  httpGet?: HTTPGetAction;
  tcpSocket?: TCPSocketAction;
  grpc?: GRPCAction;
}

/** Why an attempt failed; `undefined` means that it succeeded. */
export type AttemptFailure = string | undefined;

/** Surroundings of an attempt. */
export interface AttemptContext {
  target: ProbeTarget;
  runtime: ContainerRuntime;
  timeoutMs: number;
  /** "kube-probe/1.32" or "kube-lifecycle/1.32". */
  userAgent: string;
}

const BODY_MAX_BYTES = 10 << 10;

/** Performs one attempt; never throws. */
export async function attempt(
  action: ProbeAction,
  context: AttemptContext,
): Promise<AttemptFailure> {
  try {
    if (action.exec) return await attemptExec(action.exec, context);
    if (action.httpGet) return await attemptHttp(action.httpGet, context);
    if (action.tcpSocket) return await attemptTcp(action.tcpSocket, context);
    if (action.grpc) return await attemptGrpc(action.grpc, context);
    return "the probe names no action";
  } catch (error) {
    return (error as Error).message;
  }
}

async function attemptExec({ command }: ExecAction, context: AttemptContext) {
  const { runtime, target, timeoutMs } = context;
  const result = await runtime.execSync(target.containerId, command ?? [], timeoutMs);
  if (result.timedOut) return commandTimedOut(command ?? [], timeoutMs);
  return result.exitCode === 0 ? undefined : `${result.stdout}${result.stderr}`.trim();
}

/** A number, or the name of one of the container's ports. @throws Error for an unknown name */
export function portOf(port: number | string, { container }: ProbeTarget): number {
  if (typeof port === "number") return port;
  const named = container.ports?.find(({ name }) => name === port)?.containerPort;
  const number = named ?? Number(port);
  if (!(number > 0)) throw new Error(`couldn't find port: "${port}"`);
  return number;
}

const addressOf = (host: string | undefined, port: number): string =>
  host?.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;

function attemptHttp(action: HTTPGetAction, context: AttemptContext): Promise<AttemptFailure> {
  const { target, timeoutMs, userAgent } = context;
  const host = action.host || target.podIp;
  const port = portOf(action.port, target);
  const headers: Record<string, string> = { "user-agent": userAgent, accept: "*/*" };
  for (const { name, value } of action.httpHeaders ?? []) headers[name.toLowerCase()] = value;
  const secure = action.scheme === "HTTPS";
  const options = { host, port, path: action.path || "/", headers, agent: false as const };
  return new Promise((resolve) => {
    const request = secure
      ? httpsRequest({ ...options, rejectUnauthorized: false })
      : httpRequest(options);
    // One timer for the whole exchange: a server that trickles bytes must not keep it alive.
    const signal = AbortSignal.timeout(timeoutMs);
    signal.addEventListener("abort", () => request.destroy(new Error(REQUEST_TIMED_OUT)));
    request.on("error", (error) => {
      const address = addressOf(host, port);
      const url = `${secure ? "https" : "http"}://${address}${options.path}`;
      resolve(requestFailure(url, error, address));
    });
    request.on("response", (response) => {
      let size = 0;
      response.on("error", () => {});
      response.on("data", (chunk: Buffer) => {
        size += chunk.length;
        if (size > BODY_MAX_BYTES) response.destroy();
      });
      response.on("close", () => {
        const status = response.statusCode ?? 0;
        const healthy = status >= 200 && status < 400;
        resolve(healthy ? undefined : `HTTP probe failed with statuscode: ${status}`);
      });
    });
    request.end();
  });
}

function attemptTcp(action: TCPSocketAction, context: AttemptContext): Promise<AttemptFailure> {
  const { target, timeoutMs } = context;
  const host = action.host || target.podIp;
  const port = portOf(action.port, target);
  const address = addressOf(host, port);
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const finish = (failure?: string) => {
      socket.destroy();
      resolve(failure);
    };
    socket.setTimeout(timeoutMs, () => finish(`dial tcp ${address}: i/o timeout`));
    socket.once("connect", () => finish());
    socket.once("error", (error) => finish(dialFailure(address, error)));
  });
}

const GRPC_SERVING = 1;

/** The standard health service of gRPC, over HTTP/2 without TLS. */
function attemptGrpc(action: GRPCAction, context: AttemptContext): Promise<AttemptFailure> {
  const { target, timeoutMs, userAgent } = context;
  const service = Buffer.from(action.service ?? "");
  const message = service.length > 0 ? [0x0a, service.length, ...service] : [];
  const session = http2Connect(`http://${target.podIp}:${action.port}`);
  return new Promise<AttemptFailure>((resolve) => {
    session.on("error", (error) => resolve(error.message));
    const stream = session.request({
      ":method": "POST",
      ":path": "/grpc.health.v1.Health/Check",
      "content-type": "application/grpc",
      te: "trailers",
      "user-agent": userAgent,
    });
    const chunks: Buffer[] = [];
    stream.setTimeout(timeoutMs, () => resolve("timeout: health rpc did not complete"));
    stream.on("error", (error) => resolve(error.message));
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("end", () => {
      const reply = Buffer.concat(chunks);
      const status = reply[5] === 0x08 ? reply[6] : 0;
      resolve(status === GRPC_SERVING ? undefined : `service unhealthy (status ${status})`);
    });
    stream.end(Buffer.from([0, 0, 0, 0, message.length, ...message]));
  }).finally(() => session.destroy());
}
