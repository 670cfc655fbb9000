import { apiVersionOf } from "../../api/resource.ts";
import { Histogram, type MetricFamily, type Sample } from "../../lib/prometheus.ts";
import type { Query } from "../request/query.ts";
import type { Target } from "../request/target.ts";
import type { ServedResource } from "../resource-registry.ts";

/** Upper ends of upstream's buckets. */
const DURATION_SECONDS = [
  0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45,
  60,
];
const COMPONENT = "apiserver";
/** Kinds of request; there are hundreds in a busy cluster. More are not counted. */
const ROWS_MAX = 10_000;
const APPLY_PATCH = "application/apply-patch";

/** Subresources whose requests last as long as somebody listens. */
const STREAMS: ReadonlySet<string> = new Set(["attach", "exec", "log", "portforward", "proxy"]);
/** Those of them that upstream connects to, whatever the method. */
const CONNECTS: ReadonlySet<string> = new Set(["attach", "exec", "portforward", "proxy"]);

/** What a request is for. */
export interface MeteredRequest {
  method: string;
  /** The Kubernetes verb. */
  verb: string;
  target: Target;
  served: ServedResource;
  query: Query;
  /** Of the body: an apply is told from other patches. */
  contentType?: string | undefined;
}

interface RowLabels {
  verb: string;
  dry_run: string;
  group: string;
  version: string;
  resource: string;
  subresource: string;
  scope: string;
}

/** What tells the requests for one resource apart, and where they are counted. */
interface RequestKind {
  method: string;
  verb: string;
  scope: string;
  subresource: string | undefined;
  isApply: boolean;
  dryRun: string;
  row: RequestRow;
}

/** How many requests of either kind are being served. */
interface Inflight {
  mutating: number;
  readOnly: number;
}

/** Requests for the same thing: how many there were, with which answers, and how long they took. */
export class RequestRow {
  readonly labels: RowLabels;
  readonly isLong: boolean;
  readonly durations: Histogram = new Histogram(DURATION_SECONDS);
  /** By status code. */
  readonly counts: Map<number, number> = new Map();
  readonly #inflight: Inflight;
  readonly #side: keyof Inflight;
  open = 0;

  constructor(labels: RowLabels, of: { inflight: Inflight; isLong: boolean; isRead: boolean }) {
    this.labels = labels;
    this.isLong = of.isLong;
    this.#inflight = of.inflight;
    this.#side = of.isRead ? "readOnly" : "mutating";
  }

  begin(): this {
    this.open++;
    if (!this.isLong) this.#inflight[this.#side]++;
    return this;
  }

  /** Once for every `begin`. */
  end(code: number, durationMs: number): void {
    this.open--;
    if (!this.isLong) this.#inflight[this.#side]--;
    this.counts.set(code, (this.counts.get(code) ?? 0) + 1);
    this.durations.observe(durationMs / 1000);
  }
}

/** Counts and times requests as kube-apiserver does; there are as many rows as kinds of request. */
export class RequestMetrics {
  readonly #rows = new Map<string, RequestRow>();
  /** The same by what they are for, which is found without making a text of it. */
  readonly #recent = new WeakMap<ServedResource, RequestKind[]>();
  readonly #inflight: Inflight = { mutating: 0, readOnly: 0 };
  readonly #deprecated = new Set<string>();

  /** A request for a resource has begun. Undefined for what no kind has: it is not counted. */
  begin(request: MeteredRequest): RequestRow | undefined {
    const { method, verb, target, query } = request;
    const { group, version, resource, subresource } = target;
    const isApply = method === "PATCH" && request.contentType?.startsWith(APPLY_PATCH) === true;
    const dryRun = query.has("dryRun") ? "All" : "";
    const scope = scopeOf(verb, target);
    const recent = this.#recent.get(request.served) ?? [];
    for (const one of recent) {
      const isSame =
        one.method === method &&
        one.verb === verb &&
        one.scope === scope &&
        one.subresource === subresource &&
        one.isApply === isApply &&
        one.dryRun === dryRun;
      if (isSame) return one.row.begin();
    }
    const key =
      `${method}${isApply ? "+" : ""}${dryRun} ${verb} ${scope} ` +
      `${group}/${version}/${resource}/${subresource ?? ""}`;
    const row = this.#rows.get(key) ?? this.#newRow(request, { scope, dryRun, isApply });
    if (!row) return undefined;
    this.#rows.set(key, row);
    recent.push({ method, verb, scope, subresource, isApply, dryRun, row });
    this.#recent.set(request.served, recent);
    return row.begin();
  }

