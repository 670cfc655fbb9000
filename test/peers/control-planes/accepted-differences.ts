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
    cause: "version",
    reason: "1.22: endpoints say whether they serve and whether they terminate.",
    path: /endpointslices\[\d+\]\.endpoints\[\d+\]\.conditions\.(serving|terminating)$/,
    theirs: /^undefined$/,
    byChance: true,
  },
  {
    cause: "choice",
    reason: "An update of a mirrored slice leaves the prefix of its name.",
    case: /mirrored$/,
    path: /endpointslices\[\d+\]\.metadata\.generateName$/,
  },
  {
    cause: "version",
    reason: "1.22 to 1.28: jobs are tracked by finalizers, and say when they were due.",
    case: /^cron-forbid$/,
    path: /(finalizers|jobs\[\d+\]\.metadata\.annotations|ownerReferences\[\d+\]\.apiVersion)$/,
  },
  {
    cause: "choice",
    reason: "Active jobs are named without a version, which would be old with their first change.",
    case: /^cron-forbid$/,
    path: /cronjobs\[\d+\]\.status\.active\[\d+\]\.resourceVersion$/,
    ours: /^undefined$/,
  },
  {
    cause: "choice",
    reason: "Endpoints do not say when their cause changed: only latency metrics of proxies ask.",
    path: /(endpoints|endpointslices)\[\d+\]\.metadata\.annotations$/,
    ours: /^undefined$/,
    theirs: /^\{"endpoints\.kubernetes\.io\/last-change-trigger-time":"<time>"\}$/,
    byChance: true,
  },
  {
    cause: "version",
    reason: "1.20 looks at a schedule every ten seconds, and complains of one that never comes.",
    case: /^cron$/,
    path: /\.events/,
    byChance: true,
  },
  {
    cause: "version",
    reason:
      "1.20 counts a pod that a deadline ends only if it sees it then, on either server; " +
      "since 1.22 results are tracked.",
    case: /^job-deadline$/,
    path: /jobs\[\d+\]\.status\.failed$/,
    byChance: true,
  },
  {
    cause: "choice",
    reason:
      "Quotas are enforced by counting what is there; their status is the controller's alone.",
    case: /^quota$/,
    path: /resourcequotas\[\d+\]\.status\.used\.pods$/,
  },
];
