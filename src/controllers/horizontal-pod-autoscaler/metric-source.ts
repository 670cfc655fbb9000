import { isNotFound } from "../../api/errors.ts";
import { POD_METRICS } from "../../api/generated/resources.ts";
import type { PodMetricsList } from "../../api/generated/types/metrics-v1beta1.ts";
import { pathOf } from "../../api/resource.ts";
import type { Transport } from "../../api/transport.ts";
import { parseDuration } from "../../lib/cel/functions/time-text.ts";
import { quantityToMilli } from "../../lib/quantity.ts";
import type { PodValue } from "./pod-groups.ts";
import { MetricError } from "./replica-calculator.ts";

const CUSTOM_GROUP = "custom.metrics.k8s.io";
const EXTERNAL = "/apis/external.metrics.k8s.io/v1beta1";
const WINDOW_MS_DEFAULT = 60_000;

/** A metric of an adapter, and the labels of its series. */
export interface MetricName {
  name: string;
  /** As text; "" for all. */
  selector: string;
}

/** `MetricValueList` and `ExternalMetricValueList`, as far as they are read. */
interface ValueList {
  items?: {
    describedObject?: { name?: string };
    timestamp?: string;
    windowSeconds?: number;
    window?: number;
    value: string;
  }[];
}

/** Reads the metrics APIs: resources, custom and external ones. */
export class MetricSource {
  readonly #transport: Transport;
  /** Version of the custom metrics that the server prefers, as long as it answers. */
  #customVersion: string | undefined;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Use of a resource by the pods of a selector, by name. @throws MetricError */
  async resource(
    resource: string,
    of: { namespace: string; selector: string; container?: string },
  ): Promise<Map<string, PodValue>> {
    const path = `${pathOf(POD_METRICS, of)}?labelSelector=${encodeURIComponent(of.selector)}`;
    const list = await this.#get<PodMetricsList>(path, "resource metrics API");
    if (list.items.length === 0) {
      throw new MetricError("no metrics returned from resource metrics API");
    }
    const values = new Map<string, PodValue>();
    for (const { metadata, timestamp, window, containers = [] } of list.items) {
      const counted = containers.filter(({ name }) => (of.container ?? name) === name);
      const used = counted.map(({ usage }) => usage?.[resource]);
      if (of.container !== undefined && counted.length === 0) {
        const pod = `${metadata?.namespace ?? ""}/${metadata?.name ?? ""}`;
        throw new MetricError(`container ${of.container} not present in metrics for pod ${pod}`);
      }
      // A pod of which a part is unknown is not known.
      if (used.length === 0 || used.includes(undefined)) continue;
      const milli = used.reduce((sum, text) => sum + quantityToMilli(text ?? "0"), 0);
      const windowMs = Number(parseDuration(window ?? "") ?? 0n) / 1e6;
      values.set(metadata?.name ?? "", { milli, windowMs, atMs: Date.parse(timestamp ?? "") || 0 });
    }
    return values;
  }

  /** A metric of each pod of a selector. @throws MetricError */
  async pods(
    metric: MetricName,
    of: { namespace: string; selector: string },
  ): Promise<Map<string, PodValue>> {
    const query = { labelSelector: of.selector, metricLabelSelector: metric.selector };
    const path = `namespaces/${of.namespace}/pods/*/${encodeURIComponent(metric.name)}`;
    const { items = [] } = await this.#custom(path, query);
    if (items.length === 0) throw new MetricError("no metrics returned from custom metrics API");
    return new Map(
      items.map((item) => {
        const windowMs = (item.windowSeconds ?? item.window ?? 0) * 1000 || WINDOW_MS_DEFAULT;
        const atMs = Date.parse(item.timestamp ?? "") || 0;
        const value = { milli: quantityToMilli(item.value), windowMs, atMs };
        return [item.describedObject?.name ?? "", value] as const;
      }),
    );
  }

  /**
   * A metric of one object, in thousandths; `resource` is "deployments.apps" or "services". Of
   * namespaces only its own answers. @throws MetricError
   */
  async object(
    metric: MetricName,
    of: { namespace: string; resource: string; name: string },
  ): Promise<number> {
    const name = encodeURIComponent(metric.name);
    const path =
      of.resource === "namespaces"
        ? `namespaces/${of.namespace}/metrics/${name}`
        : `namespaces/${of.namespace}/${of.resource}/${of.name}/${name}`;
    const { items = [] } = await this.#custom(path, { metricLabelSelector: metric.selector });
    const [only] = items;
    if (only && items.length === 1) return quantityToMilli(only.value);
    throw new MetricError(
      `the custom metrics API server returned ${items.length} results when we asked for exactly one`,
    );
  }

  /** Values of a metric from outside the cluster, in thousandths. @throws MetricError */
  async external(metric: MetricName, namespace: string): Promise<number[]> {
    const query = queryOf({ labelSelector: metric.selector });
    const path = `${EXTERNAL}/namespaces/${namespace}/${encodeURIComponent(metric.name)}${query}`;
    const { items = [] } = await this.#get<ValueList>(path, "external metrics API");
    if (items.length === 0) throw new MetricError("no metrics returned from external metrics API");
    return items.map(({ value }) => quantityToMilli(value));
  }

  async #custom(path: string, query: Readonly<Record<string, string>>): Promise<ValueList> {
    const what = "custom metrics API";
    if (!this.#customVersion) {
      const group = await this.#get<{ preferredVersion?: { version?: string } }>(
        `/apis/${CUSTOM_GROUP}`,
        what,
      ).catch((error: unknown) => {
        if (!isNotFound((error as MetricError).cause)) throw error;
        const why = `no custom metrics API (${CUSTOM_GROUP}) registered`;
        throw new MetricError(`unable to fetch metrics from ${what}: ${why}`, { cause: error });
      });
      this.#customVersion = group.preferredVersion?.version ?? "v1beta1";
    }
    const root = `/apis/${CUSTOM_GROUP}/${this.#customVersion}`;
    try {
      return await this.#get<ValueList>(`${root}/${path}${queryOf(query)}`, what);
    } catch (error) {
      // Another adapter may have come, which speaks another version.
      this.#customVersion = undefined;
      throw error;
    }
  }

  async #get<T>(path: string, what: string): Promise<T> {
    try {
      return (await this.#transport.request({ method: "GET", path })).body as T;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new MetricError(`unable to fetch metrics from ${what}: ${why}`, { cause: error });
    }
  }
}

function queryOf(parameters: Readonly<Record<string, string>>): string {
  const set = Object.entries(parameters).filter(([, value]) => value !== "");
  return set.length === 0 ? "" : `?${new URLSearchParams(set).toString()}`;
}