  /** A request for a path that is no resource, such as /readyz. */
  beginPath(path: string): RequestRow {
    const known = this.#rows.get(path);
    if (known) return known.begin();
    const nothing = { dry_run: "", group: "", version: "", resource: "", scope: "" };
    const labels = { ...nothing, verb: "GET", subresource: path };
    const row = new RequestRow(labels, { inflight: this.#inflight, isLong: false, isRead: true });
    this.#rows.set(path, row);
    return row.begin();
  }

  families(): MetricFamily[] {
    const rows = [...this.#rows.values()].toSorted((a, b) => compare(textOf(a), textOf(b)));
    const timed = (of: readonly RequestRow[]) =>
      of.flatMap(({ labels, durations }) => durations.samples({ component: COMPONENT, ...labels }));
    return [
      {
        name: "apiserver_request_total",
        type: "counter",
        help: "Requests that were answered, by what they were for and by the code of the answer.",
        samples: rows.flatMap(countSamples),
      },
      {
        name: "apiserver_request_duration_seconds",
        type: "histogram",
        help: "Seconds from the arrival of a request to the end of its answer.",
        samples: timed(rows),
      },
      {
        name: "apiserver_request_sli_duration_seconds",
        type: "histogram",
        help: "The same of requests that do not last as long as somebody listens.",
        samples: timed(rows.filter(({ isLong }) => !isLong)),
      },
      {
        name: "apiserver_request_terminations_total",
        type: "counter",
        help: "Requests that the server ended to protect itself.",
        samples: rows.flatMap(terminationSamples),
      },
      {
        name: "apiserver_current_inflight_requests",
        type: "gauge",
        help: "Requests that are being served, of those that read and of those that write.",
        samples: (["mutating", "readOnly"] as const).map((kind) => ({
          labels: { request_kind: kind },
          value: this.#inflight[kind],
        })),
      },
      {
        name: "apiserver_longrunning_requests",
        type: "gauge",
        help: "Watches and streams that are open.",
        samples: rows.filter(({ isLong }) => isLong).map(openSample),
      },
      {
        name: "apiserver_requested_deprecated_apis",
        type: "gauge",
        help: "Deprecated versions that somebody asked for since the start.",
        samples: [...this.#deprecated].map((text) => deprecatedSample(text)),
      },
    ];
  }

  #newRow(
    { method, verb, target, served }: MeteredRequest,
    of: { scope: string; dryRun: string; isApply: boolean },
  ): RequestRow | undefined {
    if (this.#rows.size >= ROWS_MAX) return undefined;
    const { group, version, resource, subresource = "" } = target;
    const { subresources } = served.resource;
    if (subresource && !subresources?.includes(subresource)) return undefined;
    const reported = reportedVerb(verb, { subresource, isApply: of.isApply });
    if (!reported) return undefined;
    if (served.deprecation) {
      this.#deprecated.add(`${apiVersionOf(served.resource)}/${resource}/${subresource}`);
    }
    return new RequestRow(
      {
        verb: reported,
        dry_run: of.dryRun,
        group,
        version,
        resource,
        subresource,
        scope: of.scope,
      },
      {
        inflight: this.#inflight,
        isLong: verb === "watch" || STREAMS.has(subresource),
        isRead: method === "GET",
      },
    );
  }
}

const VERBS: Readonly<Record<string, string>> = {
  get: "GET",
  list: "LIST",
  watch: "WATCH",
  create: "POST",
  update: "PUT",
  patch: "PATCH",
  delete: "DELETE",
  deletecollection: "DELETECOLLECTION",
};

function reportedVerb(
  verb: string,
  { subresource, isApply }: { subresource: string; isApply: boolean },
): string | undefined {
  if (CONNECTS.has(subresource)) return "CONNECT";
  return isApply ? "APPLY" : VERBS[verb];
}

function scopeOf(verb: string, { name, namespace }: Target): string {
  if (name !== undefined || verb === "create") return "resource";
  return namespace === undefined ? "cluster" : "namespace";
}

function countSamples({ labels, counts }: RequestRow): Sample[] {
  return [...counts].map(([code, value]) => ({
    labels: { code: String(code), component: COMPONENT, ...labels },
    value,
  }));
}

/** There were too many, or it took too long; evictions are refused for reasons of their own. */
function terminationSamples({ labels, counts }: RequestRow): Sample[] {
  const { dry_run: _, ...rest } = labels;
  return [429, 504].flatMap((code) => {
    const value = counts.get(code);
    if (!value || (code === 429 && rest.subresource === "eviction")) return [];
    // Reads wait for revisions that may never come.
    if (code === 504 && (rest.verb === "GET" || rest.verb === "LIST")) return [];
    return [{ labels: { code: String(code), component: COMPONENT, ...rest }, value }];
  });
}

function openSample({ labels, open }: RequestRow): Sample {
  const { dry_run: _, ...rest } = labels;
  return { labels: { component: COMPONENT, ...rest }, value: open };
}

function deprecatedSample(text: string): Sample {
  const [subresource = "", resource = "", version = "", group = ""] = text.split("/").reverse();
  return { labels: { group, version, resource, subresource, removed_release: "" }, value: 1 };
}

function textOf({ labels }: RequestRow): string {
  return Object.values(labels).join("/");
}

function compare(a: string, b: string): number {
  return a < b ? -1 : 1;
}
