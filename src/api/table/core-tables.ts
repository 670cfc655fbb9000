import type { Lease } from "../generated/types/coordination-v1.ts";
import type {
  ComponentStatus,
  ConfigMap,
  Event,
  Namespace,
  Node,
  ResourceQuota,
  Secret,
  ServiceAccount,
} from "../generated/types/core-v1.ts";
import type { Event as EventV1 } from "../generated/types/events-v1.ts";
import type { RuntimeClass } from "../generated/types/node-v1.ts";
import type { PriorityClass } from "../generated/types/scheduling-v1.ts";
import {
  ageOf,
  type CellContext,
  columnsOf,
  NONE,
  nameOf,
  since,
  type TableKind,
  UNKNOWN,
} from "./table-kind.ts";

const ROLE_LABEL = "node-role.kubernetes.io/";

function nodeStatus({ spec, status }: Node): string {
  const ready = status?.conditions?.find(({ type }) => type === "Ready");
  const text = !ready ? "Unknown" : ready.status === "True" ? "Ready" : "NotReady";
  return spec?.unschedulable ? `${text},SchedulingDisabled` : text;
}

function nodeRoles({ metadata }: Node): string {
  const roles = new Set<string>();
  for (const [key, value] of Object.entries(metadata?.labels ?? {})) {
    if (key.startsWith(ROLE_LABEL) && key.length > ROLE_LABEL.length) {
      roles.add(key.slice(ROLE_LABEL.length));
    } else if (key === "kubernetes.io/role" && value !== "") roles.add(value);
  }
  return roles.size === 0 ? NONE : [...roles].sort().join(",");
}

function nodeAddress({ status }: Node, wanted: string): string {
  return status?.addresses?.find(({ type }) => type === wanted)?.address ?? NONE;
}

export const NODE_TABLE: TableKind<Node> = {
  columns: columnsOf(
    "Name",
    "Status",
    "Roles",
    "Age",
    "Version",
    "Internal-IP*",
    "External-IP*",
    "OS-Image*",
    "Kernel-Version*",
    "Container-Runtime*",
  ),
  cells(node, context) {
    const info = node.status?.nodeInfo;
    return [
      nameOf(node),
      nodeStatus(node),
      nodeRoles(node),
      ageOf(node, context),
      info?.kubeletVersion ?? "",
      nodeAddress(node, "InternalIP"),
      nodeAddress(node, "ExternalIP"),
      info?.osImage || UNKNOWN,
      info?.kernelVersion || UNKNOWN,
      info?.containerRuntimeVersion || UNKNOWN,
    ];
  },
};

export const NAMESPACE_TABLE: TableKind<Namespace> = {
  columns: columnsOf("Name", "Status", "Age"),
  cells: (object, context) => [nameOf(object), object.status?.phase ?? "", ageOf(object, context)],
};

export const CONFIG_MAP_TABLE: TableKind<ConfigMap> = {
  columns: columnsOf("Name", "Data", "Age"),
  cells(object, context) {
    const count =
      Object.keys(object.data ?? {}).length + Object.keys(object.binaryData ?? {}).length;
    return [nameOf(object), count, ageOf(object, context)];
  },
};

export const SECRET_TABLE: TableKind<Secret> = {
  columns: columnsOf("Name", "Type", "Data", "Age"),
  cells: (object, context) => [
    nameOf(object),
    object.type ?? "",
    Object.keys(object.data ?? {}).length,
    ageOf(object, context),
  ],
};

export const SERVICE_ACCOUNT_TABLE: TableKind<ServiceAccount> = {
  columns: columnsOf("Name", "Secrets", "Age"),
  cells: (object, context) => [nameOf(object), object.secrets?.length ?? 0, ageOf(object, context)],
};

/** What both views of an event show. */
interface EventView {
  metadata?: Event["metadata"];
  object: Event["involvedObject"] | undefined;
  message: string | undefined;
  source: Event["source"];
  reporter: [component: string | undefined, instance: string | undefined];
  first: string | undefined;
  last: string | undefined;
  count: number | undefined;
  seen: string | undefined;
  series: { count?: number; lastObservedTime?: string } | undefined;
  type: string | undefined;
  reason: string | undefined;
}

