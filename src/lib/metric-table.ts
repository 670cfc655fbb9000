import { Histogram, type MetricFamily } from "./prometheus.ts";

/** One family that is counted or, with `bounds` (upper ends of buckets, ascending), observed. */
export interface MetricShape {
  help: string;
  labels: readonly string[];
  bounds?: readonly number[];
}

interface Row {
  labels: Record<string, string>;
  count: number;
  histogram: Histogram | undefined;
}

/** Families of counters and histograms by their names, each with a row for the labels it saw. */
export class MetricTable<Name extends string> {
  readonly #shapes: Readonly<Record<Name, MetricShape>>;
  readonly #prefix: string;
  readonly #rows = new Map<Name, Map<string, Row>>();

  /** `prefix` comes before the names. */
  constructor(prefix: string, shapes: Readonly<Record<Name, MetricShape>>) {
    this.#prefix = prefix;
    this.#shapes = shapes;
  }

  /** It happened once more; `values` are of its labels, in their order. */
  count(name: Name, ...values: readonly string[]): void {
    this.#row(name, values).count++;
  }

  /** It was so much, as a duration in seconds. */
  observe(name: Name, value: number, ...values: readonly string[]): void {
    this.#row(name, values).histogram?.observe(value);
  }

  /** Rows that have all of these labels are told no more. */
  forget(labels: Readonly<Record<string, string>>): void {
    const wanted = Object.entries(labels);
    for (const rows of this.#rows.values()) {
      for (const [key, row] of rows) {
        if (wanted.every(([label, value]) => row.labels[label] === value)) rows.delete(key);
      }
    }
  }

  /** In the order of the shapes; those without a row have no samples. */
  families(): MetricFamily[] {
    return (Object.keys(this.#shapes) as Name[]).map((name) => {
      const { help, bounds } = this.#shapes[name];
      const samples = [...(this.#rows.get(name)?.values() ?? [])].flatMap(
        ({ labels, count, histogram }) =>
          histogram ? histogram.samples(labels) : [{ labels, value: count }],
      );
      const type = bounds ? "histogram" : "counter";
      return { name: this.#prefix + name, type, help, samples };
    });
  }

  #row(name: Name, values: readonly string[]): Row {
    let rows = this.#rows.get(name);
    if (!rows) this.#rows.set(name, (rows = new Map()));
    const key = values.length === 1 ? (values[0] ?? "") : values.join("\0");
    let row = rows.get(key);
    if (!row) {
      const { labels: names, bounds } = this.#shapes[name];
      const labels = Object.fromEntries(names.map((label, at) => [label, values[at] ?? ""]));
      row = { labels, count: 0, histogram: bounds && new Histogram(bounds) };
      rows.set(key, row);
    }
    return row;
  }
}
