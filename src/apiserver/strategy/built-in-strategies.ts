import type { Resource } from "../../api/resource.ts";
import { CERTIFICATE_SIGNING_REQUEST } from "./certificate-signing-request.ts";
import { CUSTOM_RESOURCE_DEFINITION } from "./custom-resource-definition.ts";
import { JOB } from "./job.ts";
import { NAMESPACE } from "./namespace.ts";
import { POD } from "./pod.ts";
import { SECRET } from "./secret.ts";
import { PLAIN, type Strategy } from "./strategy.ts";

const WITH_EMPTY_STATUS: Partial<Strategy> = {
  prepareCreate: (object) => {
    object["status"] = {};
  },
};
const WORKLOAD: Partial<Strategy> = { ...WITH_EMPTY_STATUS, generation: true };
const PENDING: Partial<Strategy> = {
  returnsDeleted: true,
  prepareCreate: (object) => {
    object["status"] = { phase: "Pending" };
  },
};
const GENERATION: Partial<Strategy> = { generation: true };
const UPSERT: Partial<Strategy> = { createOnUpdate: true };
const CONDITIONAL: Partial<Strategy> = { unconditionalUpdate: false };

/** By "group/plural"; kinds that are not named follow `PLAIN`. */
const STRATEGIES: Readonly<Record<string, Partial<Strategy>>> = {
  "/pods": POD,
  "/namespaces": NAMESPACE,
  "/nodes": { keepsStatusOnCreate: true },
  "/secrets": SECRET,
  "/services": {
    ...UPSERT,
    returnsDeleted: true,
    prepareCreate: (service) => {
      service["status"] = { loadBalancer: {} };
    },
  },
  "/endpoints": UPSERT,
  "/events": UPSERT,
  "/limitranges": UPSERT,
  "/persistentvolumes": PENDING,
  "/persistentvolumeclaims": PENDING,
  "/podtemplates": { ...GENERATION, returnsDeleted: true },
  "/replicationcontrollers": { ...WORKLOAD, propagation: "Orphan" },
  "/resourcequotas": { ...WITH_EMPTY_STATUS, returnsDeleted: true },
  "/serviceaccounts": { returnsDeleted: true },
  "apps/daemonsets": WORKLOAD,
  "apps/deployments": WORKLOAD,
  "apps/replicasets": WORKLOAD,
  "apps/statefulsets": WORKLOAD,
  "autoscaling/horizontalpodautoscalers": WITH_EMPTY_STATUS,
  "batch/cronjobs": WORKLOAD,
  "batch/jobs": JOB,
  "certificates.k8s.io/certificatesigningrequests": CERTIFICATE_SIGNING_REQUEST,
  "coordination.k8s.io/leases": { ...UPSERT, ...CONDITIONAL },
  "discovery.k8s.io/endpointslices": GENERATION,
  "events.k8s.io/events": UPSERT,
  "networking.k8s.io/ingresses": WORKLOAD,
  "networking.k8s.io/ingressclasses": GENERATION,
  "networking.k8s.io/networkpolicies": GENERATION,
  "node.k8s.io/runtimeclasses": { ...UPSERT, ...CONDITIONAL },
  "policy/poddisruptionbudgets": { ...WORKLOAD, ...CONDITIONAL },
  "rbac.authorization.k8s.io/clusterroles": UPSERT,
  "rbac.authorization.k8s.io/clusterrolebindings": UPSERT,
  "rbac.authorization.k8s.io/roles": UPSERT,
  "rbac.authorization.k8s.io/rolebindings": UPSERT,
  "scheduling.k8s.io/priorityclasses": GENERATION,
  "storage.k8s.io/csidrivers": CONDITIONAL,
  "storage.k8s.io/csinodes": CONDITIONAL,
  "storage.k8s.io/csistoragecapacities": CONDITIONAL,
  "storage.k8s.io/storageclasses": { returnsDeleted: true },
  "storage.k8s.io/volumeattachments": { ...CONDITIONAL, returnsDeleted: true },
  "admissionregistration.k8s.io/mutatingwebhookconfigurations": { ...GENERATION, ...CONDITIONAL },
  "admissionregistration.k8s.io/validatingwebhookconfigurations": { ...GENERATION, ...CONDITIONAL },
  "admissionregistration.k8s.io/validatingadmissionpolicies": WORKLOAD,
  "admissionregistration.k8s.io/validatingadmissionpolicybindings": GENERATION,
  "apiextensions.k8s.io/customresourcedefinitions": CUSTOM_RESOURCE_DEFINITION,
  "apiregistration.k8s.io/apiservices": WITH_EMPTY_STATUS,
  "flowcontrol.apiserver.k8s.io/flowschemas": WORKLOAD,
  "flowcontrol.apiserver.k8s.io/prioritylevelconfigurations": WORKLOAD,
};

/** The rules of a built-in resource. */
export function builtInStrategy(resource: Resource): Strategy {
  return { ...PLAIN, ...STRATEGIES[`${resource.group}/${resource.plural}`] };
}

/** The rules of custom resources. */
export function customStrategy(): Strategy {
  return { ...PLAIN, unconditionalUpdate: false, generation: true };
}