const EVENT_COLUMNS = columnsOf(
  "Last Seen",
  "Type",
  "Reason",
  "Object",
  "Subobject*",
  "Source*",
  "Message",
  "First Seen*",
  "Count*",
  "Name*",
);

function eventCells(event: EventView, context: CellContext) {
  const first = event.first ? since(event.first, context) : since(event.seen, context);
  let last = event.last ? since(event.last, context) : first;
  let count = event.count ?? 1;
  if (event.series) {
    last = since(event.series.lastObservedTime, context);
    count = event.series.count ?? count;
  } else if (count === 0) count = 1;
  const { object } = event;
  const target = object?.name
    ? `${(object.kind ?? "").toLowerCase()}/${object.name}`
    : (object?.kind ?? "");
  const [component, host] = event.source?.component
    ? [event.source.component, event.source.host]
    : event.reporter;
  return [
    last,
    event.type ?? "",
    event.reason ?? "",
    target,
    object?.fieldPath ?? "",
    [component, host].filter(Boolean).join(", "),
    (event.message ?? "").trim(),
    first,
    count,
    event.metadata?.name ?? "",
  ];
}

export const EVENT_TABLE: TableKind<Event> = {
  columns: EVENT_COLUMNS,
  cells: (event, context) =>
    eventCells(
      {
        ...event,
        object: event.involvedObject,
        message: event.message,
        source: event.source,
        reporter: [event.reportingComponent, event.reportingInstance],
        first: event.firstTimestamp,
        last: event.lastTimestamp,
        count: event.count,
        seen: event.eventTime,
        series: event.series,
        type: event.type,
        reason: event.reason,
      },
      context,
    ),
};

export const EVENT_V1_TABLE: TableKind<EventV1> = {
  columns: EVENT_COLUMNS,
  cells: (event, context) =>
    eventCells(
      {
        ...(event.metadata ? { metadata: event.metadata } : {}),
        object: event.regarding,
        message: event.note,
        source: event.deprecatedSource,
        reporter: [event.reportingController, event.reportingInstance],
        first: event.deprecatedFirstTimestamp,
        last: event.deprecatedLastTimestamp,
        count: event.deprecatedCount,
        seen: event.eventTime,
        series: event.series,
        type: event.type,
        reason: event.reason,
      },
      context,
    ),
};

function quotaCell({ status }: ResourceQuota, limits: boolean): string {
  const hard = status?.hard ?? {};
  return Object.keys(hard)
    .filter((name) => name.startsWith("limits") === limits)
    .sort()
    .map((name) => `${name}: ${status?.used?.[name] ?? "0"}/${hard[name]}`)
    .join(", ");
}

export const RESOURCE_QUOTA_TABLE: TableKind<ResourceQuota> = {
  columns: columnsOf("Name", "Age", "Request", "Limit"),
  cells: (object, context) => [
    nameOf(object),
    ageOf(object, context),
    quotaCell(object, false),
    quotaCell(object, true),
  ],
};

export const COMPONENT_STATUS_TABLE: TableKind<ComponentStatus> = {
  columns: columnsOf("Name", "Status", "Message", "Error"),
  cells(object) {
    const healthy = object.conditions?.find(({ type }) => type === "Healthy");
    const status =
      healthy?.status === "True"
        ? "Healthy"
        : healthy?.status === "False"
          ? "Unhealthy"
          : "Unknown";
    return [nameOf(object), status, healthy?.message ?? "", healthy?.error ?? ""];
  },
};

export const LEASE_TABLE: TableKind<Lease> = {
  columns: columnsOf("Name", "Holder", "Age"),
  cells: (object, context) => [
    nameOf(object),
    object.spec?.holderIdentity ?? "",
    ageOf(object, context),
  ],
};

export const PRIORITY_CLASS_TABLE: TableKind<PriorityClass> = {
  columns: columnsOf("Name", "Value:integer", "Global-Default:boolean", "Age", "PreemptionPolicy"),
  cells: (object, context) => [
    nameOf(object),
    object.value ?? 0,
    object.globalDefault ?? false,
    ageOf(object, context),
    object.preemptionPolicy ?? "",
  ],
};

export const RUNTIME_CLASS_TABLE: TableKind<RuntimeClass> = {
  columns: columnsOf("Name", "Handler", "Age"),
  cells: (object, context) => [nameOf(object), object.handler ?? "", ageOf(object, context)],
};
