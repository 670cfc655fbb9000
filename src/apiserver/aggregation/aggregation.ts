import { isAlreadyExists, isNotFound } from "../../api/errors.ts";
import type { APIService } from "../../api/generated/types/apiregistration-v1.ts";
import { formatTime, type Timer } from "../../lib/clock.ts";
import { deepEqual } from "../../lib/deep-equal.ts";
import { copyJson } from "../../lib/json-copy.ts";
import type { MetricFamily, Sample } from "../../lib/prometheus.ts";
import type { ObjectReader, UserInfo } from "../contract.ts";
import type { Engine } from "../engine.ts";
import type { KubeObject } from "../kube-object.ts";
import type { RemoteSwagger } from "../openapi/v2-remote.ts";
import { splitPath } from "../request/query.ts";
import type { ServedResource } from "../resource-registry.ts";
import type { Call } from "../rest/call.ts";
import { insertObject } from "../rest/create.ts";
import { deleteObject } from "../rest/delete.ts";
import { updateObject } from "../rest/update.ts";
import type { CacheEvent } from "../watch-cache/cache-event.ts";
import { AggregationProxy } from "./aggregation-proxy.ts";
import { ApiServiceTable, type RemoteGroupVersion } from "./api-service-table.ts";
import { type Availability, checkAvailability, fetchJson, LOCAL } from "./availability-check.ts";
import { groupPriorityOf, isBuiltInGroup, versionPriorityOf } from "./group-priority.ts";
import { type FrontProxyPair, RemoteClient } from "./remote-client.ts";
import { aggregatedResources } from "./remote-resources.ts";

const SELF: UserInfo = { name: "system:apiserver", groups: ["system:masters"] };
const RECHECK_MS = 30_000;
/** A server that just failed is asked again soon, then less and less often. */
const RETRY_MIN_MS = 1_000;
const AUTOMANAGED = "kube-aggregator.kubernetes.io/automanaged";

type Json = Record<string, unknown>;

/** What aggregation is made of. */
export interface AggregationParts {
  engine: Engine;
  reader: ObjectReader;
  frontProxy: FrontProxyPair | undefined;
}

interface Checked {
  /** Resources in the form of aggregated discovery. */
  resources: Json[];
  openApiHash: string;
  failures: number;
  timer: Timer | undefined;
}

/**
 * The group-versions of other API servers: keeps `Available` of their APIServices true, registers
 * this server's own, and knows what discovery shows of the others.
 */
export class Aggregation implements Disposable {
  readonly table: ApiServiceTable;
  readonly proxy: AggregationProxy;
  readonly #parts: AggregationParts;
  readonly #client: RemoteClient;
  readonly #served: ServedResource;
  /** By name of the APIService. */
  readonly #checked = new Map<string, Checked>();
  readonly #subscriptions: Disposable[] = [];
  readonly #work = new Map<string, Promise<void>>();
  /** How often an APIService was lost, by its name and why. */
  readonly #losses = new Map<string, Sample & { labels: Record<string, string> }>();
  #generation = 0;
  #closed = false;

