import type {
  ControllerRevision,
  DaemonSet,
  Deployment,
  ReplicaSet,
  StatefulSet,
} from "../generated/types/apps-v1.ts";
import type { HorizontalPodAutoscaler as HorizontalPodAutoscalerV1 } from "../generated/types/autoscaling-v1.ts";
import type {
  HorizontalPodAutoscaler,
  MetricSpec,
  MetricStatus,
} from "../generated/types/autoscaling-v2.ts";
import type { CronJob, Job } from "../generated/types/batch-v1.ts";
import type { PodTemplate, ReplicationController } from "../generated/types/core-v1.ts";
import type { PodDisruptionBudget } from "../generated/types/policy-v1.ts";
import { humanDuration } from "../../lib/human-duration.ts";
import {
  ageOf,
  type CellContext,
  columnsOf,
  containerCells,
  labelsCell,
  NONE,
  nameOf,
  selectorCell,
  since,
  type TableKind,
  UNKNOWN,
  UNSET,
} from "./table-kind.ts";

const REPLICA_COLUMNS = columnsOf(
  "Name",
  "Desired:integer",
  "Current:integer",
  "Ready:integer",
  "Age",
  "Containers*",
  "Images*",
  "Selector*",
);

export const POD_TEMPLATE_TABLE: TableKind<PodTemplate> = {
  columns: columnsOf("Name", "Containers", "Images", "Pod Labels"),
  cells: (object) => [
    nameOf(object),
    ...containerCells(object.template?.spec?.containers),
    labelsCell(object.template?.metadata?.labels),
  ],
};

export const DEPLOYMENT_TABLE: TableKind<Deployment> = {
  columns: columnsOf(
    "Name",
    "Ready",
    "Up-to-date",
    "Available",
    "Age",
    "Containers*",
    "Images*",
    "Selector*",
  ),
  cells: (object, context) => [
    nameOf(object),
    `${object.status?.readyReplicas ?? 0}/${object.spec?.replicas ?? 0}`,
    object.status?.updatedReplicas ?? 0,
    object.status?.availableReplicas ?? 0,
    ageOf(object, context),
    ...containerCells(object.spec?.template?.spec?.containers),
    selectorCell(object.spec?.selector),
  ],
};

export const REPLICA_SET_TABLE: TableKind<ReplicaSet> = {
  columns: REPLICA_COLUMNS,
  cells: (object, context) => [
    nameOf(object),
    object.spec?.replicas ?? 0,
    object.status?.replicas ?? 0,
    object.status?.readyReplicas ?? 0,
    ageOf(object, context),
    ...containerCells(object.spec?.template?.spec?.containers),
    selectorCell(object.spec?.selector),
  ],
};

export const REPLICATION_CONTROLLER_TABLE: TableKind<ReplicationController> = {
  columns: REPLICA_COLUMNS,
  cells: (object, context) => [
    nameOf(object),
    object.spec?.replicas ?? 0,
    object.status?.replicas ?? 0,
    object.status?.readyReplicas ?? 0,
    ageOf(object, context),
    ...containerCells(object.spec?.template?.spec?.containers),
    labelsCell(object.spec?.selector),
  ],
};

export const STATEFUL_SET_TABLE: TableKind<StatefulSet> = {
  columns: columnsOf("Name", "Ready", "Age", "Containers*", "Images*"),
  cells: (object, context) => [
    nameOf(object),
    `${object.status?.readyReplicas ?? 0}/${object.spec?.replicas ?? 0}`,
    ageOf(object, context),
    ...containerCells(object.spec?.template?.spec?.containers),
  ],
};

export const DAEMON_SET_TABLE: TableKind<DaemonSet> = {
  columns: columnsOf(
    "Name",
    "Desired:integer",
    "Current:integer",
    "Ready:integer",
    "Up-to-date:integer",
    "Available:integer",
    "Node Selector",
    "Age",
    "Containers*",
    "Images*",
    "Selector*",
  ),
  cells: (object, context) => [
    nameOf(object),
    object.status?.desiredNumberScheduled ?? 0,
    object.status?.currentNumberScheduled ?? 0,
    object.status?.numberReady ?? 0,
    object.status?.updatedNumberScheduled ?? 0,
    object.status?.numberAvailable ?? 0,
    labelsCell(object.spec?.template?.spec?.nodeSelector),
    ageOf(object, context),
    ...containerCells(object.spec?.template?.spec?.containers),
    selectorCell(object.spec?.selector),
  ],
};

export const CONTROLLER_REVISION_TABLE: TableKind<ControllerRevision> = {
  columns: columnsOf("Name", "Controller", "Revision", "Age"),
  cells(object, context) {
    const owner = object.metadata?.ownerReferences?.find(({ controller }) => controller);
    const group = owner?.apiVersion.split("/").at(-2);
    const kind = owner?.kind.toLowerCase() ?? "";
    const controller = owner ? `${kind}${group ? `.${group}` : ""}/${owner.name}` : NONE;
    return [nameOf(object), controller, object.revision ?? 0, ageOf(object, context)];
  },
};

function jobStatus({ metadata, status, spec }: Job): string {
  const holds = (type: string) =>
    status?.conditions?.some((condition) => condition.type === type && condition.status === "True");
  if (holds("Complete")) return "Complete";
  if (holds("Failed")) return "Failed";
  if (metadata?.deletionTimestamp) return "Terminating";
  if (spec?.suspend || holds("Suspended")) return "Suspended";
  return holds("FailureTarget") ? "FailureTarget" : "Running";
}

