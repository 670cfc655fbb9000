import { ImageError } from "../agent/image/contract.ts";
import { RuntimeError } from "../agent/runtime/contract.ts";
import { StatusError } from "../api/errors.ts";
import { MESSAGES, SERVICES } from "../format/cri/generated.ts";
import {
  createMessageCodec,
  type MessageCodec,
  type Outgoing,
} from "../format/protobuf/message-codec.ts";
import { ProtobufError } from "../format/protobuf/wire-reader.ts";
import type { GrpcCall, GrpcMethod } from "./grpc-server.ts";
import { type GrpcCode, GrpcError } from "../format/grpc/grpc-status.ts";

/** Functions that answer the methods of a service. */
export type Handlers<Methods> = {
  [Name in keyof Methods]: Methods[Name] extends {
    request: infer Request;
    response: infer Response;
    streams: infer Streams;
  }
    ? Streams extends true
      ? (request: Request, call: GrpcCall) => AsyncIterable<Outgoing<Response>>
      : (request: Request, call: GrpcCall) => Promise<Outgoing<Response>> | Outgoing<Response>
    : never;
};

type Handler = (request: unknown, call: GrpcCall) => unknown;

/** Versions of the interface; their messages are the same as far as the older one goes. */
const VERSIONS = ["v1", "v1alpha2"] as const;

/** Both versions of the services, with their messages as bytes. */
export function criMethods(services: Readonly<Record<string, object>>): Map<string, GrpcMethod> {
  const codec = createMessageCodec(MESSAGES);
  const methods = new Map<string, GrpcMethod>();
  for (const [service, handlers] of Object.entries(services)) {
    for (const [name, types] of Object.entries(SERVICES[service] ?? {})) {
      const handler = (handlers as Readonly<Record<string, Handler | undefined>>)[name];
      if (!handler) continue;
      const method = grpcMethod(codec, types, handler);
      for (const version of VERSIONS) methods.set(`/runtime.${version}.${service}/${name}`, method);
    }
  }
  return methods;
}

function grpcMethod(codec: MessageCodec, types: string, handler: Handler): GrpcMethod {
  const [requestType = "", ...rest] = types.split(" ");
  const responseType = rest.at(-1) ?? "";
  const streams = rest.length > 1;
  if (streams) {
    return {
      streams,
      async *answer(bytes, call) {
        const messages = handler(decode(codec, requestType, bytes), call) as AsyncIterable<object>;
        for await (const message of messages) yield codec.encode(responseType, message);
      },
    };
  }
  return {
    streams,
    async answer(bytes, call) {
      try {
        const request = decode(codec, requestType, bytes);
        return codec.encode(responseType, (await handler(request, call)) as object);
      } catch (error) {
        throw asGrpcError(error);
      }
    },
  };
}

function decode(codec: MessageCodec, type: string, bytes: Uint8Array): unknown {
  try {
    return codec.decode(type, bytes);
  } catch (cause) {
    if (!(cause instanceof ProtobufError)) throw cause;
    const message = `Cannot read the ${type}: ${cause.message}`;
    throw new GrpcError("invalid-argument", message, { cause });
  }
}

const CODES: Readonly<Record<string, GrpcCode>> = {
  "not-found": "not-found",
  "not-running": "failed-precondition",
  "no-space": "resource-exhausted",
  "disk-full": "resource-exhausted",
  "invalid-reference": "invalid-argument",
  "in-use": "failed-precondition",
  NotFound: "not-found",
  BadRequest: "invalid-argument",
};

/** The code tells the caller what to do; only what nobody foresaw stays as it is, and is logged. */
function asGrpcError(error: unknown): unknown {
  if (error instanceof RuntimeError || error instanceof ImageError) {
    return new GrpcError(CODES[error.code] ?? "unknown", error.message, { cause: error });
  }
  if (error instanceof StatusError) {
    const code = CODES[error.status.reason ?? ""] ?? "unknown";
    return new GrpcError(code, error.message, { cause: error });
  }
  return error;
}
