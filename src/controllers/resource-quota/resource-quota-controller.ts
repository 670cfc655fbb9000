import {
  CONFIG_MAPS,
  CRON_JOBS,
  DEPLOYMENTS,
  ENDPOINT_SLICES,
  JOBS,
  PERSISTENT_VOLUME_CLAIMS,
  PODS,
  REPLICA_SETS,
  REPLICATION_CONTROLLERS,
  RESOURCE_QUOTAS,
  SECRETS,
  SERVICES,
  STATEFUL_SETS,
} from "../../api/generated/resources.ts";
import type { Pod, ResourceQuota } from "../../api/generated/types/core-v1.ts";
import type { PolicyRule } from "../../api/generated/types/rbac-v1.ts";
import { inScope } from "../../api/quota/quota-scope.ts";
import { isCounted, usageOf } from "../../api/quota/quota-usage.ts";
import { addAmounts, type Amounts } from "../../api/quota/resource-amounts.ts";
import type { Resource } from "../../api/resource.ts";
import {
  type ControllerDefinition,
  defineController,
  type Input,
  input,
} from "../../client/controller.ts";
import { OWNERSHIP } from "../../client/ownership-projection.ts";
import { formatQuantity } from "../../lib/quantity.ts";
import { jsonEqual } from "../json-equal.ts";
import { type ApiObject, refOf } from "../ownership.ts";
import { LOWERING_PAUSE_MS, LoweringPauses, withoutLowering } from "./lowering-pause.ts";
import { countObjects, unfollowedItems } from "./named-counts.ts";

/** Kinds whose objects are followed; those of others are counted now and then. */
const COUNTED: Readonly<Record<string, Resource<ApiObject>>> = {
  configMaps: CONFIG_MAPS,
  cronJobs: CRON_JOBS,
  deployments: DEPLOYMENTS,
  endpointSlices: ENDPOINT_SLICES,
  jobs: JOBS,
  claims: PERSISTENT_VOLUME_CLAIMS,
  pods: PODS,
  replicaSets: REPLICA_SETS,
  controllers: REPLICATION_CONTROLLERS,
  secrets: SECRETS,
  services: SERVICES,
  statefulSets: STATEFUL_SETS,
};

/** Of these a quota also measures what they contain; of all others it counts how many there are. */
const MEASURED: ReadonlySet<Resource> = new Set<Resource>([
  PERSISTENT_VOLUME_CLAIMS,
  PODS,
  SERVICES,
]);

/** How often objects of kinds that are not followed are counted. */
const COUNT_MS = 10_000;

/** A quota may name any kind. */
const NAMED_BY_QUOTAS: readonly PolicyRule[] = [
  { apiGroups: ["*"], resources: ["*"], verbs: ["list"] },
];

/** What lives in a quota's namespace, kind by kind. */
export type Contents = readonly { resource: Resource; objects: readonly ApiObject[] }[];

/** How much of what a quota limits is in use. */
export function usedOf(
  quota: ResourceQuota,
  of: { contents: Contents; nowMs: number },
): Record<string, string> {
  const total: Amounts = new Map();
  for (const { resource, objects } of of.contents) {
    for (const object of objects) {
      if (!inScope(quota.spec ?? {}, { resource, object })) continue;
      if (resource === PODS && !isCounted(object as Pod, of.nowMs)) continue;
      addAmounts(total, usageOf(resource, object));
    }
  }
  const used: Record<string, string> = {};
  for (const name of Object.keys(quota.spec?.hard ?? {})) {
    const amount = total.get(name);
    used[name] = amount ? formatQuantity(amount) : "0";
  }
  return used;
}

function isFollowed(kind: { plural: string; group: string }): boolean {
  return [...Object.values(COUNTED), RESOURCE_QUOTAS].some(
    ({ plural, group }) => plural === kind.plural && group === kind.group,
  );
}

/** Reports what of each ResourceQuota is used; admission alone decides what may be. */
export function resourceQuotaController(): ControllerDefinition {
  const pauses = new LoweringPauses();
  const contents: Record<string, Input<ApiObject>> = {};
  for (const [name, resource] of Object.entries(COUNTED)) {
    contents[name] = input(
      resource,
      ({ metadata }, listers) => listers.of(RESOURCE_QUOTAS).list(metadata?.namespace).map(refOf),
      MEASURED.has(resource) ? {} : { options: { projection: OWNERSHIP } },
    );
  }
  return defineController({
    name: "resource-quota",
    inputs: {
      ...contents,
      quotas: input(RESOURCE_QUOTAS, ({ metadata }, listers) =>
        listers.of(RESOURCE_QUOTAS).list(metadata?.namespace).map(refOf),
      ),
    },
    outputs: [{ resource: RESOURCE_QUOTAS, verbs: ["update"], subresources: ["status"] }],
    undeclared: NAMED_BY_QUOTAS,
    async reconcile({ inputs, client, clock }, key) {
      const quota = inputs.quotas.get(key.namespace, key.name);
      if (!quota) return {};
      const listers: Readonly<Record<string, { list(namespace?: string): ApiObject[] }>> = inputs;
      const present: Contents = [
        ...Object.entries(COUNTED).map(([name, resource]) => ({
          resource,
          objects: listers[name]?.list(key.namespace) ?? [],
        })),
        { resource: RESOURCE_QUOTAS, objects: inputs.quotas.list(key.namespace) },
      ];
      const seen = usedOf(quota, { contents: present, nowMs: clock.now() });
      const others = unfollowedItems(quota, isFollowed);
      for (const kind of others) {
        const namespace = key.namespace ?? "";
        const count = await countObjects(client.transport, { ...kind, namespace });
        const amount = count?.toString() ?? quota.status?.used?.[kind.item];
        if (amount === undefined) delete seen[kind.item];
        else seen[kind.item] = amount;
      }
      const { used, lowers } = withoutLowering(seen, quota.status?.used ?? {});
      const mayLower = lowers && pauses.isOver(quota, clock.now());
      if (!lowers || mayLower) pauses.forget(quota);
      const status = {
        ...(quota.spec?.hard ? { hard: quota.spec.hard } : {}),
        used: mayLower ? seen : used,
      };
      if (!jsonEqual(status, quota.status)) {
        await client.for(RESOURCE_QUOTAS).updateStatus({ ...quota, status });
      }
      if (lowers && !mayLower) return { requeueAfterMs: LOWERING_PAUSE_MS };
      return others.length > 0 ? { requeueAfterMs: COUNT_MS } : {};
    },
  });
}
