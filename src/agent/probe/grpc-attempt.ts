import { STATUS_CODES } from "node:http";
import { connect, type IncomingHttpHeaders, type IncomingHttpStatusHeader } from "node:http2";
import type { GRPCAction } from "../../api/generated/types/core-v1.ts";
import { decodeGrpcMessage } from "../../format/grpc/grpc-status.ts";
import { formatGoDuration } from "../../lib/go-duration.ts";
import { type AttemptContext, type Outcome, SUCCESS } from "./outcome.ts";
import { addressOf } from "./target-address.ts";

const PREFIX_BYTES = 5;
const NANOS_PER_MS = 1_000_000n;
/** By number. Source: google.golang.org/grpc, package codes. */
const CODES: readonly string[] = (
  "OK Canceled Unknown InvalidArgument DeadlineExceeded NotFound AlreadyExists PermissionDenied " +
  "ResourceExhausted FailedPrecondition Aborted OutOfRange Unimplemented Internal Unavailable " +
  "DataLoss Unauthenticated"
).split(" ");
/** What an answer without a gRPC status means. Source: doc/http-grpc-status-mapping.md of gRPC. */
const CODES_OF_HTTP: Readonly<Record<number, string>> = {
  400: "Internal",
  401: "Unauthenticated",
  403: "PermissionDenied",
  404: "Unimplemented",
  429: "Unavailable",
  502: "Unavailable",
  503: "Unavailable",
  504: "Unavailable",
};
/** Of `grpc.health.v1.HealthCheckResponse`, by number. */
const HEALTH: readonly string[] = ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"];
const SERVING = 1;

type GrpcHeaders = IncomingHttpHeaders & IncomingHttpStatusHeader;

/** How a call ended. */
interface GrpcEnd {
  code: string;
  message: string;
  reply: Buffer;
}

/** Asks the standard health service of gRPC, over HTTP/2 without TLS; as a kubelet tells it. */
export async function attemptGrpc(action: GRPCAction, context: AttemptContext): Promise<Outcome> {
  const { target, timeoutMs, userAgent } = context;
  const address = addressOf(target.podIp, action.port);
  const within = formatGoDuration(BigInt(timeoutMs) * NANOS_PER_MS);
  const session = connect(`http://${address}`);
  const fail = (message: string): Outcome => ({ result: "failure", message });
  let settled = false;
  try {
    return await new Promise<Outcome>((resolve) => {
      const late = AbortSignal.timeout(timeoutMs);
      const unconnected = () => {
        const why = `failed to connect service "${address}" within ${within}`;
        resolve(fail(`timeout: ${why}: context deadline exceeded`));
      };
      session.once("remoteSettings", () => {
        settled = true;
        const call = { service: action.service ?? "", userAgent };
        void check(session, call).then((end) => resolve(outcomeOf(end)));
      });
      session.on("error", () => {
        if (!settled) unconnected();
      });
      late.addEventListener("abort", () => {
        if (settled) resolve(fail(`timeout: health rpc did not complete within ${within}`));
        else unconnected();
      });
    });
  } finally {
    session.destroy();
  }
}

function outcomeOf({ code, message, reply }: GrpcEnd): Outcome {
  if (code === "OK") {
    const status = statusOf(reply);
    if (status === SERVING) return SUCCESS;
    const said = HEALTH[status] ?? String(status);
    return { result: "failure", message: `service unhealthy (responded with "${said}")` };
  }
  const why =
    code === "Unimplemented"
      ? `this server does not implement the grpc health protocol (grpc.health.v1.Health): ${message}`
      : `health rpc probe failed: rpc error: code = ${code} desc = ${message}`;
  return { result: "failure", message: `error: ${why}` };
}

/** The field `status`, which is left out when it is 0. */
function statusOf(reply: Buffer): number {
  const [tag, status = 0] = reply.subarray(PREFIX_BYTES);
  return tag === 0x08 ? status : 0;
}

/** Calls `Check` once; every way in which it ends is an answer. */
function check(
  session: ReturnType<typeof connect>,
  { service, userAgent }: { service: string; userAgent: string },
): Promise<GrpcEnd> {
  return new Promise((resolve) => {
    const stream = session.request({
      ":method": "POST",
      ":path": "/grpc.health.v1.Health/Check",
      "content-type": "application/grpc",
      te: "trailers",
      "user-agent": userAgent,
    });
    const chunks: Buffer[] = [];
    let seen: GrpcHeaders = {};
    let failure: string | undefined;
    const look = (headers: GrpcHeaders) => {
      seen = { ...seen, ...headers };
    };
    stream.on("response", look);
    stream.on("trailers", look);
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("error", (error) => {
      failure = error.message;
    });
    stream.on("close", () => resolve(endOf(seen, { reply: Buffer.concat(chunks), failure })));
    stream.end(requestOf(service));
  });
}

function endOf(
  seen: GrpcHeaders,
  { reply, failure }: { reply: Buffer; failure: string | undefined },
): GrpcEnd {
  const given = seen["grpc-status"];
  if (given !== undefined) {
    const message = decodeGrpcMessage(String(seen["grpc-message"] ?? ""));
    return { code: CODES[Number(given)] ?? `Code(${String(given)})`, message, reply };
  }
  const status = seen[":status"];
  if (status === undefined || (status === 200 && failure !== undefined)) {
    return { code: "Unavailable", message: failure ?? "the stream was closed", reply };
  }
  const code = CODES_OF_HTTP[status] ?? "Unknown";
  const words = `unexpected HTTP status code received from server: ${status}`;
  return { code, message: `${words} (${STATUS_CODES[status] ?? ""})`, reply };
}

/** A `HealthCheckRequest` behind the prefix of a message. */
function requestOf(service: string): Buffer {
  const name = Buffer.from(service);
  const length =
    name.length < 0x80 ? [name.length] : [(name.length & 0x7f) | 0x80, name.length >> 7];
  const message = name.length > 0 ? Buffer.from([0x0a, ...length, ...name]) : Buffer.alloc(0);
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}
