import * as kinds from "../../api/generated/resources.ts";
import type { Resource } from "../../api/resource.ts";
import type { Client } from "../../client/client.ts";

/** Kinds whose objects must be the same in the end, whatever happened on the way. */
const KINDS: readonly Resource[] = [
  kinds.CERTIFICATE_SIGNING_REQUESTS,
  kinds.CLUSTER_ROLES,
  kinds.CONFIG_MAPS,
  kinds.CRON_JOBS,
  kinds.DAEMON_SETS,
  kinds.DEPLOYMENTS,
  kinds.ENDPOINTS,
  kinds.ENDPOINT_SLICES,
  kinds.HORIZONTAL_POD_AUTOSCALERS,
  kinds.JOBS,
  kinds.NAMESPACES,
  kinds.NODES,
  kinds.PERSISTENT_VOLUME_CLAIMS,
  kinds.PERSISTENT_VOLUMES,
  kinds.POD_DISRUPTION_BUDGETS,
  kinds.PODS,
  kinds.REPLICATION_CONTROLLERS,
  kinds.REPLICA_SETS,
  kinds.RESOURCE_QUOTAS,
  kinds.SECRETS,
  kinds.SERVICE_ACCOUNTS,
  kinds.SERVICES,
  kinds.STATEFUL_SETS,
];

/** What chance or time decides. */
const CHANCE: ReadonlySet<string> = new Set(
  [
    "uid resourceVersion generation observedGeneration managedFields annotations message reason",
    "podIP podIPs hostIP hostIPs clusterIP clusterIPs ip addresses notReadyAddresses podCIDR podCIDRs",
    "nodeName nodePort claimRef volumeName volumes volumeMounts hints token certificate",
    "collisionCount containerStatuses failed creationTimestamp startTime completionTime",
    "lastScheduleTime lastSuccessfulTime lastHeartbeatTime lastTransitionTime lastScaleTime",
    "lastPhaseTransitionTime renewTime timeAdded desiredReplicas",
  ].flatMap((names) => names.split(" ")),
);

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

interface AnyObject {
  kind?: string;
  metadata?: {
    name?: string;
    namespace?: string;
    uid?: string;
    generateName?: string;
    deletionTimestamp?: string;
    ownerReferences?: { uid?: string; kind?: string; name?: string }[];
  };
  spec?: { replicas?: number; completions?: number };
  status?: { phase?: string; succeeded?: number };
}

/** Empty sets tell of the past only; so do pods that have ended: their jobs counted them. */
function isOfThePast({ kind, spec, status }: AnyObject): boolean {
  if (kind === "ReplicaSet") return spec?.replicas === 0;
  return kind === "Pod" && (status?.phase === "Succeeded" || status?.phase === "Failed");
}

/** A pod whose making was never answered may succeed beside the one that was made instead. */
function withoutSurplus(object: AnyObject): AnyObject {
  const { kind, spec, status } = object;
  const [succeeded, completions] = [status?.succeeded, spec?.completions];
  if (kind !== "Job" || succeeded === undefined || completions === undefined) return object;
  return { ...object, status: { ...status, succeeded: Math.min(succeeded, completions) } };
}

/** A cluster at rest: one line for each object, and what belongs to nobody. */
export interface FinalState {
  objects: string[];
  orphans: string[];
}

/** Reads everything that matters of a cluster. */
export async function finalStateOf(client: Client): Promise<FinalState> {
  const lists = await Promise.all(
    KINDS.map(async (resource) => {
      const { items } = await client.for<AnyObject>(resource as Resource<AnyObject>).list();
      return items.map((item) => ({ ...item, kind: resource.kind }));
    }),
  );
  const all = lists.flat();
  const uids = new Set(all.map(({ metadata }) => metadata?.uid));
  const orphans = all
    .filter(({ metadata }) => metadata?.ownerReferences?.some(({ uid }) => !uids.has(uid)))
    .map(({ kind, metadata }) => `${kind} ${metadata?.namespace}/${metadata?.name}`);
  const random = new Map<string, string>();
  for (const { metadata = {} } of all) {
    const { name = "", generateName } = metadata;
    if (generateName && name.startsWith(generateName)) random.set(name, `${generateName}*`);
  }
  const objects = all
    .filter((object) => !isOfThePast(object))
    .map((object) => JSON.stringify(comparable(withoutSurplus(object), random)));
  return { objects: objects.toSorted(), orphans };
}

function comparable(value: unknown, random: ReadonlyMap<string, string>): unknown {
  if (typeof value === "string") return UUID.test(value) ? "*" : (random.get(value) ?? value);
  if (Array.isArray(value)) {
    return value
      .map((item) => JSON.stringify(comparable(item, random)))
      .sort()
      .map((text) => JSON.parse(text) as unknown);
  }
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value)
    .filter(([key]) => !CHANCE.has(key))
    .map(([key, inner]): [string, unknown] => {
      if (key === "deletionTimestamp") return [key, "set"];
      if (key === "conditions") return [key, conditionsOf(inner)];
      return [key, comparable(inner, random)];
    })
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries);
}

function conditionsOf(conditions: unknown): unknown {
  if (!Array.isArray(conditions)) return comparable(conditions, new Map());
  const all = conditions as { type: string; status: string }[];
  return all.map(({ type, status }) => `${type}=${status}`).sort();
}

const CONTEXT = 60;

/** What one state has more or less than another; of two versions of an object, where they part. */
export function differences(wanted: readonly string[], found: readonly string[]): string[] {
  const surplus = [...found];
  const missing: string[] = [];
  for (const line of wanted) {
    const at = surplus.indexOf(line);
    if (at < 0) missing.push(line);
    else surplus.splice(at, 1);
  }
  const lines = missing.map((line) => {
    const name = nameOf(line);
    const at = surplus.findIndex((other) => nameOf(other) === name);
    if (at < 0) return `${name} is missing`;
    const [other = ""] = surplus.splice(at, 1);
    let same = 0;
    while (line[same] === other[same]) same++;
    const part = (text: string) => text.slice(Math.max(0, same - CONTEXT / 2), same + CONTEXT);
    return `${name} ends with ${part(other)} instead of ${part(line)}`;
  });
  return [...lines, ...surplus.map((line) => `${nameOf(line)} is too many`)];
}

function nameOf(line: string): string {
  const { kind, metadata } = JSON.parse(line) as AnyObject;
  return `${kind} ${metadata?.namespace ?? ""}/${metadata?.name}`;
}
