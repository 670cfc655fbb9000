import { deepEqual } from "../../lib/deep-equal.ts";
import { dns1123LabelErrors } from "../../lib/names.ts";
import type { CommonSpec } from "../common-spec.ts";
import type { StatefulSet } from "../generated/types/apps-v1.ts";
import type { CronJob, Job, JobSpec } from "../generated/types/batch-v1.ts";
import type {
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  PodTemplate,
  PodTemplateSpec,
  Secret,
  Service,
} from "../generated/types/core-v1.ts";
import type { EndpointSlice } from "../generated/types/discovery-v1.ts";
import type { ObjectMeta } from "../generated/types/meta-v1.ts";
import type { Ingress } from "../generated/types/networking-v1.ts";
import type { RuntimeClass } from "../generated/types/node-v1.ts";
import type { CSIStorageCapacity, StorageClass } from "../generated/types/storage-v1.ts";
import type { Resource } from "../resource.ts";
import { addressWarnings, rangeWarnings } from "./address-warnings.ts";
import { claimWarnings } from "./claim-warnings.ts";
import {
  labelSelectorWarnings,
  nodeLabelWarning,
  nodeSelectorWarnings,
} from "./node-label-warnings.ts";
import { podWarnings } from "./pod-warnings.ts";

/** Warnings of one kind: of a new object, or of a changed one when there is an old one. */
type Warner<T> = (object: T, old: T | undefined, common?: CommonSpec) => readonly string[];

const CLASS_ANNOTATION = "volume.beta.kubernetes.io/storage-class";
/** Above both of these finished indexes may grow too many to be told. */
const TRACKED_COMPLETIONS = 100_000;
const TRACKED_PARALLELISM = 10_000;
const MOUNT_OPTIONS = "volume.beta.kubernetes.io/mount-options";
const INGRESS_CLASS = "kubernetes.io/ingress.class";
const MOUNTABLE = "kubernetes.io/enforce-mountable-secrets";
const TOPOLOGY_HINTS = "service.kubernetes.io/topology-aware-hints";
const TOPOLOGY_MODE = "service.kubernetes.io/topology-mode";
const OLD_VOLUMES: Readonly<Record<string, string>> = {
  photonPersistentDisk: "photonPersistentDisk: deprecated in v1.11, non-functional in v1.16+",
  scaleIO: "scaleIO: deprecated in v1.16, non-functional in v1.22+",
  storageos: "storageOS: deprecated in v1.22, non-functional in v1.25+",
  glusterfs: "glusterfs: deprecated in v1.25, non-functional in v1.26+",
  cephfs: "cephfs: deprecated in v1.28, non-functional in v1.31+",
  rbd: "rbd: deprecated in v1.28, non-functional in v1.31+",
  flocker: "flocker: deprecated in v1.22, non-functional in v1.25+",
  quobyte: "quobyte: deprecated in v1.22, non-functional in v1.25+",
};

interface Annotated {
  metadata?: ObjectMeta;
}

function annotation(object: Annotated, key: string): string | undefined {
  return object.metadata?.annotations?.[key];
}

/** A name that becomes part of host names had better be a label. */
function nameWarnings({ metadata }: Annotated, use: string): string[] {
  const complaints = dns1123LabelErrors(metadata?.name ?? "");
  if (complaints.length === 0) return [];
  const advice = "which can result in surprising behavior; a DNS label is recommended";
  return [`metadata.name: this is used in ${use}, ${advice}: [${complaints.join(" ")}]`];
}

interface Workload extends Annotated {
  spec?: { template?: PodTemplateSpec };
}

/** Only what a write brings is warned of. */
function workloadWarnings(named: boolean): Warner<Workload> {
  return (workload, old) => {
    const name = named && !old ? nameWarnings(workload, "Pod names and hostnames") : [];
    const template = workload.spec?.template;
    if (!template || (old && deepEqual(template, old.spec?.template))) return name;
    return [...name, ...podWarnings(template, "spec.template")];
  };
}

const statefulSetWarnings: Warner<StatefulSet> = (set, old) => {
  const warnings = [...workloadWarnings(true)(set, old)];
  if (old && deepEqual(set.spec, old.spec)) return warnings;
  for (const [index, claim] of (set.spec?.volumeClaimTemplates ?? []).entries()) {
    warnings.push(...claimWarnings(`spec.volumeClaimTemplates[${index}].Spec`, claim.spec));
  }
  if ((set.spec?.revisionHistoryLimit ?? 0) < 0) {
    const text = "a negative value retains all historical revisions; a value >= 0 is recommended";
    warnings.push(`spec.revisionHistoryLimit: ${text}`);
  }
  return warnings;
};