  private constructor(parts: AggregationParts, served: ServedResource) {
    const { clock, random } = parts.engine;
    this.#parts = parts;
    this.#served = served;
    this.#client = new RemoteClient({ ...parts, clock, random });
    this.table = new ApiServiceTable(parts.reader);
    this.proxy = new AggregationProxy(this.table, this.#client, clock);
  }

  /** Follows APIServices, Services and endpoints; what it writes, it writes in the background. */
  static start(parts: AggregationParts): Aggregation {
    const { registry } = parts.engine;
    const served = registry.find("apiregistration.k8s.io", "v1", "apiservices");
    if (!served) throw new RangeError("Cannot aggregate APIs: APIServices are not served");
    const aggregation = new Aggregation(parts, served);
    aggregation.#follow();
    return aggregation;
  }

  /** Grows whenever discovery of other servers has something else to show. */
  get generation(): number {
    return this.#generation + this.table.generation;
  }

  /** Under upstream's name. */
  metrics(): MetricFamily[] {
    return [
      {
        name: "aggregator_unavailable_apiservice_total",
        type: "counter",
        help: "How often APIServices became unavailable, by why they did.",
        samples: [...this.#losses.values()],
      },
    ];
  }

  #lost(name: string, reason: string): void {
    const key = `${name} ${reason}`;
    const loss = this.#losses.get(key) ?? { labels: { name, reason }, value: 0 };
    loss.value++;
    this.#losses.set(key, loss);
  }

  /** Resources of another server, as aggregated discovery shows them. */
  resourcesOf(remote: RemoteGroupVersion): readonly Json[] {
    return this.#checked.get(remote.name)?.resources ?? [];
  }

  /** Hashes of the OpenAPI documents that other servers have, by their key in the index. */
  openApiHashes(): ReadonlyMap<string, string> {
    return new Map(
      this.table.remotes().flatMap(({ name, group, version, available }) => {
        const hash = available ? this.#checked.get(name)?.openApiHash : undefined;
        return hash ? [[`apis/${group}/${version}`, hash] as const] : [];
      }),
    );
  }

  /** What available servers say of their group-versions in `/openapi/v2`; each call asks them. */
  async openApiV2(): Promise<RemoteSwagger[]> {
    const parts = { client: this.#client, clock: this.#parts.engine.clock };
    const remotes = this.table.remotes().filter(({ available }) => available);
    const answers = remotes.map(async (remote): Promise<RemoteSwagger[]> => {
      const { group, version } = remote;
      const document = await fetchJson(remote, "/openapi/v2", parts).catch(() => undefined);
      return document ? [{ group, version, document }] : [];
    });
    return (await Promise.all(answers)).flat();
  }

  /** Resolves when all that was noticed so far is dealt with. */
  async settled(): Promise<void> {
    while (this.#work.size > 0) await Promise.all(this.#work.values());
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    for (const subscription of this.#subscriptions) subscription[Symbol.dispose]();
    for (const { timer } of this.#checked.values()) timer?.cancel();
    this.#client[Symbol.dispose]();
  }

  #follow(): void {
    const { registry } = this.#parts.engine;
    const subscribe = (
      served: ServedResource | undefined,
      onEvent: (event: CacheEvent) => void,
    ): void => {
      if (!served) return;
      const { cache } = served;
      const subscriber = { deliver: onEvent, ended: () => {} };
      this.#subscriptions.push(cache.follow(subscriber));
    };
    subscribe(this.#served, (event) => this.#noticed(event));
    const ofService = ({ key }: CacheEvent) => this.#serviceChanged(key);
    subscribe(registry.find("", "v1", "services"), ofService);
    subscribe(registry.find("discovery.k8s.io", "v1", "endpointslices"), (event) => {
      if (this.table.remotes().length === 0) return;
      const { namespace, labels } = event.object.object().metadata;
      this.#serviceChanged(`${namespace}/${labels?.["kubernetes.io/service-name"]}`);
    });
    this.#subscriptions.push(
      registry.onChange(() => this.#enqueue("", () => this.#register(false))),
    );
    this.#enqueue("", () => this.#register(true));
    for (const key of this.#served.cache.keys("")) this.#enqueueCheck(key);
  }

  #noticed({ key, removed, object, previous }: CacheEvent): void {
    if (!removed) {
      // What this class itself writes is the status.
      const isSame = deepEqual(object.object()["spec"], previous?.object()["spec"]);
      return isSame ? undefined : this.#enqueueCheck(key);
    }
    this.#checked.get(key)?.timer?.cancel();
    this.#checked.delete(key);
    this.#enqueue("", () => this.#register(false));
  }

  #serviceChanged(key: string): void {
    for (const { name, service } of this.table.remotes()) {
      if (`${service.namespace}/${service.name}` !== key) continue;
      this.#enqueueCheck(name);
    }
  }

  #enqueueCheck(name: string): void {
    this.#enqueue(name, () => this.#check(name));
  }

  /** Jobs of one name wait for each other; those of others do not, as a server may hang. */
  #enqueue(name: string, job: () => Promise<void>): void {
    const work = (this.#work.get(name) ?? Promise.resolve())
      .then(() => (this.#closed ? undefined : job()))
      .catch((error: unknown) => {
        if (this.#closed) return;
        this.#parts.engine.logger.error("an APIService could not be kept", { name, error });
      })
      .finally(() => {
        if (this.#work.get(name) === work) this.#work.delete(name);
      });
    this.#work.set(name, work);
  }

  /** One check at a time and per change; the next one comes by itself. */
  async #check(name: string): Promise<void> {
    const object = this.#served.cache.get(name)?.object() as unknown as APIService | undefined;
    if (!object) return;
    if (!object.spec?.service) return this.#report(name, LOCAL);
    const remote = this.table.remotes().find((each) => each.name === name);
    if (!remote) return;
    const before = this.#checked.get(name);
    before?.timer?.cancel();
    const { clock } = this.#parts.engine;
    const result = await checkAvailability(remote, { ...this.#parts, client: this.#client, clock });
    const isGood = result.condition.status === "True";
    const failures = isGood ? 0 : (before?.failures ?? 0) + 1;
    const resources = isGood ? aggregatedResources(result.document, remote) : [];
    const { openApiHash = "" } = result;
    const waitMs = isGood ? RECHECK_MS : Math.min(RETRY_MIN_MS * 2 ** (failures - 1), RECHECK_MS);
    if (this.#closed || !this.#served.cache.get(name)) return;
    const timer = clock.setTimer(waitMs, () => this.#enqueueCheck(name));
    if (JSON.stringify(resources) !== JSON.stringify(before?.resources)) this.#generation++;
    this.#checked.set(name, { resources, openApiHash, failures, timer });
    await this.#report(name, result.condition);
  }

  async #report(name: string, found: Availability): Promise<void> {
    const { engine } = this.#parts;
    const condition = { type: "Available", ...found };
    const known = conditionOf(this.#served.cache.get(name)?.object());
    if (known && sameCondition(known, condition)) return;
    if (known?.["status"] === "True" && found.status !== "True") this.#lost(name, found.reason);
    const time = formatTime(engine.clock.now());
    const call = this.#call({ name, subresource: "status" });
    try {
      await updateObject(engine, call, {
        wanted: (old) => {
          const was = conditionOf(old);
          const isSame = was?.["status"] === condition.status;
          const lastTransitionTime = isSame ? was?.["lastTransitionTime"] : time;
          const next = copyJson(old);
          next["status"] = { conditions: [{ ...condition, lastTransitionTime }] };
          return next;
        },
        scope: (object) => object,
      });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }

  /** Makes the APIServices of this server's own group-versions exist, and no others of its own. */
  async #register(atStart: boolean): Promise<void> {
    const { registry } = this.#parts.engine;
    const local = new Map<string, { group: string; version: string }>();
    for (const { resource } of registry.all()) {
      const { group, version } = resource;
      // The aggregator itself serves this one; it is in nobody's hands to switch off.
      if (group === this.#served.resource.group) continue;
      local.set(`${version}.${group}`, { group, version });
    }
    const { cache } = this.#served;
    const missing = [...local].filter(
      ([name, { group }]) => !cache.get(name) && (atStart || !isBuiltInGroup(group)),
    );
    await Promise.all(missing.map(([name, of]) => this.#create(name, of)));
    const stale = [...cache.keys("")].filter((name) => {
      const { metadata } = cache.get(name)?.object() ?? {};
      return metadata?.labels?.[AUTOMANAGED] === "true" && !local.has(name);
    });
    await Promise.all(stale.map((name) => this.#delete(name)));
  }

  async #create(name: string, of: { group: string; version: string }): Promise<void> {
    const { group, version } = of;
    const managed = isBuiltInGroup(group) ? "onstart" : "true";
    const object: KubeObject = {
      apiVersion: "apiregistration.k8s.io/v1",
      kind: "APIService",
      metadata: { name, labels: { [AUTOMANAGED]: managed } },
      spec: {
        ...(group ? { group } : {}),
        version,
        groupPriorityMinimum: groupPriorityOf(group),
        versionPriority: versionPriorityOf(group, version),
      },
    };
    try {
      await insertObject(this.#parts.engine, { ...this.#call({}), method: "POST" }, object);
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
    }
  }

  async #delete(name: string): Promise<void> {
    try {
      await deleteObject(this.#parts.engine, { ...this.#call({ name }), method: "DELETE" });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }

  #call(at: { name?: string; subresource?: string }): Call {
    const { group, version, plural } = this.#served.resource;
    return {
      method: "PUT",
      served: this.#served,
      target: { group, version, resource: plural, watch: false, ...at },
      query: splitPath("").query,
      user: SELF,
      body: { kind: "none" },
      userAgent: "kube-aggregator",
      warn: () => {},
    };
  }
}

function conditionOf(object: KubeObject | undefined): Json | undefined {
  const { conditions } = (object?.["status"] ?? {}) as { conditions?: Json[] };
  return conditions?.find(({ type }) => type === "Available");
}

function sameCondition(known: Json, wanted: Availability): boolean {
  return (["status", "reason", "message"] as const).every((key) => known[key] === wanted[key]);
}
