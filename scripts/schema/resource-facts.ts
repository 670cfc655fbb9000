import type { Resource } from "../../src/api/resource.ts";

/** What the type declarations do not say about a resource. */
export type ResourceFacts = Pick<Resource, "shortNames" | "categories" | "subresources" | "verbs">;

const ALL = ["all"] as const;
const EXTENSIONS = ["api-extensions"] as const;
const READ = { verbs: ["get", "list"] } as const;
const CREATE = { verbs: ["create"] } as const;

/** Kinds whose resource is named after what they tell about. */
export const PLURALS: Readonly<Record<string, string>> = {
  NodeMetrics: "nodes",
  PodMetrics: "pods",
};

/** By "plural" or "plural.group". */
export const RESOURCE_FACTS: Readonly<Record<string, ResourceFacts>> = {
  bindings: CREATE,
  componentstatuses: { shortNames: ["cs"], ...READ },
  configmaps: { shortNames: ["cm"] },
  endpoints: { shortNames: ["ep"] },
  events: { shortNames: ["ev"] },
  limitranges: { shortNames: ["limits"] },
  namespaces: {
    shortNames: ["ns"],
    subresources: ["finalize", "status"],
    verbs: withoutCollection(),
  },
  nodes: { shortNames: ["no"], subresources: ["proxy", "status"] },
  persistentvolumeclaims: { shortNames: ["pvc"], subresources: ["status"] },
  persistentvolumes: { shortNames: ["pv"], subresources: ["status"] },
  pods: {
    shortNames: ["po"],
    categories: ALL,
    subresources: [
      "attach",
      "binding",
      "ephemeralcontainers",
      "eviction",
      "exec",
      "log",
      "portforward",
      "proxy",
      "resize",
      "status",
    ],
  },
  replicationcontrollers: {
    shortNames: ["rc"],
    categories: ALL,
    subresources: ["scale", "status"],
  },
  resourcequotas: { shortNames: ["quota"], subresources: ["status"] },
  serviceaccounts: { shortNames: ["sa"], subresources: ["token"] },
  services: { shortNames: ["svc"], categories: ALL, subresources: ["proxy", "status"] },
  "events.events.k8s.io": { shortNames: ["ev"] },
  "selfsubjectreviews.authentication.k8s.io": CREATE,
  "tokenreviews.authentication.k8s.io": CREATE,
  "localsubjectaccessreviews.authorization.k8s.io": CREATE,
  "selfsubjectaccessreviews.authorization.k8s.io": CREATE,
  "selfsubjectrulesreviews.authorization.k8s.io": CREATE,
  "subjectaccessreviews.authorization.k8s.io": CREATE,
  "horizontalpodautoscalers.autoscaling": {
    shortNames: ["hpa"],
    categories: ALL,
    subresources: ["status"],
  },
  "cronjobs.batch": { shortNames: ["cj"], categories: ALL, subresources: ["status"] },
  "jobs.batch": { categories: ALL, subresources: ["status"] },
  "certificatesigningrequests.certificates.k8s.io": {
    shortNames: ["csr"],
    subresources: ["approval", "status"],
  },
  "ingresses.networking.k8s.io": { shortNames: ["ing"], subresources: ["status"] },
  "networkpolicies.networking.k8s.io": { shortNames: ["netpol"] },
  "poddisruptionbudgets.policy": { shortNames: ["pdb"], subresources: ["status"] },
  "storageclasses.storage.k8s.io": { shortNames: ["sc"] },
  "volumeattachments.storage.k8s.io": { subresources: ["status"] },
  "mutatingwebhookconfigurations.admissionregistration.k8s.io": { categories: EXTENSIONS },
  "validatingwebhookconfigurations.admissionregistration.k8s.io": { categories: EXTENSIONS },
  "validatingadmissionpolicies.admissionregistration.k8s.io": {
    categories: EXTENSIONS,
    subresources: ["status"],
  },
  "validatingadmissionpolicybindings.admissionregistration.k8s.io": { categories: EXTENSIONS },
  "priorityclasses.scheduling.k8s.io": { shortNames: ["pc"] },
  "flowschemas.flowcontrol.apiserver.k8s.io": { subresources: ["status"] },
  "prioritylevelconfigurations.flowcontrol.apiserver.k8s.io": { subresources: ["status"] },
  "daemonsets.apps": { shortNames: ["ds"], categories: ALL, subresources: ["status"] },
  "deployments.apps": {
    shortNames: ["deploy"],
    categories: ALL,
    subresources: ["scale", "status"],
  },
  "replicasets.apps": {
    shortNames: ["rs"],
    categories: ALL,
    subresources: ["scale", "status"],
  },
  "statefulsets.apps": {
    shortNames: ["sts"],
    categories: ALL,
    subresources: ["scale", "status"],
  },
  "customresourcedefinitions.apiextensions.k8s.io": {
    shortNames: ["crd", "crds"],
    categories: EXTENSIONS,
    subresources: ["status"],
  },
  "nodes.metrics.k8s.io": READ,
  "pods.metrics.k8s.io": READ,
  "apiservices.apiregistration.k8s.io": { categories: EXTENSIONS, subresources: ["status"] },
};

function withoutCollection(): readonly string[] {
  return ["create", "delete", "get", "list", "patch", "update", "watch"];
}
