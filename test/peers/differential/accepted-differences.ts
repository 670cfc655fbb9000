import type { AcceptedDifference, WordingDifference } from "./accepted-difference.ts";

const MESSAGE = /message$|^answer\.status$/;
const STATUS = /^answer\.status$/;

/** Every way in which answers may differ, with its reason; an entry that covers nothing must go. */
export const ACCEPTED_DIFFERENCES: readonly AcceptedDifference[] = [
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
    cause: "choice",
    reason: "A patch whose result cannot be decoded is a bad request, as a body of that sort is.",
    path: STATUS,
    ours: /^"400 /,
    theirs: /^"422 +\\"\\" is invalid: patch: /,
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
    ours: /in an unknown format \(|only the following media types are accepted/,
  },
  {
    cause: "version",
    reason: "JSON patch: replacing what is not there fails (library of 1.23).",
    path: STATUS,
    ours: /replace operation does not apply/,
    theirs: /^"200 /,
  },
  {
    cause: "wording",
    reason: "A JSON patch that fails says at which operation.",
    path: MESSAGE,
    ours: /error in our request: |a JSON patch must be an array/,
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
    reason: "A number that is none is named by its parameter.",
    path: MESSAGE,
    ours: /^"invalid limit/,
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
    reason: "Apply: an element without its key is refused before validation since 1.22.",
    case: /^apply that is wrong$/,
    path: STATUS,
    ours: /omits key field/,
    theirs: /^"422 /,
  },
  ...[
    [
      "details of a generic answer are left out",
      /^answer\.body\.details$/,
      /^undefined$/,
      /^\{\}$/,
    ],
    [
      "a group that is not there is answered as plain text",
      /^answer\.(contentType|body)$/,
      /json|Status/,
      /text\/plain|404 page not found/,
    ],
    ["options are not validated", STATUS, /^"20\d /, /^"422 (Create|Patch)Options/],
    ["negative limits are refused", STATUS, /invalid limit/, /^"200 /],
    [
      "causes of invalid options lack their reason",
      /message$|reason$/,
      /./,
      /Options\.meta\.k8s\.io|Forbidden: resourceVersionMatch|NotSupported|Unsupported value: /,
    ],
    [
      "field labels of ordinary kinds have another message",
      /message$/,
      /field label not supported/,
      /is not a known field selector/,
    ],
    [
      "a precondition of a deletion names the resource, not the kind",
      /message$|details\.kind$/,
      /./,
      /on ConfigMap |^"ConfigMap"$/,
    ],
    [
      "a patch may not change the uid",
      STATUS,
      /UID in precondition/,
      /metadata\.uid: Invalid value/,
    ],
    ["a patch may not change the namespace", STATUS, /^"200 /, /does not match the namespace/],
    ["a patch may not set deletionTimestamp", STATUS, /^"200 /, /metadata\.deletionTimestamp/],
    [
      "apply must be of the name in the path",
      STATUS,
      /^"201 /,
      /does not match the name on the URL/,
    ],
    ["apply must name its version", STATUS, /^"201 /, /Incorrect version specified/],
    ["apply takes unknown fields", STATUS, /^"200 /, /field not declared in schema/],
    ["an operation that is none is a bad request", STATUS, /Unexpected kind/, /^"422 /],
    [
      "owner references have indices and other words",
      /message$|field$/,
      /ownerReferences|must not be empty|finalizer|qualified name/,
      /./,
    ],
  ].map(([reason, path, ours, theirs]) => ({
    cause: "open" as const,
    reason: reason as string,
    path: path as RegExp,
    ours: ours as RegExp,
    theirs: theirs as RegExp,
  })),
];

/** Messages that say the same in other words. */
export const WORDINGS: readonly WordingDifference[] = [
  {
    reason: "Values that are no scalars are written as JSON, not in Go's syntax.",
    pattern: /Invalid value: (?:\{|\[|map\[|&?\w+\.[A-Z]\w*\{)[^]*?[}\])]: /g,
    replacement: "Invalid value: <value>: ",
  },
];
