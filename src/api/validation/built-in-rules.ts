import { type KindRules, rulesFor } from "./kind-rules.ts";
import { API_SERVICE } from "./kinds/api-service.ts";
import { CERTIFICATE_SIGNING_REQUEST } from "./kinds/certificate-signing-request.ts";
import { CLUSTER_ROLE_BINDING } from "./kinds/cluster-role-binding.ts";
import { CLUSTER_ROLE } from "./kinds/cluster-role.ts";
import { CONFIG_MAP } from "./kinds/config-map.ts";
import { CONTROLLER_REVISION } from "./kinds/controller-revision.ts";
import { CRON_JOB } from "./kinds/cron-job.ts";
import { CSI_DRIVER } from "./kinds/csi-driver.ts";
import { CSI_NODE } from "./kinds/csi-node.ts";
import { CSI_STORAGE_CAPACITY } from "./kinds/csi-storage-capacity.ts";
import { CUSTOM_RESOURCE_DEFINITION } from "./kinds/custom-resource-definition.ts";
import { DAEMON_SET } from "./kinds/daemon-set.ts";
import { DEPLOYMENT } from "./kinds/deployment.ts";
import { ENDPOINT_SLICE } from "./kinds/endpoint-slice.ts";
import { ENDPOINTS } from "./kinds/endpoints.ts";
import { CORE_EVENT, EVENT } from "./kinds/event.ts";
import { FLOW_SCHEMA } from "./kinds/flow-schema.ts";
import { HORIZONTAL_POD_AUTOSCALER } from "./kinds/horizontal-pod-autoscaler.ts";
import { INGRESS_CLASS } from "./kinds/ingress-class.ts";
import { INGRESS } from "./kinds/ingress.ts";
import { JOB } from "./kinds/job.ts";
import { LEASE } from "./kinds/lease.ts";
import { LIMIT_RANGE } from "./kinds/limit-range.ts";
import { NAMESPACE } from "./kinds/namespace.ts";
import { NETWORK_POLICY } from "./kinds/network-policy.ts";
import { NODE } from "./kinds/node.ts";
import { PERSISTENT_VOLUME_CLAIM } from "./kinds/persistent-volume-claim.ts";
import { PERSISTENT_VOLUME } from "./kinds/persistent-volume.ts";
import { POD_DISRUPTION_BUDGET } from "./kinds/pod-disruption-budget.ts";
import { POD_TEMPLATE } from "./kinds/pod-template.ts";
import { POD } from "./kinds/pod.ts";
import { PRIORITY_CLASS } from "./kinds/priority-class.ts";
import { PRIORITY_LEVEL_CONFIGURATION } from "./kinds/priority-level-configuration.ts";
import { REPLICA_SET } from "./kinds/replica-set.ts";
import { REPLICATION_CONTROLLER } from "./kinds/replication-controller.ts";
import { RESOURCE_QUOTA } from "./kinds/resource-quota.ts";
import { ROLE_BINDING } from "./kinds/role-binding.ts";
import { ROLE } from "./kinds/role.ts";
import { RUNTIME_CLASS } from "./kinds/runtime-class.ts";
import { SECRET } from "./kinds/secret.ts";
import { SERVICE } from "./kinds/service.ts";
import { STATEFUL_SET } from "./kinds/stateful-set.ts";
import { STORAGE_CLASS } from "./kinds/storage-class.ts";
import { VALIDATING_ADMISSION_POLICY_BINDING } from "./kinds/validating-admission-policy-binding.ts";
import { VALIDATING_ADMISSION_POLICY } from "./kinds/validating-admission-policy.ts";
import { VOLUME_ATTACHMENT } from "./kinds/volume-attachment.ts";
import { WEBHOOK_CONFIGURATION } from "./kinds/webhook-configuration.ts";

