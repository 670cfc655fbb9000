import type { AcceptedDifference, WordingDifference } from "./accepted-difference.ts";
import { MUTATION_DIFFERENCES } from "./mutation-differences.ts";

const MESSAGE = /message$|\.causes\.|^answer\.status$/;
const STATUS = /^answer\.status$/;

/** Cases that are made from files. */
const MANIFESTS = /^(database|gitops|ingress|monitoring|operator|storage) /;

const NEW_COLUMNS = [
  "PreemptionPolicy",
  "RequestedDuration",
  "RequiresRepublish",
  "Status",
  "StorageCapacity",
  "Timezone",
  "TokenRequests",
  "VolumeAttributesClass",
];

function newField(reason: string, path: RegExp, kind?: RegExp): AcceptedDifference {
  return { cause: "version", reason, path, theirs: /^undefined$/, ...(kind ? { kind } : {}) };
}

/** Every way in which answers may differ, with its reason; an entry that covers nothing must go. */
export const ACCEPTED_DIFFERENCES: readonly AcceptedDifference[] = [
  {
    cause: "version",
    reason: "Names in the singular are told since 1.26.",
    case: /^resources of /,
    path: /\.singularName$/,
    theirs: /^""$/,
  },
  {
    cause: "version",
    reason: "Kinds that were in beta in 1.20 are stored in their stable version.",
    case: /^resources of /,
    path: /\.storageVersionHash$/,
  },
  {
    cause: "version",
    reason: "What came later: collections of services are deleted, evictions are stable.",
    case: /^resources of api\/v1$/,
    path: /\.services\.verbs\[\d\]$|\.pods\/eviction\.version$/,
  },
  {
    cause: "version",
    reason: "Kinds and subresources that came after 1.20.",
    case: /^resources of /,
    path: /^answer\.body\.resources\.[a-z/]+$/,
    theirs: /^undefined$/,
  },
  {
    cause: "choice",
    reason: "Stored bytes are spliced into lists, with kind and apiVersion of each item.",
    path: /\.items\[\d+\]\.(kind|apiVersion)$/,
    theirs: /^undefined$/,
  },
  {
    cause: "choice",
    reason: "Empty fields that Go writes as null are left out.",
    path: /\.metadata\.creationTimestamp$/,
    ours: /^undefined$/,
    theirs: /^null$/,
  },
  {
    cause: "choice",
    reason: "A mistake of the client is answered with 4xx where 1.20 answers 500.",
    path: STATUS,
    ours: /^"4\d\d /,
    theirs: /^"500 /,
  },
  {
    cause: "version",
    reason: "Since 1.25 a merge patch that is no object is a bad request.",
    case: /^patches that lead to something invalid$/,
    path: STATUS,
    ours: /^"400 error decoding patch: json: cannot unmarshal array /,
    theirs: /^"422 .* \\"\[1,2\]\\": /,
  },
  {
    cause: "wording",
    reason: "The result of a patch that cannot be decoded is shown in another order of its keys.",
    case: /^patches that lead to something invalid$| (updated|reported)$/,
    path: /\.causes\.patch\[0\]$/,
    ours: /Invalid value: .* cannot be handled as a \w+: /,
    theirs: /Invalid value: /,
  },
  {
    cause: "wording",
    reason: "Errors of decoders are those of encoding/json; 1.20 has those of another library.",
    path: MESSAGE,
    ours: /cannot be handled as a|json parse error|the request needs a body|error converting YAML/,
    theirs: /cannot be handled as a|json parse error|error decoding YAML/,
  },
  {
    cause: "wording",
    reason: "A media type that nobody speaks is named; all that are spoken are listed.",
    path: MESSAGE,
    ours: /in an unknown format|only the following media types are accepted/,
  },
  {
    cause: "choice",
    reason: "A refused media type is no generic answer: there are no details to leave empty.",
    path: /^answer\.body\.details$/,
    case: /media type|lead to something invalid/,
    ours: /^undefined$/,
    theirs: /^\{\}$/,
  },
  {
    cause: "wording",
    reason: "A JSON patch that fails says at which operation.",
    path: MESSAGE,
    ours: /error in our request: |of type \[\]handlers\.jsonPatchOp/,
  },
  {
    cause: "wording",
    reason: "The store's own name of the precondition is left out.",
    path: MESSAGE,
    ours: /Precondition failed/,
    theirs: /StorageError: invalid object, Code: 4/,
  },
  {
    cause: "version",
    reason: "Label selectors: 1.21 lists all operators in its message.",
    path: MESSAGE,
    ours: /^"unable to parse requirement/,
  },
  {
    cause: "wording",
    reason: "A continue token that is none says so without Go's error.",
    path: MESSAGE,
    ours: /continue key is not valid/,
  },
  {
    cause: "version",
    reason: "Managers of a subresource are told apart since 1.22.",
    case: /^apply with the subresource scale$/,
    path: /managedFields|^answer\.status$/,
  },
  {
    cause: "version",
    reason: "Who applies what is there already has no time (1.32).",
    path: /managedFields\[\d\]\.time$/,
    ours: /^undefined$/,
  },
  {
    cause: "version",
    reason: "An empty object that is applied is a change where there is none (1.32).",
    case: /^owners of labels and finalizers$/,
    path: /^answer\.status$|managedFields|labels|finalizers/,
  },
  {
    cause: "choice",
    reason:
      "Metadata in tables is that of the object: a DaemonSet's has its template's generation.",
    kind: /^Table$/,
    path: /\.annotations$/,
    ours: /^\{"deprecated\.daemonset\.template\.generation":"1"\}$/,
  },
  {
    cause: "version",
    reason: "The status of a definition brings labels (1.32).",
    case: /CustomResourceDefinition/,
    path: /\.metadata\.labels$/,
    theirs: /^undefined$/,
  },
  {
    cause: "version",
    reason: "A new autoscaler does not tell of replicas (1.32).",
    kind: /^HorizontalPodAutoscaler$/,
    path: /\.status\.currentReplicas$/,
    ours: /^undefined$/,
    theirs: /^0$/,
  },
  {
    cause: "version",
    reason: "1.20 gives a manager back what another took over, when it removes an unrelated field.",
    case: /^field managers$/,
    path: /managedFields\[0\]\.fieldsV1\.f:data\.(\.|f:a)$/,
    ours: /^undefined$/,
  },
  {
    cause: "version",
    reason: "Apply owns a field that is an empty object (structured-merge-diff 4.1).",
    path: /managedFields.*\.f:\w+$/,
    ours: /^\{\}$/,
    theirs: /^undefined$/,
  },
  {
    cause: "version",
    reason:
      "1.20 gives who changes an object more than was changed, when owners had been forgotten.",
    case: /^owners who were forgotten$/,
    path: /managedFields\[1\]\.fieldsV1\.f:data\.(\.|f:[xy])$/,
    ours: /^undefined$/,
  },
  {
    cause: "version",
    reason: "Who applies an empty object owns it, and is told of (structured-merge-diff 4.1).",
    case: /^apply after an update$/,
    path: /managedFields/,
  },
  {
    cause: "version",
    reason: "Text that is too long: the message of 1.32.",
    path: MESSAGE,
    ours: /Too long: may not be more than/,
    theirs: /Too long: must have at most/,
  },
  {
    cause: "version",
    reason: "Two controllers: 1.32 names their kinds.",
    path: MESSAGE,
    ours: /references for ConfigMap\/a and ConfigMap\/b/,
  },
  // What custom resources show.
  {
    cause: "version",
    reason: "Managers of a subresource are told apart since 1.22.",
    case: /^custom resources/,
    path: /managedFields\[\d\](\.subresource|\.manager)$/,
    ours: /^"(status|scale|h)"$/,
    theirs: /^(undefined|"differential")$/,
  },
  {
    cause: "version",
    reason: "Apply owns a field that is an empty object (structured-merge-diff 4.1).",
    case: /^custom resources: applied$/,
    path: /managedFields\[3\]$/,
    ours: /"manager":"e".*"fieldsV1":\{"f:spec":\{\}\}/,
    theirs: /^undefined$/,
  },
  {
    cause: "choice",
    reason: "Lists of custom resources leave an empty continue token out, as all lists do.",
    case: /^custom resources/,
    path: /^answer\.body\.metadata\.continue$/,
    ours: /^undefined$/,
    theirs: /^""$/,
  },
  {
    cause: "version",
    reason: "1.23: a value of the wrong type has a reason of its own.",
    case: /^custom resources: refused$/,
    path: /\.causes\./,
    ours: /^"FieldValueTypeInvalid: (.*)"$/,
    theirs: /^"FieldValueInvalid: .* must be of type /,
  },
  {
    cause: "version",
    reason: "1.23: fields that are missing in a list are told with their index.",
    case: /^custom resources: refused$/,
    path: /\.causes\.spec\.ports(\[0\])?\.protocol$/,
  },
  {
    cause: "version",
    reason: "1.23: text that is too long has a reason of its own.",
    case: /^custom resources: refused$/,
    path: /\.causes\.spec\.name\[\d\]$/,
  },
  {
    cause: "version",
    reason: "1.21: a reference is one value; managers own it as a whole.",
    case: /^owners of an autoscaler in several versions$/,
    path: /\.f:scaleTargetRef\.f:\w+$/,
    ours: /^undefined$/,
  },
  {
    cause: "choice",
    reason: "Empty fields that Go writes as null are left out.",
    case: /^owners of an autoscaler in several versions$/,
    path: /\.status\.currentMetrics$/,
    theirs: /^null$/,
  },
  {
    cause: "wording",
    reason: "What has no such metadata is told without the name of Go's type.",
    path: MESSAGE,
    ours: /^"you requested PartialObjectMetadata.* list \([A-Za-z]+\)"$/,
    theirs: /^"you requested PartialObjectMetadata.* list \(\*[a-z]+\.[A-Za-z]+\)"$/,
  },
  {
    cause: "version",
    reason: "1.28: Pods are selected by hostNetwork.",
    case: /^fields that lists select by$/,
    path: STATUS,
    ours: /^"200 PodList"$/,
    theirs: /field label not supported: spec.hostNetwork/,
  },
  {
    cause: "wording",
    reason: "A field that Jobs are not selected by is refused as for other kinds.",
    case: /^fields that lists select by$/,
    path: MESSAGE,
    theirs: /not supported for batchv1\.Job/,
  },
  // What the manifests show.
  {
    cause: "version",
    reason:
      "Ownership changed much after 1.20: atomic structures (1.21), managers by subresource and " +
      "fields that an endpoint resets (1.22). It is compared where a case is about it.",
    case: MANIFESTS,
    path: /\.managedFields/,
  },
  newField("1.24: either field that names a claim's source fills the other.", /\.dataSourceRef$/),
  newField("1.28: volumes tell since when they are in their phase.", /\.lastPhaseTransitionTime$/),
  newField("1.21: clusters may serve two IP families.", /\.spec\.(ipFamilies|ipFamilyPolicy)$/),
  newField("1.22: traffic from inside may be told from outside.", /\.internalTrafficPolicy$/),
  newField(
    "1.21: namespaces are labelled with their name.",
    /labels\.kubernetes\.io\/metadata\.name$/,
  ),
  newField(
    "1.27: claims of StatefulSets may be deleted.",
    /\.persistentVolumeClaimRetentionPolicy$/,
  ),
  newField("1.22: StatefulSets count what is available.", /\.status\.availableReplicas$/),
  newField("1.22: surge of DaemonSets.", /\.rollingUpdate\.maxSurge$/),
  newField(
    "1.21 to 1.28: indexed and suspended jobs, pods that are replaced later, expiry for all.",
    /\.spec\.(completionMode|suspend|manualSelector|podReplacementPolicy|ttlSecondsAfterFinished)$/,
    /^Job$/,
  ),
  {
    cause: "version",
    reason: "1.27: labels of jobs have a prefix; the selector uses the new one alone.",
    kind: /^Job$/,
    path: /(labels|matchLabels)\.(batch\.kubernetes\.io\/)?(controller-uid|job-name)$/,
  },
  {
    cause: "version",
    reason: "1.21 to 1.23: generations of jobs, cron jobs and templates of pods.",
    case: /\b(CronJob|Job|PodTemplate)\b/,
    path: /\.metadata\.generation$/,
    ours: /^[12]$/,
    theirs: /^undefined$/,
  },
  newField("1.32: requests for certificates carry the id of the credential.", /\.spec\.extra$/),
  newField("1.23: parameters of ingress classes have a scope.", /\.parameters\.scope$/),
  newField(
    "1.21 to 1.25: defaults of CSIDriver.",
    /\.spec\.(storageCapacity|requiresRepublish|seLinuxMount)$/,
  ),
  {
    cause: "version",
    reason: "1.21: a Service that is replaced keeps its addresses; its version may be left out.",
    path: STATUS,
    ours: /^"200 Service"$/,
    theirs: /must be specified for an update/,
  },
  {
    cause: "version",
    reason: "1.23: the deletion of a Service answers with it.",
    path: /^answer\.body\.kind$/,
    ours: /^"Service"$/,
    theirs: /^"Status"$/,
  },
  {
    cause: "version",
    reason: "1.24: Services of type LoadBalancer may mix protocols.",
    case: /^ingress Service edge$/,
    path: STATUS,
  },
  {
    cause: "version",
    reason: "1.23: ephemeral volumes are there for all.",
    case: /^monitoring Pod scratch$/,
    path: STATUS,
  },
  {
    cause: "version",
    reason: "Apply knows that quantities may be numbers (1.21), and defaults of keys (1.21).",
    path: STATUS,
    ours: /^"20\d /,
    theirs: /expected string, got|omits key field \\"protocol\\"/,
  },
  {
    cause: "version",
    reason: "batch/v1beta1 left orphans unless it was told otherwise.",
    case: /CronJob/,
    path: /^answer\.(body\.kind|status)$/,
    theirs: /CronJob/,
  },
  {
    cause: "version",
    reason: "1.20 panics when an APIService is applied.",
    path: STATUS,
    theirs: /^"0 socket hang up/,
  },
  {
    cause: "version",
    reason: "Pods: what may be changed is listed in other words.",
    path: MESSAGE,
    ours: /pod updates may not change fields other than/,
    theirs: /pod updates may not change fields other than/,
  },
  {
    cause: "choice",
    reason:
      "Empty fields that Go writes as null are left out, and so are structures of empty ones.",
    path: /\.(metadata|rules|status|conditions)$/,
    ours: /^(undefined|\[\])$/,
    theirs: /^(null|\{"creationTimestamp":null\})$|nodeInfo/,
  },
  {
    cause: "choice",
    reason:
      "Custom resources go at once with their definition, which needs no condition for it; when " +
      "they are there is a matter of moments.",
    byChance: true,
    case: /CustomResourceDefinition/,
    path: /finalizers|generation$|deletionGrace|\.status\.|^answer\.(status|body\.kind)$/,
  },
  {
    cause: "choice",
    reason: "When the services of an API are looked at is a matter of moments.",
    byChance: true,
    case: /APIService/,
    path: /\.conditions|^answer\.body\.columns\.Available\./,
  },
  {
    cause: "version",
    reason: "Tables of later versions have more columns; quotas have theirs in another order.",
    path: /^answer\.body\.names$/,
  },
  newField(
    "Columns that came after 1.20.",
    new RegExp(`^answer\\.body\\.columns\\.(${NEW_COLUMNS.join("|")})$`),
  ),
  {
    cause: "version",
    reason: "1.22: restarts are told with the time of the last; 1.30: targets with their resource.",
    path: /^answer\.body\.columns\.(Restarts|Targets)\./,
  },
  {
    cause: "version",
    reason: "1.27: the selector of jobs uses the label with a prefix.",
    path: /^answer\.body\.columns\.Selector\./,
    ours: /batch\.kubernetes\.io\/controller-uid/,
  },
  {
    cause: "version",
    reason: "1.27: labels of jobs have a prefix, in the objects of tables too.",
    case: / Job /,
    path: /rows\[0\]\.metadata\.labels/,
  },
  {
    cause: "choice",
    reason: "Whether an APIService is available is found out a moment after it is there.",
    case: /APIService/,
    path: /\.status(\.conditions)?$/,
    byChance: true,
  },
  ...MUTATION_DIFFERENCES,
];

/** Messages that say the same in other words. */
export const WORDINGS: readonly WordingDifference[] = [
  {
    reason: "Since 1.24 an update into another namespace is refused in the words of a create.",
    pattern:
      /the namespace of the object \(\w+\) does not match the namespace on the request \([\w-]+\)/g,
    replacement:
      "the namespace of the provided object does not match the namespace sent on the request",
  },
  {
    reason: "Values that are no scalars are written as JSON, not in Go's syntax.",
    pattern:
      /(Invalid|Unsupported|Duplicate) value: (?:\{|\[|map\[|&?\w+\.[A-Z]\w*[{(])[^]*?[}\])](?=: |"[,\]}])/g,
    replacement: "$1 value: <value>",
  },
  {
    reason: "Amounts are written as in JSON, not in Go's syntax.",
    pattern:
      /Invalid value: (?:<value>|\\"[^"\\]*\\"): (?=(?:(?:min|max|default|default request) value|ratio) )/g,
    replacement: "Invalid value: <value>: ",
  },
];