function jobCompletions({ spec, status }: Job): string {
  const succeeded = status?.succeeded ?? 0;
  if (spec?.completions !== undefined) return `${succeeded}/${spec.completions}`;
  const parallelism = spec?.parallelism ?? 0;
  return parallelism > 1 ? `${succeeded}/1 of ${parallelism}` : `${succeeded}/1`;
}

function jobDuration({ status }: Job, { nowMs }: CellContext): string {
  if (!status?.startTime) return "";
  const end = status.completionTime ? Date.parse(status.completionTime) : nowMs;
  return humanDuration(end - Date.parse(status.startTime));
}

export const JOB_TABLE: TableKind<Job> = {
  columns: columnsOf(
    "Name",
    "Status",
    "Completions",
    "Duration",
    "Age",
    "Containers*",
    "Images*",
    "Selector*",
  ),
  cells: (object, context) => [
    nameOf(object),
    jobStatus(object),
    jobCompletions(object),
    jobDuration(object, context),
    ageOf(object, context),
    ...containerCells(object.spec?.template?.spec?.containers),
    selectorCell(object.spec?.selector),
  ],
};

export const CRON_JOB_TABLE: TableKind<CronJob> = {
  columns: columnsOf(
    "Name",
    "Schedule",
    "Timezone",
    "Suspend:boolean",
    "Active:integer",
    "Last Schedule",
    "Age",
    "Containers*",
    "Images*",
    "Selector*",
  ),
  cells(object, context) {
    const { spec, status } = object;
    const job = spec?.jobTemplate?.spec;
    return [
      nameOf(object),
      spec?.schedule ?? "",
      spec?.timeZone ?? NONE,
      spec?.suspend === undefined ? UNSET : spec.suspend ? "True" : "False",
      status?.active?.length ?? 0,
      status?.lastScheduleTime ? since(status.lastScheduleTime, context) : NONE,
      ageOf(object, context),
      ...containerCells(job?.template?.spec?.containers),
      selectorCell(job?.selector),
    ];
  },
};

/** One metric as "name: current/target", found by its place in both lists. */
function metricText(metric: MetricSpec, current: MetricStatus | undefined): string {
  const source = metric.resource ?? metric.containerResource;
  const target = (source ?? metric.object ?? metric.pods ?? metric.external)?.target;
  const found = current?.resource ?? current?.containerResource;
  const now = (found ?? current?.object ?? current?.pods ?? current?.external)?.current;
  const percent = target?.averageUtilization !== undefined;
  const wanted = percent
    ? `${target.averageUtilization}%`
    : (target?.averageValue ?? target?.value ?? "<auto>");
  const measured = percent
    ? now?.averageUtilization !== undefined && `${now.averageUtilization}%`
    : target?.averageValue !== undefined
      ? now?.averageValue
      : now?.value;
  // Those of pods are averages anyway.
  const isOther = metric.object !== undefined || metric.external !== undefined;
  const average = isOther && target?.averageValue !== undefined ? " (avg)" : "";
  const text = `${measured || UNKNOWN}/${wanted}${average}`;
  return source ? `${source.name}: ${text}` : text;
}

export const HORIZONTAL_POD_AUTOSCALER_TABLE: TableKind<HorizontalPodAutoscaler> = {
  columns: columnsOf("Name", "Reference", "Targets", "MinPods", "MaxPods", "Replicas", "Age"),
  cells(object, context) {
    const { spec, status } = object;
    const metrics = (spec?.metrics ?? []).map((metric, at) =>
      metricText(metric, status?.currentMetrics?.[at]),
    );
    const shown = metrics.length > 2 ? metrics.slice(0, 2).join(", ") : metrics.join(", ");
    const more = metrics.length > 2 ? ` + ${metrics.length - 2} more...` : "";
    return [
      nameOf(object),
      `${spec?.scaleTargetRef?.kind ?? ""}/${spec?.scaleTargetRef?.name ?? ""}`,
      metrics.length === 0 ? NONE : shown + more,
      spec?.minReplicas === undefined ? UNSET : String(spec.minReplicas),
      spec?.maxReplicas ?? 0,
      status?.currentReplicas ?? 0,
      ageOf(object, context),
    ];
  },
};

export const HORIZONTAL_POD_AUTOSCALER_V1_TABLE: TableKind<HorizontalPodAutoscalerV1> = {
  columns: HORIZONTAL_POD_AUTOSCALER_TABLE.columns,
  cells(object, context) {
    const { spec, status } = object;
    const wanted = spec?.targetCPUUtilizationPercentage;
    const current = status?.currentCPUUtilizationPercentage;
    const measured = current === undefined ? UNKNOWN : `${current}%`;
    return [
      nameOf(object),
      `${spec?.scaleTargetRef?.kind ?? ""}/${spec?.scaleTargetRef?.name ?? ""}`,
      wanted === undefined ? NONE : `cpu: ${measured}/${wanted}%`,
      spec?.minReplicas === undefined ? UNSET : String(spec.minReplicas),
      spec?.maxReplicas ?? 0,
      status?.currentReplicas ?? 0,
      ageOf(object, context),
    ];
  },
};

export const POD_DISRUPTION_BUDGET_TABLE: TableKind<PodDisruptionBudget> = {
  columns: columnsOf(
    "Name",
    "Min Available",
    "Max Unavailable",
    "Allowed Disruptions:integer",
    "Age",
  ),
  cells: (object, context) => [
    nameOf(object),
    String(object.spec?.minAvailable ?? "N/A"),
    String(object.spec?.maxUnavailable ?? "N/A"),
    object.status?.disruptionsAllowed ?? 0,
    ageOf(object, context),
  ],
};
