import type { Resource } from "../../api/resource.ts";
import { formatTime } from "../../lib/clock.ts";
import { copyJson } from "../../lib/json-copy.ts";
import { fieldOf, type KubeObject } from "../kube-object.ts";
import { CERTIFICATE_SIGNING_REQUEST } from "./certificate-signing-request.ts";
import { fillClaimSources } from "./claim-sources.ts";
import { CUSTOM_RESOURCE_DEFINITION } from "./custom-resource-definition.ts";
import { DAEMON_SET } from "./daemon-set.ts";
import { withoutDisabledFields } from "./disabled-fields.ts";
import { JOB } from "./job.ts";
import { NAMESPACE } from "./namespace.ts";
import { PERSISTENT_VOLUME } from "./persistent-volume.ts";
import { POD } from "./pod.ts";
import { PLAIN, type Strategy, type StrategyContext } from "./strategy.ts";
import { UNOWNED_OF_CUSTOM, unownedOf } from "./unowned-fields.ts";
import { dropBalancer, dropConfigSource, dropTopology, keepSecretNames } from "./unkept-fields.ts";

/** New objects start with this status, whatever the client sent. */
function withStatus(status: Readonly<Record<string, unknown>>): Partial<Strategy> {
  return {
    prepareCreate: (object) => {
      object["status"] = copyJson(status);
    },
  };
}

/** A name for those that have none, not even the beginning of one. */
function nameByUid({ metadata }: KubeObject): void {
  metadata.name ||= metadata.uid ?? "";
}

/** What this server answers itself is there from the start. */
function beginAvailability(service: KubeObject, { nowMs }: StrategyContext): void {
  const condition = {
    type: "Available",
    status: "True",
    lastTransitionTime: formatTime(nowMs),
    reason: "Local",
    message: "Local APIServices are always available",
  };
  service["status"] = fieldOf(service, "spec")["service"] ? {} : { conditions: [condition] };
}

const WITH_EMPTY_STATUS: Partial<Strategy> = withStatus({});
const WORKLOAD: Partial<Strategy> = { ...WITH_EMPTY_STATUS, generation: true };
/** Counters that clients may rely on from the first moment, as their schemas require them. */
const COUNTS_BUDGET: Partial<Strategy> = withStatus({
  currentHealthy: 0,
  desiredHealthy: 0,
  disruptionsAllowed: 0,
  expectedPods: 0,
});
const GENERATION: Partial<Strategy> = { generation: true };
const UPSERT: Partial<Strategy> = { createOnUpdate: true };
const CONDITIONAL: Partial<Strategy> = { unconditionalUpdate: false };

