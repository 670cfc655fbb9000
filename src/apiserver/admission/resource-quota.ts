import { forbidden } from "../../api/errors.ts";
import { PODS, RESOURCE_QUOTAS } from "../../api/generated/resources.ts";
import type { Pod, ResourceQuota } from "../../api/generated/types/core-v1.ts";
import type { Clock } from "../../lib/clock.ts";
import {
  addQuantities,
  compareQuantities,
  formatQuantity,
  parseQuantity,
  type Quantity,
  subtractQuantities,
} from "../../lib/quantity.ts";
import type { AdmissionPlugin, AdmissionRequest, ObjectReader } from "../contract.ts";
import { addAmounts, type Amounts, parseAmounts } from "../../api/quota/resource-amounts.ts";
import { inScope } from "../../api/quota/quota-scope.ts";
import { isCounted, usageOf } from "../../api/quota/quota-usage.ts";

/** How long an admitted object counts before the cache shows it; writes are durable far sooner. */
const PENDING_MS = 2_000;
const ZERO: Quantity = parseQuantity("0");
/** Resources that every pod of a limited namespace must state. */
const COMPUTE = /^(requests\.|limits\.)?(cpu|memory)$/;

interface Pending {
  uid: string;
  object: unknown;
  untilMs: number;
}

interface Named {
  metadata?: { uid?: string };
}

function shorten(names: readonly string[], amounts: Amounts): string {
  return names.map((name) => `${name}=${formatQuantity(amounts.get(name) ?? ZERO)}`).join(",");
}

/** Names of compute resources that the quota limits and some container does not state. */
function unstated(quota: ResourceQuota, pod: Pod): string[] {
  const problems: string[] = [];
  for (const name of Object.keys(quota.spec?.hard ?? {}).sort()) {
    if (!COMPUTE.test(name)) continue;
    const field = name.startsWith("limits.") ? "limits" : "requests";
    const resource = name.replace(/^(requests|limits)\./, "");
    const silent = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])]
      .filter(({ resources }) => resources?.[field]?.[resource] === undefined)
      .map((container) => container.name);
    if (silent.length > 0) problems.push(`${name} for: ${silent.join(",")}`);
  }
  return problems;
}

/** Refuses what would take a namespace over a ResourceQuota, counting what lives there now. */
export function resourceQuotaPlugin(options: {
  reader: ObjectReader;
  clock: Clock;
}): AdmissionPlugin {
  const { reader, clock } = options;
  // Admitted a moment ago and perhaps not in the cache yet, by resource and namespace.
  const pending = new Map<string, Pending[]>();

  const pendingOf = (request: AdmissionRequest): Pending[] => {
    const key = `${request.resource.group}/${request.resource.plural}/${request.namespace ?? ""}`;
    const live = (pending.get(key) ?? []).filter(({ untilMs }) => untilMs > clock.now());
    if (live.length > 0) pending.set(key, live);
    else pending.delete(key);
    return live;
  };
  const remember = (request: AdmissionRequest) => {
    const key = `${request.resource.group}/${request.resource.plural}/${request.namespace ?? ""}`;
    const { resource, namespace = "", name } = request;
    // The store will refuse a name that exists, and nothing will be used.
    if (name && reader.get(resource, { namespace, name })) return;
    const uid = (request.object as Named).metadata?.uid ?? "";
    if (pendingOf(request).some((entry) => entry.uid === uid)) return;
    const entry = { uid, object: request.object, untilMs: clock.now() + PENDING_MS };
    pending.set(key, [...pendingOf(request), entry]);
  };

  const usedBy = (quota: ResourceQuota, request: AdmissionRequest): Amounts => {
    const { resource, namespace } = request;
    const listed = reader.list(resource, namespace) as readonly Named[];
    const shown = new Set(listed.map(({ metadata }) => metadata?.uid));
    const unseen = pendingOf(request).filter(({ uid }) => !shown.has(uid));
    const used: Amounts = new Map();
    for (const object of [...listed, ...unseen.map((entry) => entry.object)]) {
      if (!inScope(quota.spec ?? {}, { resource, object })) continue;
      if (resource.plural === "pods" && !isCounted(object as Pod, clock.now())) continue;
      addAmounts(used, usageOf(resource, object));
    }
    return used;
  };

  const check = (quota: ResourceQuota, request: AdmissionRequest) => {
    const { resource, object, oldObject } = request;
    const name = quota.metadata?.name ?? "";
    const isPod = resource.group === PODS.group && resource.plural === PODS.plural;
    const silent = isPod && !oldObject ? unstated(quota, object as unknown as Pod) : [];
    if (silent.length > 0) {
      const why = `failed quota: ${name}: must specify ${silent.join("; ")}`;
      throw forbidden(resource, request.name, why);
    }
    const hard = parseAmounts(quota.spec?.hard);
    const before = oldObject ? usageOf(resource, oldObject) : new Map<string, Quantity>();
    const asked: Amounts = new Map();
    for (const [item, amount] of usageOf(resource, object)) {
      const delta = subtractQuantities(amount, before.get(item) ?? ZERO);
      if (hard.has(item) && compareQuantities(delta, ZERO) > 0) asked.set(item, delta);
    }
    if (asked.size === 0) return;
    const used = usedBy(quota, request);
    const exceeded = [...asked.keys()].sort().filter((item) => {
      const total = addQuantities(used.get(item) ?? ZERO, asked.get(item) ?? ZERO);
      return compareQuantities(total, hard.get(item) ?? ZERO) > 0;
    });
    if (exceeded.length === 0) return;
    const why = `exceeded quota: ${name}, requested: ${shorten(exceeded, asked)}, used: ${shorten(exceeded, used)}, limited: ${shorten(exceeded, hard)}`;
    throw forbidden(resource, request.name, why);
  };

  return {
    name: "ResourceQuota",
    handles: ({ operation, namespace, subresource }) =>
      namespace !== undefined &&
      !subresource &&
      (operation === "CREATE" || operation === "UPDATE") &&
      reader.list(RESOURCE_QUOTAS, namespace).length > 0,
    validate: (request) => {
      const { resource, object } = request;
      const quotas = reader
        .list(RESOURCE_QUOTAS, request.namespace)
        .filter((quota) => inScope(quota.spec ?? {}, { resource, object }));
      for (const quota of quotas) check(quota, request);
      if (quotas.length > 0 && request.operation === "CREATE" && !request.dryRun) remember(request);
    },
  };
}
