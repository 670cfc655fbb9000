import type { ApiRequest, Transport } from "../api/transport.ts";
import { StatusError } from "../api/errors.ts";
import type { Clock } from "../lib/clock.ts";
import { Histogram, type MetricFamily } from "../lib/prometheus.ts";

/** Upper ends of client-go's buckets, in seconds. */
const SECONDS = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60];
/** What client-go counts requests under that no server answered. */
const NO_ANSWER = "<error>";

/** A transport that counts what it is asked, and tells of it under client-go's names. */
export interface MeasuredTransport extends Transport {
  metrics(): MetricFamily[];
}

/** Counts requests to `host` by method and code; watches count when the server accepts them. */
export function measured(
  transport: Transport,
  { clock, host }: { clock: Clock; host: string },
): MeasuredTransport {
  const counts = new Map<string, { labels: Record<string, string>; value: number }>();
  const durations = new Map<string, Histogram>();
  const count = (method: string, code: string) => {
    const key = `${method} ${code}`;
    const row = counts.get(key) ?? { labels: { code, host, method }, value: 0 };
    row.value++;
    counts.set(key, row);
  };
  const observe = async <T extends { status: number } | Disposable>(
    { method }: ApiRequest,
    send: () => Promise<T>,
  ): Promise<T> => {
    const sinceMs = clock.monotonicMs();
    try {
      const answer = await send();
      count(method, "status" in answer ? String(answer.status) : "200");
      return answer;
    } catch (error) {
      count(method, error instanceof StatusError ? String(error.code) : NO_ANSWER);
      throw error;
    } finally {
      const times = durations.get(method) ?? new Histogram(SECONDS);
      durations.set(method, times);
      times.observe((clock.monotonicMs() - sinceMs) / 1000);
    }
  };
  return {
    request: (request) => observe(request, () => transport.request(request)),
    watch: (request, sink) => observe(request, () => transport.watch(request, sink)),
    metrics: () => [
      {
        name: "rest_client_requests_total",
        type: "counter",
        help: "Requests to the API server by the code of their answer.",
        samples: [...counts.values()],
      },
      {
        name: "rest_client_request_duration_seconds",
        type: "histogram",
        help: "Seconds until a request was answered.",
        samples: [...durations].flatMap(([verb, times]) => times.samples({ host, verb })),
      },
    ],
  };
}
