import type { ObjectMeta } from "../generated/types/meta-v1.ts";
import type { Resource } from "../resource.ts";
import * as core from "./core-tables.ts";
import * as metrics from "./metrics-tables.ts";
import * as network from "./network-tables.ts";
import { POD_TABLE } from "./pod-table.ts";
import * as policy from "./policy-tables.ts";
import * as storage from "./storage-tables.ts";
import {
  type Cell,
  columnsOf,
  nameOf,
  type RowCondition,
  type TableColumn,
  type TableKind,
} from "./table-kind.ts";
import * as workload from "./workload-tables.ts";

/** What of each object a row carries: nothing, its metadata, or all of it. */
export type IncludeObject = "None" | "Metadata" | "Object";

/** Versions of tables, which are all of one shape. */
export type TableVersion = "v1" | "v1beta1";

/** `metav1.Table`. */
export interface Table {
  kind: "Table";
  apiVersion: `meta.k8s.io/${TableVersion}`;
  metadata: { resourceVersion?: string; continue?: string; remainingItemCount?: number };
  columnDefinitions?: readonly TableColumn[];
  rows: TableRow[];
}

/** `metav1.TableRow`. */
export interface TableRow {
  /** `null` for a value that the object lacks. */
  cells: (Cell | null)[];
  conditions?: RowCondition[];
  object?: unknown;
}

/** What a table is made of. */
export interface TableRequest {
  resource: Resource;
  objects: readonly unknown[];
  /** "Metadata" when absent, as in the query parameter. */
  includeObject?: IncludeObject;
  nowMs: number;
  /** "v1" when absent. */
  version?: TableVersion;
  /** metadata of the list, or of the object for a table of one. */
  metadata?: Table["metadata"];
  /** Leaves the column definitions out, as watch events after the first may. */
  noHeaders?: boolean;
  /** How rows are made, when the kind is a custom resource with columns of its own. */
  kind?: TableKind<never>;
}

type Named = { metadata?: ObjectMeta };

/** Kinds without columns of their own. */
const DEFAULT_TABLE: TableKind<Named> = {
  columns: columnsOf("Name", "Created At:date"),
  cells: (object) => [nameOf(object), object.metadata?.creationTimestamp ?? ""],
};

