import type { IncomingMessage } from "node:http";
import { StatusError } from "../../api/errors.ts";
import type { ProtobufDecoder } from "../codec/protobuf-decoder.ts";
import { PROTOBUF_TYPE } from "../codec/protobuf-media-type.ts";
import type { YamlReader } from "../codec/yaml-reader.ts";
import type { Body } from "../codec/body.ts";
import type { HttpRequest } from "./exchange.ts";
import { WholeRequest } from "./whole-request.ts";

/** Larger bodies are refused with 413. */
export const BODY_MAX_BYTES: number = 3 * 1024 * 1024;
/** Of a body that is refused. */
const DROPPED_MAX_BYTES = 64 << 20;

/** Spoken of in refusals; two older names of YAML are understood too. */
const TYPES: ReadonlySet<string> = new Set(["application/json", "application/yaml", PROTOBUF_TYPE]);
const OLD_YAML_TYPES: ReadonlySet<string> = new Set(["application/x-yaml", "text/yaml"]);
const STRATEGIC = "application/strategic-merge-patch+json";
const PATCH_TYPES: ReadonlySet<string> = new Set([
  "application/json-patch+json",
  "application/merge-patch+json",
  STRATEGIC,
  "application/apply-patch+yaml",
]);

/** Custom objects have no form in protobuf, and nothing says how to merge their lists. */
const CUSTOM_TYPES: ReadonlySet<string> = without(TYPES, PROTOBUF_TYPE);
const CUSTOM_PATCH_TYPES: ReadonlySet<string> = without(PATCH_TYPES, STRATEGIC);

/** How a body is read. */
export interface BodyOptions {
  protobuf: ProtobufDecoder;
  yaml: YamlReader;
  /** Whether it is to be an object without a protobuf form. */
  custom: boolean;
}

/**
 * The body of a request, bounded, with its media type checked: at once where all of it is there
 * and in the thread that reads it. @throws StatusError 400 | 413 | 415
 */
export function readBody(request: HttpRequest, of: BodyOptions): Body | Promise<Body> {
  const method = request.method ?? "";
  if (method === "GET" || method === "HEAD") return { kind: "none" };
  if (request instanceof WholeRequest) return bodyOf(request, request.body, of);
  return readBytes(request).then((bytes) => bodyOf(request, bytes, of));
}

function bodyOf(
  { method = "", headers }: HttpRequest,
  bytes: Uint8Array,
  of: BodyOptions,
): Body | Promise<Body> {
  if (bytes.byteLength === 0) return { kind: "none" };
  const contentType = mediaTypeOf(headers["content-type"] || "application/json");
  const accepted = acceptedOf(method, of.custom);
  const isOldYaml = method !== "PATCH" && OLD_YAML_TYPES.has(contentType);
  if (!accepted.has(contentType) && !isOldYaml) throw unsupported(accepted);
  if (contentType === PROTOBUF_TYPE) {
    return { kind: "value", value: of.protobuf.decode(bytes), contentType };
  }
  const yaml =
    contentType.endsWith("yaml") && !(contentType.startsWith("application/apply") && isJson(bytes));
  return yaml
    ? parseYaml(bytes, { contentType, reader: of.yaml })
    : { kind: "bytes", bytes, contentType };
}

/** Without parameters; most come as they are spelled here. */
function mediaTypeOf(header: string): string {
  if (TYPES.has(header) || PATCH_TYPES.has(header)) return header;
  return (header.split(";", 1)[0] ?? "").trim().toLowerCase();
}

function acceptedOf(method: string, custom: boolean): ReadonlySet<string> {
  if (method === "PATCH") return custom ? CUSTOM_PATCH_TYPES : PATCH_TYPES;
  // Options of deletions are of a built-in kind.
  return custom && method !== "DELETE" ? CUSTOM_TYPES : TYPES;
}

function without(types: ReadonlySet<string>, type: string): ReadonlySet<string> {
  return new Set([...types].filter((each) => each !== type));
}

function unsupported(accepted: ReadonlySet<string>): StatusError {
  return new StatusError(
    "UnsupportedMediaType",
    "the body of the request was in an unknown format - accepted media types " +
      `include: ${[...accepted].join(", ")}`,
  );
}

/** YAML is a superset of JSON, and JSON is what kubectl sends: spare it the slow parser. */
function isJson(bytes: Uint8Array): boolean {
  return bytes[0] === 0x7b;
}

async function parseYaml(
  bytes: Uint8Array,
  { contentType, reader }: { contentType: string; reader: YamlReader },
): Promise<Body> {
  const { value, duplicates } = await reader.read(bytes);
  if (typeof value === "object" && value !== null) {
    return { kind: "value", value, contentType, duplicates };
  }
  throw new StatusError("BadRequest", "the YAML body must be an object");
}

function readBytes(request: IncomingMessage): Promise<Uint8Array> {
  const announced = Number(request.headers["content-length"] ?? 0);
  if (announced > BODY_MAX_BYTES) return refuseLarge(request);
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let sizeBytes = 0;
    request.on("data", (chunk: Buffer) => {
      sizeBytes += chunk.byteLength;
      if (sizeBytes > BODY_MAX_BYTES) {
        request.removeAllListeners("data");
        // Settles it: the end of what is dropped must not pass for the end of a body.
        resolve(refuseLarge(request));
      } else chunks.push(chunk);
    });
    request.on("end", () => {
      resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks));
    });
    request.on("error", reject);
    request.on("aborted", () => {
      reject(new StatusError("BadRequest", "the client closed the connection"));
    });
  });
}

/**
 * Drops the rest before it answers: a connection that ends with the answer would reset a client
 * that still writes. One that sends without end gets its answer all the same.
 */
async function refuseLarge(request: IncomingMessage): Promise<never> {
  await new Promise<void>((resolve) => {
    let left = DROPPED_MAX_BYTES;
    request.on("data", ({ byteLength }: Buffer) => {
      left -= byteLength;
      if (left < 0) resolve();
    });
    for (const event of ["end", "close", "error"]) request.once(event, () => resolve());
  });
  throw new StatusError(
    "RequestEntityTooLarge",
    `Request entity too large: limit is ${BODY_MAX_BYTES}`,
  );
}