/** Indexes of so many pods that none may fail. */
function indexWarnings(path: string, spec: JobSpec | undefined): string[] {
  const { completionMode, completions = 0, parallelism = 0 } = spec ?? {};
  if (completionMode !== "Indexed") return [];
  if (completions <= TRACKED_COMPLETIONS || parallelism <= TRACKED_PARALLELISM) return [];
  return [
    `${path}: In Indexed Jobs with a number of completions higher than 10^5 and a parallelism ` +
      "higher than 10^4, Kubernetes might not be able to track completedIndexes when a big " +
      "number of indexes fail",
  ];
}

const jobWarnings: Warner<Job> = (job, old) => {
  const [name, pods] = [workloadWarnings(true)(job, old), indexWarnings("spec", job.spec)];
  return old && deepEqual(job.spec, old.spec) ? name : [...pods, ...name];
};

const cronJobWarnings: Warner<CronJob> = (job, old) => {
  const name = old ? [] : nameWarnings(job, "Pod names and hostnames");
  const [spec, before] = [job.spec?.jobTemplate?.spec, old?.spec?.jobTemplate?.spec];
  if (!spec || (old && deepEqual(spec, before))) return name;
  const warnings = [...name, ...indexWarnings("spec.jobTemplate.spec", spec)];
  const { template } = spec;
  if (!template || (old && deepEqual(template, before?.template))) return warnings;
  return [...warnings, ...podWarnings(template, "spec.jobTemplate.spec.template")];
};

/** Of pods that exist nobody is warned: they change often, and not by hand. */
const podCreateWarnings: Warner<Pod> = (pod, old, common) => {
  if (old) return [];
  const { metadata, spec } = pod;
  const ofName = nameWarnings(pod, "the Pod's hostname");
  const judge = () => podWarnings({ ...(metadata ? { metadata } : {}), ...(spec ? { spec } : {}) });
  if (!common || metadata?.annotations) return [...ofName, ...judge()];
  common.warnings ??= judge();
  return ofName.length > 0 ? [...ofName, ...common.warnings] : common.warnings;
};

const podTemplateWarnings: Warner<PodTemplate> = ({ template }, old) =>
  template && !deepEqual(template, old?.template) ? podWarnings(template, "template") : [];

const volumeWarnings: Warner<PersistentVolume> = (volume) => {
  const { spec = {} } = volume;
  const warnings: string[] = [];
  const terms = spec.nodeAffinity?.required?.nodeSelectorTerms ?? [];
  for (const [index, term] of terms.entries()) {
    const path = `spec.nodeAffinity.required.nodeSelectorTerms[${index}]`;
    warnings.push(...nodeSelectorWarnings(path, term));
  }
  if (annotation(volume, CLASS_ANNOTATION) !== undefined) {
    const text = 'deprecated since v1.8; use "storageClassName" attribute instead';
    warnings.push(`metadata.annotations[${CLASS_ANNOTATION}]: ${text}`);
  }
  if (annotation(volume, MOUNT_OPTIONS) !== undefined) {
    const text = 'deprecated since v1.31; use "mountOptions" attribute instead';
    warnings.push(`metadata.annotations[${MOUNT_OPTIONS}]: ${text}`);
  }
  if (spec.persistentVolumeReclaimPolicy === "Recycle") {
    warnings.push(
      "spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, " +
        "the recommended approach is to use dynamic provisioning.",
    );
  }
  for (const [name, text] of Object.entries(OLD_VOLUMES)) {
    if (Object.hasOwn(spec, name)) warnings.push(`spec.${text}`);
  }
  return warnings;
};

const claimObjectWarnings: Warner<PersistentVolumeClaim> = (claim) => {
  const warnings: string[] = [];
  if (annotation(claim, CLASS_ANNOTATION) !== undefined) {
    const text = 'deprecated since v1.8; use "storageClassName" attribute instead';
    warnings.push(`metadata.annotations[${CLASS_ANNOTATION}]: ${text}`);
  }
  return [...warnings, ...claimWarnings("spec", claim.spec)];
};

const secretWarnings: Warner<Secret> = ({ type, data }) => {
  if (type !== "kubernetes.io/tls") return [];
  const isPem = (value = "") => Buffer.from(value, "base64").includes("-----BEGIN ");
  if (!isPem(data?.["tls.crt"])) {
    return ["tls: failed to find any PEM data in certificate input"];
  }
  return isPem(data?.["tls.key"]) ? [] : ["tls: failed to find any PEM data in key input"];
};