/** By "group/plural", or "group/version/plural" where versions differ. */
const TABLES: Readonly<Record<string, TableKind<never>>> = {
  "/pods": POD_TABLE,
  "/podtemplates": workload.POD_TEMPLATE_TABLE,
  "/replicationcontrollers": workload.REPLICATION_CONTROLLER_TABLE,
  "/services": network.SERVICE_TABLE,
  "/endpoints": network.ENDPOINTS_TABLE,
  "/nodes": core.NODE_TABLE,
  "/namespaces": core.NAMESPACE_TABLE,
  "/configmaps": core.CONFIG_MAP_TABLE,
  "/secrets": core.SECRET_TABLE,
  "/serviceaccounts": core.SERVICE_ACCOUNT_TABLE,
  "/events": core.EVENT_TABLE,
  "/resourcequotas": core.RESOURCE_QUOTA_TABLE,
  "/componentstatuses": core.COMPONENT_STATUS_TABLE,
  "/persistentvolumes": storage.PERSISTENT_VOLUME_TABLE,
  "/persistentvolumeclaims": storage.PERSISTENT_VOLUME_CLAIM_TABLE,
  "apps/deployments": workload.DEPLOYMENT_TABLE,
  "apps/replicasets": workload.REPLICA_SET_TABLE,
  "apps/statefulsets": workload.STATEFUL_SET_TABLE,
  "apps/daemonsets": workload.DAEMON_SET_TABLE,
  "apps/controllerrevisions": workload.CONTROLLER_REVISION_TABLE,
  "batch/jobs": workload.JOB_TABLE,
  "batch/cronjobs": workload.CRON_JOB_TABLE,
  "autoscaling/horizontalpodautoscalers": workload.HORIZONTAL_POD_AUTOSCALER_TABLE,
  "autoscaling/v1/horizontalpodautoscalers": workload.HORIZONTAL_POD_AUTOSCALER_V1_TABLE,
  "policy/poddisruptionbudgets": workload.POD_DISRUPTION_BUDGET_TABLE,
  "events.k8s.io/events": core.EVENT_V1_TABLE,
  "coordination.k8s.io/leases": core.LEASE_TABLE,
  "scheduling.k8s.io/priorityclasses": core.PRIORITY_CLASS_TABLE,
  "node.k8s.io/runtimeclasses": core.RUNTIME_CLASS_TABLE,
  "discovery.k8s.io/endpointslices": network.ENDPOINT_SLICE_TABLE,
  "networking.k8s.io/ingresses": network.INGRESS_TABLE,
  "networking.k8s.io/ingressclasses": network.INGRESS_CLASS_TABLE,
  "networking.k8s.io/networkpolicies": network.NETWORK_POLICY_TABLE,
  "rbac.authorization.k8s.io/rolebindings": policy.ROLE_BINDING_TABLE,
  "rbac.authorization.k8s.io/clusterrolebindings": policy.ROLE_BINDING_TABLE,
  "certificates.k8s.io/certificatesigningrequests": policy.CERTIFICATE_SIGNING_REQUEST_TABLE,
  "admissionregistration.k8s.io/mutatingwebhookconfigurations": policy.WEBHOOK_CONFIGURATION_TABLE,
  "admissionregistration.k8s.io/validatingwebhookconfigurations":
    policy.WEBHOOK_CONFIGURATION_TABLE,
  "admissionregistration.k8s.io/validatingadmissionpolicies":
    policy.VALIDATING_ADMISSION_POLICY_TABLE,
  "admissionregistration.k8s.io/validatingadmissionpolicybindings":
    policy.VALIDATING_ADMISSION_POLICY_BINDING_TABLE,
  "flowcontrol.apiserver.k8s.io/flowschemas": policy.FLOW_SCHEMA_TABLE,
  "flowcontrol.apiserver.k8s.io/prioritylevelconfigurations":
    policy.PRIORITY_LEVEL_CONFIGURATION_TABLE,
  "apiregistration.k8s.io/apiservices": policy.API_SERVICE_TABLE,
  "metrics.k8s.io/nodes": metrics.NODE_METRICS_TABLE,
  "metrics.k8s.io/pods": metrics.POD_METRICS_TABLE,
  "storage.k8s.io/storageclasses": storage.STORAGE_CLASS_TABLE,
  "storage.k8s.io/volumeattachments": storage.VOLUME_ATTACHMENT_TABLE,
  "storage.k8s.io/csidrivers": storage.CSI_DRIVER_TABLE,
  "storage.k8s.io/csinodes": storage.CSI_NODE_TABLE,
};

/**
 * Objects as the table that kubectl prints: the columns and texts of Kubernetes 1.32, all columns
 * including those of wide output. Objects are read as they were stored; what they lack shows as
 * users expect ("<none>", "<unknown>").
 */
export function tableFor(request: TableRequest): Table {
  const { group, version, plural } = request.resource;
  const kind = (request.kind ??
    TABLES[`${group}/${version}/${plural}`] ??
    TABLES[`${group}/${plural}`] ??
    DEFAULT_TABLE) as TableKind<unknown>;
  const include = request.includeObject ?? "Metadata";
  const context = { nowMs: request.nowMs };
  const apiVersion = `meta.k8s.io/${request.version ?? "v1"}` as const;
  const rows = request.objects.map((object) => {
    const row: TableRow = { cells: kind.cells(object, context) };
    const conditions = kind.conditions?.(object) ?? [];
    if (conditions.length > 0) row.conditions = conditions;
    if (include === "Object") row.object = object;
    else if (include === "Metadata")
      row.object = { ...partialMetadata(object as Named), apiVersion };
    return row;
  });
  return {
    kind: "Table",
    apiVersion,
    metadata: request.metadata ?? {},
    ...(request.noHeaders ? {} : { columnDefinitions: kind.columns }),
    rows,
  };
}

/** `metav1.PartialObjectMetadata`. */
export function partialMetadata(object: { metadata?: unknown }): Record<string, unknown> {
  return {
    kind: "PartialObjectMetadata",
    apiVersion: "meta.k8s.io/v1",
    metadata: object.metadata ?? {},
  };
}
