import type { Page } from "./page.ts";
import type { StreamExchange } from "./exchange.ts";

const YEAR_MS = 366 * 86_400_000;

/** Sends a page, unless the client says that it has it already. */
export function sendPage(
  { request, response, headers: further }: Pick<StreamExchange, "response" | "request" | "headers">,
  page: Page,
  nowMs: number,
): void {
  const headers = [
    "Vary",
    "Accept",
    "Cache-Control",
    page.immutable ? "public, immutable" : "public",
    ...further,
  ];
  if (page.immutable) headers.push("Expires", new Date(nowMs + YEAR_MS).toUTCString());
  if (page.etag) headers.push("Etag", page.etag);
  if (page.location !== undefined) {
    headers.push("Location", page.location, "Content-Length", "0");
    response.writeHead(301, headers);
    response.end();
    return;
  }
  if (page.etag && names(request.headers["if-none-match"], page.etag)) {
    response.writeHead(304, headers);
    response.end();
    return;
  }
  const { contentType, bytes } = page;
  headers.push("Content-Type", contentType, "Content-Length", String(bytes.byteLength));
  response.writeHead(page.status ?? 200, headers);
  response.end(bytes);
}

/** Whether If-None-Match names the tag (RFC 9110 section 13.1.2): in a list, weak, or by "*". */
function names(header: string | undefined, etag: string): boolean {
  if (!header) return false;
  return header.split(",").some((each) => {
    const tag = each.trim().replace(/^W\//, "");
    return tag === etag || tag === "*";
  });
}
