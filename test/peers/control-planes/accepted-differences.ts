import type { AcceptedDifference } from "../differential/accepted-difference.ts";

/** Fields that came after 1.20 and have defaults. */
const NEW_FIELDS = [
  "availableReplicas",
  "completionMode",
  "internalTrafficPolicy",
  "ipFamilies",
  "ipFamilyPolicy",
  "manualSelector",
  "maxSurge",
  "persistentVolumeClaimRetentionPolicy",
  "podReplacementPolicy",
  "suspend",
];

/** What final states of Kubernetes 1.20 alone have and others have not, or the other way round. */
export const ACCEPTED_STATES: readonly AcceptedDifference[] = [
  {
    cause: "choice",
    reason: "Empty fields that Go writes as null or as an empty structure are left out.",
    path: /\.(creationTimestamp|lastProbeTime|lastState|metadata|loadBalancer)$/,
    ours: /^undefined$/,
    theirs: /^(null|\{\}|\{"creationTimestamp":null\})$/,
  },
  {
    cause: "choice",
    reason: "The generation of extensions/v1beta1 is not kept in annotations and labels.",
    path: /(\.annotations|deprecated\.daemonset\.template\.generation|pod-template-generation)$/,
    ours: /^undefined$/,
    theirs: /deprecated\.daemonset|^"\d+"$/,
  },
  {
    cause: "version",
    reason: "Fields that came after 1.20, with their defaults.",
    path: new RegExp(`\\.(${NEW_FIELDS.join("|")})$`),
    theirs: /^undefined$/,
  },
  {
    cause: "version",
    reason: "1.27: labels of jobs have a prefix; the selector uses the new one alone.",
    path: /(controller-uid|job-name)$/,
  },
  {
    cause: "version",
    reason: "1.22: more kinds count generations.",
    path: /(jobs|cronjobs)\[\d+\]\.metadata\.generation$/,
    theirs: /^undefined$/,
  },
  {
    cause: "version",
    reason: "1.21: the root certificate is described; 1.28: pods of StatefulSets have an index.",
    path: /configmaps\[\d+\]\.metadata\.annotations$|kubernetes\.io\/pod-index$/,
    theirs: /^undefined$/,
  },
  {
    cause: "version",
    reason: "1.24: ServiceAccounts have no Secrets with tokens.",
    path: /serviceaccounts\[\d+\]\.secrets$/,
    ours: /^undefined$/,
  },
  {
    cause: "version",
    reason: "1.21: Endpoints do not name the version of a pod.",
    path: /targetRef\.resourceVersion$/,
    ours: /^undefined$/,
  },
  {
    cause: "version",
    reason: "1.24: the scheduler says why preemption does not help.",
    path: /pods\[\d+\]\.status\.conditions\[\d+\]\.message$/,
    ours: /nodes are available/,
    theirs: /nodes are available/,
  },
  {
    cause: "choice",
    reason:
      "Quotas are enforced by counting what is there; their status is the controller's alone.",
    case: /^quota$/,
    path: /resourcequotas\[\d+\]\.status\.used\.pods$/,
  },
];
