import { ENDPOINT_SLICES, NODES, SERVICES } from "../../api/generated/resources.ts";
import type { Service } from "../../api/generated/types/core-v1.ts";
import type { EndpointSlice } from "../../api/generated/types/discovery-v1.ts";
import type { InformerFactory } from "../../client/informer.ts";
import { backoffDelayMs } from "../../lib/backoff.ts";
import type { Clock, Timer } from "../../lib/clock.ts";
import type { Logger } from "../../lib/logger.ts";
import type { MetricFamily } from "../../lib/prometheus.ts";
import { openNftables } from "../../sys/nft/nftables.ts";
import { HealthServers, healthOf } from "./health-servers.ts";
import { planRules } from "./rule-plan.ts";
import {
  baseRules,
  type HostPortRule,
  type RenderedPort,
  type RuleSetOptions,
  renderHostPort,
  renderServicePort,
} from "./rules.ts";
import { SERVICE_NAME_LABEL, servicePortsOf } from "./service-ports.ts";
import { type FlowTarget, removeStaleFlows } from "./stale-flows.ts";
import { SyncMetrics } from "./sync-metrics.ts";

/** Where the rules go and what they are made from. */
export interface ServiceProxyOptions {
  informers: InformerFactory;
  nodeName: string;
  rules: RuleSetOptions;
  clock: Clock;
  logger: Logger;
}

/** Keeps this node's nftables table true to Services and host ports. */
export interface ServiceProxy extends AsyncDisposable {
  /** Resolves when the first complete table is in the kernel. */
  readonly ready: Promise<void>;
  setHostPorts(ports: readonly HostPortRule[]): void;
  /** How long changes of the table take, under kube-proxy's names. */
  metrics(): MetricFamily[];
}

const RETRY = { baseMs: 100, maxMs: 30_000 };
const BY_SERVICE = "service";
const ZONE = "topology.kubernetes.io/zone";

/**
 * Starts the proxy in the network namespace of the calling thread. Changes that arrive in one turn
 * of the event loop become one transaction; a failed one is retried against a table made anew.
 * The table stays when the proxy is disposed: traffic goes on while the agent restarts.
 */
export function startServiceProxy(options: ServiceProxyOptions): ServiceProxy {
  const { informers, nodeName, clock, logger } = options;
  const nft = openNftables();
  const services = informers.informer(SERVICES);
  const slices = informers.informer(ENDPOINT_SLICES);
  slices.addIndex(BY_SERVICE, (slice) => [serviceKeyOf(slice)]);
  const nodes = informers.informer(NODES);
  const health = new HealthServers({ clock, logger });
  const wanted = new Map<string, RenderedPort>();
  let applied: ReadonlyMap<string, RenderedPort> | undefined;
  const dirty = new Set<string>();
  const portIds = new Map<string, string[]>();
  /** UDP ports whose endpoints changed since the kernel was last rid of their old flows. */
  const moved = new Map<string, FlowTarget>();
  let zone: string | undefined;
  let scheduled = false;
  let started = false;
  let closed = false;
  let failures = 0;
  let retry: Timer | undefined;
  let resolveReady: () => void = () => {};
  const ready = new Promise<void>((resolve) => {
    resolveReady = resolve;
  });

  const renderService = (key: string) => {
    for (const id of portIds.get(key) ?? []) wanted.delete(id);
    portIds.delete(key);
    const [namespace, name = ""] = key.split("/");
    const service = services.get(namespace, name);
    const own = slices.byIndex(BY_SERVICE, key);
    health.set(key, service && healthOf(service, own, nodeName));
    if (!service) return;
    const ports = servicePortsOf(service, own, { nodeName, zone });
    const ids = ports.map(({ id, protocol }) => `service ${id}/${protocol}`);
    ports.forEach((port, at) => {
      wanted.set(ids[at] ?? "", renderServicePort(port));
      if (port.protocol === "UDP") moved.set(ids[at] ?? "", port);
    });
    portIds.set(key, ids);
  };

  const forgetFlows = () => {
    if (moved.size === 0) return;
    const targets = [...moved.values()];
    moved.clear();
    try {
      removeStaleFlows(targets);
    } catch (error) {
      logger.warn("UDP clients may stay with endpoints that are gone", { error });
    }
  };

  const syncs = new SyncMetrics(clock);
  const sync = () => {
    scheduled = false;
    if (closed || !started) return;
    const sinceMs = clock.monotonicMs();
    for (const key of dirty) renderService(key);
    dirty.clear();
    try {
      const next = new Map(wanted);
      const { table } = options.rules;
      const base = applied ? "" : baseRules(options.rules);
      const commands = base + planRules(table, applied ?? new Map(), next);
      if (commands) nft.apply(commands);
      applied = next;
      failures = 0;
      syncs.done(sinceMs);
      resolveReady();
      forgetFlows();
    } catch (error) {
      applied = undefined;
      failures++;
      syncs.failed();
      logger.error("nftables refused the service rules", { error, failures });
      retry = clock.setTimer(backoffDelayMs(RETRY, failures), sync);
    }
  };
  const schedule = () => {
    if (scheduled) return;
    scheduled = true;
    setImmediate(sync);
  };
  const touch = (key: string) => {
    dirty.add(key);
    schedule();
  };
  const findZone = () => {
    const found = nodes.get(undefined, nodeName)?.metadata?.labels?.[ZONE];
    if (found === zone) return;
    zone = found;
    for (const service of services.list()) touch(keyOf(service));
  };
  const subscriptions = [
    nodes.onChange(({ object }) => {
      if (object.metadata?.name === nodeName) findZone();
    }),
    services.onChange(({ object }) => touch(keyOf(object))),
    slices.onChange((change) => {
      touch(serviceKeyOf(change.object));
      if (change.type === "updated") touch(serviceKeyOf(change.previous));
    }),
  ];
  void Promise.all([services.synced, slices.synced, nodes.synced]).then(() => {
    findZone();
    started = true;
    schedule();
  });

  return {
    ready,
    setHostPorts(ports) {
      for (const id of wanted.keys()) if (id.startsWith("host ")) wanted.delete(id);
      for (const port of ports) {
        const { hostIp = "", hostPort, protocol } = port;
        wanted.set(`host ${hostIp}:${hostPort}/${protocol}`, renderHostPort(port));
      }
      schedule();
    },
    metrics: () => syncs.families(),
    async [Symbol.asyncDispose]() {
      closed = true;
      retry?.cancel();
      for (const subscription of subscriptions) subscription[Symbol.dispose]();
      nft[Symbol.dispose]();
      await health[Symbol.asyncDispose]();
    },
  };
}

/** Removes the table; for `down --purge`. Idempotent. */
export function removeServiceRules(table: string): void {
  using nft = openNftables();
  nft.apply(`add table ip ${table}\ndelete table ip ${table}`);
}

function keyOf({ metadata }: Service): string {
  return `${metadata?.namespace}/${metadata?.name}`;
}

function serviceKeyOf({ metadata }: EndpointSlice): string {
  return `${metadata?.namespace}/${metadata?.labels?.[SERVICE_NAME_LABEL] ?? ""}`;
}