/** Rules of the built-in kinds, by "group/plural"; the rest have their metadata checked. */
export const BUILT_IN_RULES: Readonly<Record<string, KindRules<never>>> = {
  "/configmaps": rulesFor(CONFIG_MAP),
  "/endpoints": rulesFor(ENDPOINTS),
  "/events": rulesFor(CORE_EVENT),
  "/limitranges": rulesFor(LIMIT_RANGE),
  "/namespaces": rulesFor(NAMESPACE),
  "/nodes": rulesFor(NODE),
  "/persistentvolumeclaims": rulesFor(PERSISTENT_VOLUME_CLAIM),
  "/persistentvolumes": rulesFor(PERSISTENT_VOLUME),
  "/pods": rulesFor(POD),
  "/podtemplates": rulesFor(POD_TEMPLATE),
  "/replicationcontrollers": rulesFor(REPLICATION_CONTROLLER),
  "/resourcequotas": rulesFor(RESOURCE_QUOTA),
  "/secrets": rulesFor(SECRET),
  "/services": rulesFor(SERVICE),
  "admissionregistration.k8s.io/mutatingwebhookconfigurations": rulesFor(WEBHOOK_CONFIGURATION),
  "admissionregistration.k8s.io/validatingadmissionpolicies": rulesFor(VALIDATING_ADMISSION_POLICY),
  "admissionregistration.k8s.io/validatingadmissionpolicybindings": rulesFor(
    VALIDATING_ADMISSION_POLICY_BINDING,
  ),
  "admissionregistration.k8s.io/validatingwebhookconfigurations": rulesFor(WEBHOOK_CONFIGURATION),
  "apiextensions.k8s.io/customresourcedefinitions": rulesFor(CUSTOM_RESOURCE_DEFINITION),
  "apiregistration.k8s.io/apiservices": rulesFor(API_SERVICE),
  "apps/controllerrevisions": rulesFor(CONTROLLER_REVISION),
  "apps/daemonsets": rulesFor(DAEMON_SET),
  "apps/deployments": rulesFor(DEPLOYMENT),
  "apps/replicasets": rulesFor(REPLICA_SET),
  "apps/statefulsets": rulesFor(STATEFUL_SET),
  "autoscaling/horizontalpodautoscalers": rulesFor(HORIZONTAL_POD_AUTOSCALER),
  "batch/cronjobs": rulesFor(CRON_JOB),
  "batch/jobs": rulesFor(JOB),
  "certificates.k8s.io/certificatesigningrequests": rulesFor(CERTIFICATE_SIGNING_REQUEST),
  "coordination.k8s.io/leases": rulesFor(LEASE),
  "discovery.k8s.io/endpointslices": rulesFor(ENDPOINT_SLICE),
  "events.k8s.io/events": rulesFor(EVENT),
  "flowcontrol.apiserver.k8s.io/flowschemas": rulesFor(FLOW_SCHEMA),
  "flowcontrol.apiserver.k8s.io/prioritylevelconfigurations": rulesFor(
    PRIORITY_LEVEL_CONFIGURATION,
  ),
  "networking.k8s.io/ingressclasses": rulesFor(INGRESS_CLASS),
  "networking.k8s.io/ingresses": rulesFor(INGRESS),
  "networking.k8s.io/networkpolicies": rulesFor(NETWORK_POLICY),
  "node.k8s.io/runtimeclasses": rulesFor(RUNTIME_CLASS),
  "policy/poddisruptionbudgets": rulesFor(POD_DISRUPTION_BUDGET),
  "rbac.authorization.k8s.io/clusterrolebindings": rulesFor(CLUSTER_ROLE_BINDING),
  "rbac.authorization.k8s.io/clusterroles": rulesFor(CLUSTER_ROLE),
  "rbac.authorization.k8s.io/rolebindings": rulesFor(ROLE_BINDING),
  "rbac.authorization.k8s.io/roles": rulesFor(ROLE),
  "scheduling.k8s.io/priorityclasses": rulesFor(PRIORITY_CLASS),
  "storage.k8s.io/csidrivers": rulesFor(CSI_DRIVER),
  "storage.k8s.io/csinodes": rulesFor(CSI_NODE),
  "storage.k8s.io/csistoragecapacities": rulesFor(CSI_STORAGE_CAPACITY),
  "storage.k8s.io/storageclasses": rulesFor(STORAGE_CLASS),
  "storage.k8s.io/volumeattachments": rulesFor(VOLUME_ATTACHMENT),
};