/** By "group/plural"; kinds that are not named follow `PLAIN`. */
const STRATEGIES: Readonly<Record<string, Partial<Strategy>>> = {
  "/pods": POD,
  "/namespaces": NAMESPACE,
  "/nodes": {
    keepsStatusOnCreate: true,
    prepareCreate: (node) => dropConfigSource(node),
    prepareUpdate: dropConfigSource,
  },
  "/services": {
    ...UPSERT,
    ...withStatus({ loadBalancer: {} }),
    prepareUpdate: dropBalancer,
    returnsDeleted: true,
  },
  "/endpoints": UPSERT,
  "/events": UPSERT,
  "/limitranges": { ...UPSERT, prepareCreate: nameByUid },
  "/persistentvolumes": PERSISTENT_VOLUME,
  "/persistentvolumeclaims": {
    returnsDeleted: true,
    prepareCreate: (claim) => {
      claim["status"] = { phase: "Pending" };
      fillClaimSources(claim);
    },
    prepareUpdate: fillClaimSources,
  },
  "/podtemplates": { ...GENERATION, returnsDeleted: true },
  "/replicationcontrollers": { ...WORKLOAD, ...withStatus({ replicas: 0 }), propagation: "Orphan" },
  "/resourcequotas": { ...WITH_EMPTY_STATUS, returnsDeleted: true },
  "/serviceaccounts": {
    returnsDeleted: true,
    prepareCreate: keepSecretNames,
    prepareUpdate: keepSecretNames,
  },
  "apps/daemonsets": DAEMON_SET,
  "apps/deployments": { ...WORKLOAD, annotationsCount: true, statusKeepsLabels: true },
  "apps/replicasets": { ...WORKLOAD, ...withStatus({ replicas: 0 }) },
  "apps/statefulsets": { ...WORKLOAD, ...withStatus({ availableReplicas: 0, replicas: 0 }) },
  "autoscaling/horizontalpodautoscalers": withStatus({ desiredReplicas: 0 }),
  "batch/cronjobs": WORKLOAD,
  "batch/jobs": JOB,
  "certificates.k8s.io/certificatesigningrequests": CERTIFICATE_SIGNING_REQUEST,
  "coordination.k8s.io/leases": { ...UPSERT, ...CONDITIONAL },
  "discovery.k8s.io/endpointslices": {
    ...GENERATION,
    labelsCount: true,
    prepareCreate: (slice) => dropTopology(slice),
    prepareUpdate: dropTopology,
  },
  "events.k8s.io/events": UPSERT,
  "networking.k8s.io/ingresses": { ...WORKLOAD, ...withStatus({ loadBalancer: {} }) },
  "networking.k8s.io/ingressclasses": GENERATION,
  "networking.k8s.io/networkpolicies": GENERATION,
  "node.k8s.io/runtimeclasses": { ...UPSERT, ...CONDITIONAL },
  "policy/poddisruptionbudgets": { ...WORKLOAD, ...COUNTS_BUDGET, ...CONDITIONAL },
  "rbac.authorization.k8s.io/clusterroles": UPSERT,
  "rbac.authorization.k8s.io/clusterrolebindings": UPSERT,
  "rbac.authorization.k8s.io/roles": UPSERT,
  "rbac.authorization.k8s.io/rolebindings": UPSERT,
  "scheduling.k8s.io/priorityclasses": { ...GENERATION, fixedGeneration: true },
  "storage.k8s.io/csidrivers": {
    ...GENERATION,
    ...CONDITIONAL,
    lateGeneration: true,
    returnsDeleted: true,
  },
  "storage.k8s.io/csinodes": { ...CONDITIONAL, returnsDeleted: true },
  "storage.k8s.io/csistoragecapacities": CONDITIONAL,
  "storage.k8s.io/storageclasses": { returnsDeleted: true },
  "storage.k8s.io/volumeattachments": {
    ...CONDITIONAL,
    ...withStatus({ attached: false }),
    returnsDeleted: true,
  },
  "admissionregistration.k8s.io/mutatingwebhookconfigurations": { ...GENERATION, ...CONDITIONAL },
  "admissionregistration.k8s.io/validatingwebhookconfigurations": { ...GENERATION, ...CONDITIONAL },
  "admissionregistration.k8s.io/validatingadmissionpolicies": { ...WORKLOAD, ...CONDITIONAL },
  "admissionregistration.k8s.io/validatingadmissionpolicybindings": {
    ...GENERATION,
    ...CONDITIONAL,
  },
  "apiextensions.k8s.io/customresourcedefinitions": CUSTOM_RESOURCE_DEFINITION,
  "apiregistration.k8s.io/apiservices": { ...CONDITIONAL, prepareCreate: beginAvailability },
  "flowcontrol.apiserver.k8s.io/flowschemas": WORKLOAD,
  "flowcontrol.apiserver.k8s.io/prioritylevelconfigurations": WORKLOAD,
};

/** The rules of a built-in resource. */
export function builtInStrategy(resource: Resource): Strategy {
  const key = `${resource.group}/${resource.plural}`;
  const unowned = unownedOf(key);
  const strategy = { ...PLAIN, ...STRATEGIES[key], ...(unowned ? { unowned } : {}) };
  return withoutDisabledFields(key, strategy);
}

/** The rules of custom resources. */
export function customStrategy(): Strategy {
  const unowned = UNOWNED_OF_CUSTOM;
  return { ...PLAIN, unconditionalUpdate: false, generation: true, unowned };
}
