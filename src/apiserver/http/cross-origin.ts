import type { IncomingMessage, ServerResponse } from "node:http";
import { compileRegexp } from "../../lib/regexp/regexp.ts";

/** Begins a host: the beginning of the origin, or what follows its scheme. */
const ANCHORED_START = /^\(?(\^|\/\/)/;
/** Ends a host: the end of the origin, or its port. */
const ANCHORED_END = /(\$|:)\)*$|:[^/]*$/;

/** What allowed origins are told, as kube-apiserver tells it. */
const HEADERS: readonly (readonly [string, string])[] = [
  ["Access-Control-Allow-Methods", "POST, GET, OPTIONS, PUT, DELETE, PATCH"],
  [
    "Access-Control-Allow-Headers",
    "Content-Type, Content-Length, Accept-Encoding, X-CSRF-Token, Authorization, " +
      "X-Requested-With, If-Modified-Since",
  ],
  ["Access-Control-Expose-Headers", "Date"],
  ["Access-Control-Allow-Credentials", "true"],
];

type Handle = (request: IncomingMessage, response: ServerResponse) => void;

/** @throws Error for a pattern that would let others in than it seems to */
export function requireAnchored(pattern: string): void {
  compileRegexp(pattern);
  if (!ANCHORED_START.test(pattern)) {
    throw new Error(`"${pattern}" must begin with "^" or "//", or it matches parts of hosts`);
  }
  if (!ANCHORED_END.test(pattern)) {
    throw new Error(`"${pattern}" must end with "$" or ":", or it matches parts of hosts`);
  }
}

/**
 * Lets pages of the origins that match a pattern read answers (CORS). Their preflights are answered
 * here, as browsers send them without credentials; who may do what is decided as ever.
 */
export function allowOrigins(patterns: readonly string[], handle: Handle): Handle {
  const allowed = patterns.map((pattern) => compileRegexp(pattern));
  return (request, response) => {
    const { origin } = request.headers;
    if (!origin || !allowed.some((pattern) => pattern.test(origin))) {
      return handle(request, response);
    }
    response.setHeader("Access-Control-Allow-Origin", origin);
    for (const [name, value] of HEADERS) response.setHeader(name, value);
    if (request.method !== "OPTIONS") return handle(request, response);
    response.writeHead(204);
    response.end();
    request.resume();
  };
}
