import type { IncomingMessage, ServerResponse } from "node:http";
import { askedAuditId } from "../audit/audit-ids.ts";
import { splitPath } from "../request/query.ts";
import { parseTarget } from "../request/target.ts";
import { traceparentOf } from "./span.ts";
import type { Tracer } from "./tracer.ts";

type Handle = (request: IncomingMessage, response: ServerResponse) => void;

/** Records requests that are chosen, from their arrival to the end of their answer. */
export function traceRequests(tracer: Tracer, handle: Handle): Handle {
  return (request, response) => {
    if (!tracer.samples()) return handle(request, response);
    const span = tracer.beginRequest(nameOf(request), request.headers["traceparent"]);
    // Whoever the request is handed on to belongs to this trace.
    request.headers["traceparent"] = traceparentOf(span.context);
    // Chosen here, where it is known: it leads from the trace to the audit log.
    const asked = request.headers["audit-id"] as string | undefined;
    request.headers["audit-id"] = askedAuditId(asked) ?? tracer.newAuditId();
    response.once("close", () => {
      const { statusCode } = response;
      const failure = statusCode >= 500 ? response.statusMessage || `${statusCode}` : undefined;
      span.end({ attributes: attributesOf(request, response), failure });
    });
    tracer.run(span, () => handle(request, response));
  };
}

/** "GET /api/v1/namespaces/{:namespace}/pods/{:name}/log"; of other paths the method alone. */
function nameOf({ method = "GET", url = "/" }: IncomingMessage): string {
  const target = parseTarget(splitPath(url).path);
  if (!target) return method;
  const { group, version, namespace, resource, name, subresource } = target;
  const parts = [
    ...(group ? ["apis", group] : ["api"]),
    version,
    ...(namespace ? ["namespaces", "{:namespace}"] : []),
    resource,
    ...(name ? ["{:name}"] : []),
    ...(subresource ? [subresource] : []),
  ];
  return `${method} /${parts.join("/")}`;
}

function attributesOf(
  { method = "", url = "", headers, socket }: IncomingMessage,
  response: ServerResponse,
): Record<string, string | number> {
  return {
    "http.method": method,
    "http.scheme": "https",
    "http.target": url,
    "http.status_code": response.statusCode,
    "net.host.name": headers.host ?? "",
    "net.sock.peer.addr": socket.remoteAddress ?? "",
    "net.sock.peer.port": socket.remotePort ?? 0,
    "user_agent.original": headers["user-agent"] ?? "",
    "audit-id": String(headers["audit-id"]),
  };
}
