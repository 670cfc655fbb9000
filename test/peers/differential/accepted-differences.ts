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
    ours: /in an unknown format|only the following media types are accepted/,
  },
  {
    cause: "version",
    reason: "JSON patch: replacing what is not there fails (library of 1.23).",
    path: STATUS,
    ours: /replace operation does not apply/,
    theirs: /^"200 /,
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
  {
    cause: "version",
    reason: "Text that is too long: the message of 1.32.",
    path: /message$/,
    ours: /Too long: may not be more than/,
    theirs: /Too long: must have at most/,
  },
  {
    cause: "wording",
    reason: "Times in messages are written as in JSON, not as Go prints them.",
    path: /message$/,
    ours: /"<time>|\\"<time>/,
    theirs: /\+0000 UTC/,
  },
];

/** Messages that say the same in other words. */
export const WORDINGS: readonly WordingDifference[] = [
  {
    reason: "Values that are no scalars are written as JSON, not in Go's syntax.",
    pattern: /Invalid value: (?:\{|\[|map\[|&?\w+\.[A-Z]\w*\{)[^]*?[}\])]: /g,
    replacement: "Invalid value: <value>: ",
  },
];