const serviceWarnings: Warner<Service> = (service) => {
  const { type, externalIPs = [], externalName } = service.spec ?? {};
  const { clusterIPs = [], loadBalancerIP, loadBalancerSourceRanges = [] } = service.spec ?? {};
  const warnings: string[] = [];
  if (annotation(service, TOPOLOGY_HINTS) !== undefined) {
    warnings.push(
      `annotation ${TOPOLOGY_HINTS} is deprecated, please use ${TOPOLOGY_MODE} instead`,
    );
  }
  for (const [index, address] of clusterIPs.entries()) {
    warnings.push(...addressWarnings(`spec.clusterIPs[${index}]`, address));
  }
  for (const [index, address] of externalIPs.entries()) {
    warnings.push(...addressWarnings(`spec.externalIPs[${index}]`, address));
  }
  if (loadBalancerIP) warnings.push(...addressWarnings("spec.loadBalancerIP", loadBalancerIP));
  for (const [index, range] of loadBalancerSourceRanges.entries()) {
    warnings.push(...rangeWarnings(`spec.loadBalancerSourceRanges[${index}]`, range));
  }
  if (type === "ExternalName" && externalIPs.length > 0) {
    warnings.push('spec.externalIPs is ignored when spec.type is "ExternalName"');
  }
  if (type !== "ExternalName" && externalName) {
    warnings.push('spec.externalName is ignored when spec.type is not "ExternalName"');
  }
  return warnings;
};

const nodeWarnings: Warner<Node> = ({ spec }) => [
  ...(spec?.configSource ? ["spec.configSource: the feature is removed"] : []),
  ...(spec?.externalID
    ? ["spec.externalID: this field is deprecated, and is unused by Kubernetes"]
    : []),
];

const ingressWarnings: Warner<Ingress> = (ingress, old) => {
  const named = ingress.spec?.ingressClassName !== undefined;
  if (old || named || annotation(ingress, INGRESS_CLASS) === undefined) return [];
  const advice = "please use 'spec.ingressClassName' instead";
  return [`annotation "${INGRESS_CLASS}" is deprecated, ${advice}`];
};

const accountWarnings: Warner<Annotated> = (account, old) => {
  const mentioned = annotation(account, MOUNTABLE) !== undefined;
  if (!mentioned || (old && annotation(old, MOUNTABLE) !== undefined)) return [];
  const text = "prefer separate namespaces to isolate access to mounted secrets";
  return [`metadata.annotations[${MOUNTABLE}]: deprecated in v1.32+; ${text}`];
};

const classWarnings: Warner<StorageClass> = ({ allowedTopologies = [] }) =>
  allowedTopologies.flatMap(({ matchLabelExpressions = [] }, index) =>
    matchLabelExpressions.flatMap(({ key }, at) => {
      const text = nodeLabelWarning(key);
      const path = `allowedTopologies[${index}].matchLabelExpressions[${at}].key`;
      return text ? [`${path}: ${text}`] : [];
    }),
  );

const capacityWarnings: Warner<CSIStorageCapacity> = ({ nodeTopology }) =>
  labelSelectorWarnings("nodeTopology", nodeTopology);

const runtimeClassWarnings: Warner<RuntimeClass> = ({ scheduling }) =>
  Object.keys(scheduling?.nodeSelector ?? {}).flatMap((label) => {
    const text = nodeLabelWarning(label);
    return text ? [`scheduling.nodeSelector: ${text}`] : [];
  });

const sliceWarnings: Warner<EndpointSlice> = ({ addressType }, old) =>
  addressType === "FQDN" && !old ? ["spec.addressType: FQDN endpoints are deprecated"] : [];

/** By "group/plural". */
const WARNERS: Readonly<Record<string, Warner<never>>> = {
  "/nodes": nodeWarnings,
  "/persistentvolumeclaims": claimObjectWarnings,
  "/persistentvolumes": volumeWarnings,
  "/pods": podCreateWarnings,
  "/podtemplates": podTemplateWarnings,
  "/replicationcontrollers": workloadWarnings(true),
  "/secrets": secretWarnings,
  "/serviceaccounts": accountWarnings,
  "/services": serviceWarnings,
  "apps/daemonsets": workloadWarnings(false),
  "apps/deployments": workloadWarnings(true),
  "apps/replicasets": workloadWarnings(true),
  "apps/statefulsets": statefulSetWarnings,
  "batch/cronjobs": cronJobWarnings,
  "batch/jobs": jobWarnings,
  "discovery.k8s.io/endpointslices": sliceWarnings,
  "networking.k8s.io/ingresses": ingressWarnings,
  "node.k8s.io/runtimeclasses": runtimeClassWarnings,
  "storage.k8s.io/csistoragecapacities": capacityWarnings,
  "storage.k8s.io/storageclasses": classWarnings,
};

/** What a client is told of an object that is valid but likely not what was meant. */
export function warningsOf(
  resource: Resource,
  object: object,
  { old, common }: { old?: object | undefined; common?: CommonSpec | undefined } = {},
): readonly string[] {
  const warner = WARNERS[`${resource.group}/${resource.plural}`];
  return warner?.(object as never, old as never, common) ?? [];
}
