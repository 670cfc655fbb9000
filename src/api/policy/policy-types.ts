import {
  BOOL,
  DYN,
  INT,
  listOf,
  mapOf,
  objectOf,
  STRING,
  TIMESTAMP,
  type ObjectType,
} from "../../lib/cel/types.ts";

const KIND = objectOf("kubernetes.GroupVersionKind", {
  group: STRING,
  version: STRING,
  kind: STRING,
});
const RESOURCE = objectOf("kubernetes.GroupVersionResource", {
  group: STRING,
  version: STRING,
  resource: STRING,
});
const USER_INFO = objectOf("kubernetes.UserInfo", {
  username: STRING,
  uid: STRING,
  groups: listOf(STRING),
  extra: mapOf(STRING, listOf(STRING)),
});

/** Type of the variable `request`. */
export const REQUEST_TYPE: ObjectType = objectOf("kubernetes.AdmissionRequest", {
  kind: KIND,
  resource: RESOURCE,
  subResource: STRING,
  requestKind: KIND,
  requestResource: RESOURCE,
  requestSubResource: STRING,
  name: STRING,
  namespace: STRING,
  operation: STRING,
  userInfo: USER_INFO,
  dryRun: BOOL,
  options: DYN,
});

const METADATA = objectOf("kubernetes.NamespaceMetadata", {
  name: STRING,
  generateName: STRING,
  namespace: STRING,
  labels: mapOf(STRING, STRING),
  annotations: mapOf(STRING, STRING),
  UID: STRING,
  creationTimestamp: TIMESTAMP,
  deletionGracePeriodSeconds: INT,
  deletionTimestamp: TIMESTAMP,
  generation: INT,
  resourceVersion: STRING,
  finalizers: listOf(STRING),
});
const CONDITION = objectOf("kubernetes.NamespaceCondition", {
  status: STRING,
  type: STRING,
  lastTransitionTime: TIMESTAMP,
  message: STRING,
  reason: STRING,
});

/** Type of the variable `namespaceObject`. */
export const NAMESPACE_TYPE: ObjectType = objectOf("kubernetes.Namespace", {
  metadata: METADATA,
  spec: objectOf("kubernetes.NamespaceSpec", { finalizers: listOf(STRING) }),
  status: objectOf("kubernetes.NamespaceStatus", {
    conditions: listOf(CONDITION),
    phase: STRING,
  }),
});
