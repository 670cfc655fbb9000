import type { ApiRequest, ApiResponse, Transport, WatchSink } from "../../../src/api/transport.ts";

/** Versions that 1.20 serves under an earlier name, in the same shape. */
const EARLIER: readonly { ours: string; theirs: string; resource: RegExp }[] = [
  { ours: "batch/v1", theirs: "batch/v1beta1", resource: /\/cronjobs\b/ },
  { ours: "policy/v1", theirs: "policy/v1beta1", resource: /\/poddisruptionbudgets\b/ },
  {
    ours: "discovery.k8s.io/v1",
    theirs: "discovery.k8s.io/v1beta1",
    resource: /\/endpointslices\b/,
  },
  {
    ours: "autoscaling/v2",
    theirs: "autoscaling/v2beta2",
    resource: /\/horizontalpodautoscalers\b/,
  },
];

type Entry = (typeof EARLIER)[number];

function entryOf(path: string): Entry | undefined {
  return EARLIER.find(({ ours, resource }) => {
    return path.startsWith(`/apis/${ours}/`) && resource.test(path);
  });
}

function pathFor(path: string, { ours, theirs }: Entry): string {
  return path.replace(`/apis/${ours}/`, `/apis/${theirs}/`);
}

/** The value with `from` instead of `to` wherever an apiVersion stands. */
function withVersion<T>(value: T, from: string, to: string): T {
  return JSON.parse(
    JSON.stringify(value).replaceAll(`"apiVersion":"${from}"`, `"apiVersion":"${to}"`),
  ) as T;
}

/** Lets controllers of today work for an API server of 1.20. */
export function olderVersions(inner: Transport): Transport {
  return {
    async request(request: ApiRequest): Promise<ApiResponse> {
      const entry = entryOf(request.path);
      if (!entry) return inner.request(request);
      const { body, ...rest } = request;
      const sent =
        body === undefined || body instanceof Uint8Array
          ? body
          : withVersion(body, entry.ours, entry.theirs);
      const path = pathFor(request.path, entry);
      const answer = await inner.request({ ...rest, path, ...(sent ? { body: sent } : {}) });
      return { ...answer, body: withVersion(answer.body, entry.theirs, entry.ours) };
    },
    watch(request: ApiRequest, sink: WatchSink): Promise<Disposable> {
      const entry = entryOf(request.path);
      if (!entry) return inner.watch(request, sink);
      const path = pathFor(request.path, entry);
      return inner.watch(
        { ...request, path },
        {
          event: (type, object) => sink.event(type, withVersion(object, entry.theirs, entry.ours)),
          closed: (error) => sink.closed(error),
        },
      );
    },
  };
}
