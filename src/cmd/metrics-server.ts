import { once } from "node:events";
import { createServer } from "node:http";
import type { MetricSource } from "../apiserver/metrics/metrics-pages.ts";
import { encodeMetrics } from "../lib/prometheus.ts";
import { CommandError } from "./command-error.ts";

const TEXT = "text/plain; version=0.0.4; charset=utf-8";
const HEALTH = ["/healthz", "/livez", "/readyz"];

/**
 * Answers scrapes and probes of a part that is no API server, over plain HTTP and to everybody who
 * reaches the address. @throws CommandError when it cannot listen
 */
export async function startMetricsServer(
  { host, port }: { host: string; port: number },
  sources: readonly MetricSource[],
): Promise<AsyncDisposable> {
  const pageOf = async (path: string): Promise<string | undefined> => {
    if (HEALTH.includes(path)) return "ok";
    if (path !== "/metrics") return undefined;
    const families = await Promise.all(sources.map(async (source) => source()));
    return encodeMetrics(families.flat());
  };
  const server = createServer((request, response) => {
    const { method = "", url = "/" } = request;
    const answer = (status: number, text: string) => {
      response.writeHead(status, { "Content-Type": TEXT }).end(text);
    };
    if (method !== "GET" && method !== "HEAD") return answer(405, "only GET is allowed here\n");
    pageOf(url.split("?")[0] ?? "").then(
      (text) => (text === undefined ? answer(404, "404 page not found\n") : answer(200, text)),
      () => answer(500, "the figures cannot be read\n"),
    );
  });
  try {
    server.listen(port, host);
    await once(server, "listening");
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new CommandError(`Cannot tell metrics on ${host}:${port}: ${code}`, { cause });
  }
  return {
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => void server.close(() => resolve()));
    },
  };
}
