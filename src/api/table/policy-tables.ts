import type {
  MutatingWebhookConfiguration,
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding as PolicyBinding,
  ValidatingWebhookConfiguration,
} from "../generated/types/admissionregistration-v1.ts";
import type { APIService } from "../generated/types/apiregistration-v1.ts";
import type { CertificateSigningRequest } from "../generated/types/certificates-v1.ts";
import type { FlowSchema, PriorityLevelConfiguration } from "../generated/types/flowcontrol-v1.ts";
import type { LabelSelector } from "../generated/types/meta-v1.ts";
import type { ClusterRoleBinding, RoleBinding } from "../generated/types/rbac-v1.ts";
import { humanDuration } from "../../lib/human-duration.ts";
import { ageOf, columnsOf, NONE, nameOf, type TableKind, UNSET } from "./table-kind.ts";

/** Roles and role bindings of one namespace and of the cluster look alike. */
export const ROLE_BINDING_TABLE: TableKind<RoleBinding | ClusterRoleBinding> = {
  columns: columnsOf("Name", "Role", "Age", "Users*", "Groups*", "ServiceAccounts*"),
  cells(object, context) {
    const subjects = object.subjects ?? [];
    const named = (kind: string) =>
      subjects
        .filter((subject) => subject.kind === kind)
        .map(({ namespace, name }) => {
          return kind === "ServiceAccount" ? `${namespace ?? ""}/${name}` : name;
        })
        .join(", ");
    return [
      nameOf(object),
      `${object.roleRef?.kind ?? ""}/${object.roleRef?.name ?? ""}`,
      ageOf(object, context),
      named("User"),
      named("Group"),
      named("ServiceAccount"),
    ];
  },
};

function requestCondition({ status }: CertificateSigningRequest): string {
  const conditions = new Set((status?.conditions ?? []).map(({ type }) => type));
  const words = conditions.has("Denied")
    ? ["Denied"]
    : [conditions.has("Approved") ? "Approved" : "Pending"];
  if (conditions.has("Failed")) words.push("Failed");
  if (status?.certificate) words.push("Issued");
  return words.join(",");
}

export const CERTIFICATE_SIGNING_REQUEST_TABLE: TableKind<CertificateSigningRequest> = {
  columns: columnsOf("Name", "Age", "SignerName", "Requestor", "RequestedDuration", "Condition"),
  cells(object, context) {
    const { spec } = object;
    const seconds = spec?.expirationSeconds;
    return [
      nameOf(object),
      ageOf(object, context),
      spec?.signerName || NONE,
      spec?.username ?? "",
      seconds === undefined ? NONE : humanDuration(seconds * 1000),
      requestCondition(object),
    ];
  },
};

type WebhookConfiguration = MutatingWebhookConfiguration | ValidatingWebhookConfiguration;

export const WEBHOOK_CONFIGURATION_TABLE: TableKind<WebhookConfiguration> = {
  columns: columnsOf("Name", "Webhooks:integer", "Age"),
  cells: (object, context) => [
    nameOf(object),
    object.webhooks?.length ?? 0,
    ageOf(object, context),
  ],
};

export const VALIDATING_ADMISSION_POLICY_TABLE: TableKind<ValidatingAdmissionPolicy> = {
  columns: columnsOf("Name", "Validations:integer", "ParamKind", "Age"),
  cells(object, context) {
    const param = object.spec?.paramKind;
    return [
      nameOf(object),
      object.spec?.validations?.length ?? 0,
      param ? `${param.apiVersion}/${param.kind}` : UNSET,
      ageOf(object, context),
    ];
  },
};

/** A selector as Go prints messages. */
function goSelector({ matchLabels = {}, matchExpressions = [] }: LabelSelector = {}): string {
  const labels = Object.keys(matchLabels).toSorted();
  const terms = matchExpressions.map(
    ({ key, operator, values = [] }) =>
      `LabelSelectorRequirement{Key:${key},Operator:${operator},Values:[${values.join(" ")}],},`,
  );
  const pairs = labels.map((name) => `${name}: ${matchLabels[name]},`).join("");
  return (
    `&LabelSelector{MatchLabels:map[string]string{${pairs}},` +
    `MatchExpressions:[]LabelSelectorRequirement{${terms.join("")}},}`
  );
}

export const VALIDATING_ADMISSION_POLICY_BINDING_TABLE: TableKind<PolicyBinding> = {
  columns: columnsOf("Name", "PolicyName", "ParamRef", "Age"),
  cells(object, context) {
    const param = object.spec?.paramRef;
    const named = `${param?.namespace ?? "*"}/${param?.name}`;
    return [
      nameOf(object),
      object.spec?.policyName ?? "",
      param ? (param.name ? named : goSelector(param.selector)) : UNSET,
      ageOf(object, context),
    ];
  },
};

export const FLOW_SCHEMA_TABLE: TableKind<FlowSchema> = {
  columns: columnsOf(
    "Name",
    "PriorityLevel",
    "MatchingPrecedence",
    "DistinguisherMethod",
    "Age",
    "MissingPL",
  ),
  cells(object, context) {
    const dangling = object.status?.conditions?.find(({ type }) => type === "Dangling");
    return [
      nameOf(object),
      object.spec?.priorityLevelConfiguration?.name ?? "",
      object.spec?.matchingPrecedence ?? 0,
      object.spec?.distinguisherMethod?.type ?? NONE,
      ageOf(object, context),
      dangling?.status ?? "?",
    ];
  },
};

export const PRIORITY_LEVEL_CONFIGURATION_TABLE: TableKind<PriorityLevelConfiguration> = {
  columns: columnsOf(
    "Name",
    "Type",
    "NominalConcurrencyShares",
    "Queues",
    "HandSize",
    "QueueLengthLimit",
    "Age",
  ),
  cells(object, context) {
    const limited = object.spec?.limited;
    const queuing = limited?.limitResponse?.queuing;
    const shares =
      limited?.nominalConcurrencyShares ?? object.spec?.exempt?.nominalConcurrencyShares;
    return [
      nameOf(object),
      object.spec?.type ?? "",
      shares ?? NONE,
      queuing?.queues ?? NONE,
      queuing?.handSize ?? NONE,
      queuing?.queueLengthLimit ?? NONE,
      ageOf(object, context),
    ];
  },
};

export const API_SERVICE_TABLE: TableKind<APIService> = {
  columns: columnsOf("Name", "Service", "Available", "Age"),
  cells(object, context) {
    const service = object.spec?.service;
    const available = object.status?.conditions?.find(({ type }) => type === "Available");
    const reason = available?.reason ? ` (${available.reason})` : "";
    return [
      nameOf(object),
      service ? `${service.namespace}/${service.name}` : "Local",
      !available
        ? "Unknown"
        : available.status === "True"
          ? "True"
          : `${available.status}${reason}`,
      ageOf(object, context),
    ];
  },
};
