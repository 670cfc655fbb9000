/** One value with its labels; `atMs` is told only where the reading is older than the answer. */
export interface Sample {
  labels?: Readonly<Record<string, string>>;
  value: number;
  atMs?: number;
  /** What follows the family's name: "_sum", "_count", "_bucket". */
  suffix?: string;
}

/** Samples of one name. */
export interface MetricFamily {
  name: string;
  type: "counter" | "gauge" | "histogram";
  help: string;
  samples: readonly Sample[];
}

/** Encodes families in Prometheus' text format; those without samples are left out. */
export function encodeMetrics(families: readonly MetricFamily[]): string {
  return families
    .filter(({ samples }) => samples.length > 0)
    .map(({ name, type, help, samples }) => {
      const head = `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${type}\n`;
      return head + samples.map((sample) => encodeSample(name, sample)).join("");
    })
    .join("");
}

function encodeSample(name: string, { labels = {}, value, atMs, suffix = "" }: Sample): string {
  const pairs = Object.entries(labels).map(([key, text]) => `${key}="${escapeLabel(text)}"`);
  const shown = pairs.length > 0 ? `{${pairs.join(",")}}` : "";
  const time = atMs === undefined ? "" : ` ${Math.round(atMs)}`;
  return `${name}${suffix}${shown} ${formatNumber(value)}${time}\n`;
}

function formatNumber(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return "+Inf";
  return Number.isNaN(value) ? "NaN" : String(value);
}

function escapeLabel(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}

function escapeHelp(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}

/** Upper ends of buckets, in seconds, that Prometheus' own clients have unless told otherwise. */
export const USUAL_SECONDS: readonly number[] = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];

/** Counts observations by size, in fixed memory. */
export class Histogram {
  readonly #bounds: readonly number[];
  readonly #counts: number[];
  #sum = 0;

  /** `bounds` are the upper ends of the buckets, ascending. */
  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = Array.from({ length: bounds.length + 1 }, () => 0);
  }

  observe(value: number): void {
    this.#sum += value;
    const at = this.#bounds.findIndex((bound) => value <= bound);
    const bucket = at < 0 ? this.#bounds.length : at;
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
  }

  /** How much was observed so far. */
  get count(): number {
    return this.#counts.reduce((sum, each) => sum + each, 0);
  }

  /** Samples of a family of type "histogram"; the buckets add up. */
  samples(labels: Readonly<Record<string, string>> = {}): Sample[] {
    let count = 0;
    const buckets = this.#counts.map((own, at): Sample => {
      count += own;
      const bound = this.#bounds[at] ?? Number.POSITIVE_INFINITY;
      return { suffix: "_bucket", labels: { ...labels, le: formatNumber(bound) }, value: count };
    });
    return [
      ...buckets,
      { suffix: "_sum", labels, value: this.#sum },
      { suffix: "_count", labels, value: count },
    ];
  }
}
