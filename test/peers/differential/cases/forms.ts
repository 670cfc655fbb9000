import { type Case, get, patch, post } from "../case.ts";

const NS = "/api/v1/namespaces/$ns";
const MAPS = `${NS}/configmaps`;
const one = post(MAPS, {
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: "one" },
  data: { a: "b" },
});
const as = (kind: string, version: string): string =>
  `application/json;as=${kind};v=${version};g=meta.k8s.io`;
const SELECTED: readonly (readonly [path: string, fields: readonly string[]])[] = [
  [
    `${NS}/pods`,
    [
      "spec.nodeName",
      "spec.serviceAccountName",
      "spec.hostNetwork",
      "status.podIP",
      "status.hostIP",
    ],
  ],
  ["/api/v1/nodes", ["spec.unschedulable", "spec.podCIDR"]],
  ["/api/v1/namespaces", ["status.phase", "name"]],
  [`${NS}/secrets`, ["type", "name"]],
  [
    `${NS}/events`,
    ["involvedObject.kind", "involvedObject.fieldPath", "reason", "source", "reportingComponent"],
  ],
  [
    "/apis/events.k8s.io/v1/namespaces/$ns/events",
    ["regarding.kind", "involvedObject.kind", "reason", "reportingController", "type", "source"],
  ],
  ["/apis/apps/v1/namespaces/$ns/replicasets", ["status.replicas", "spec.replicas"]],
  [`${NS}/replicationcontrollers`, ["status.replicas"]],
  ["/apis/apps/v1/namespaces/$ns/deployments", ["status.replicas", "metadata.uid"]],
  ["/apis/batch/v1/namespaces/$ns/jobs", ["status.successful", "status.active"]],
  ["/apis/certificates.k8s.io/v1/certificatesigningrequests", ["spec.signerName"]],
];

/** Media types, the forms of answers, and the fields that lists select by. */
export const FORM_CASES: readonly Case[] = [
  {
    name: "forms of answers",
    steps: [
      one,
      ...["Table", "PartialObjectMetadata", "PartialObjectMetadataList"].flatMap((kind) =>
        ["v1", "v1beta1", "v2"].flatMap((version) => [
          get(`${MAPS}/one`, as(kind, version)),
          get(MAPS, as(kind, version)),
        ]),
      ),
      get(MAPS, `${as("Table", "v2")},application/json`),
      get(MAPS, `${as("Table", "v1")};charset=utf-8`),
      get(MAPS, "application/json;as=Table;v=v1;g=other.example.com,application/json"),
      get(`${MAPS}?includeObject=None`, as("Table", "v1")),
      get(`${MAPS}?includeObject=Object`, as("Table", "v1")),
      get(`${MAPS}?includeObject=Nonsense`, as("Table", "v1")),
      get(MAPS, "text/html;q=0.9,*/*;q=0.1"),
      get(MAPS, "application/json;q=0"),
      get(MAPS, ""),
    ],
  },
  {
    name: "bodies without a media type, and with parameters",
    steps: [
      ...["", "application/json; charset=utf-8", "APPLICATION/JSON", "application/json;"].map(
        (type) => ({ ...one, type, path: `${MAPS}?dryRun=All` }),
      ),
      one,
      { ...patch(`${MAPS}/one`, {}), type: "" },
      { ...patch(`${MAPS}/one`, {}), type: "application/merge-patch+json; charset=utf-8" },
      { ...patch(`${MAPS}/one`, {}), type: "application/yaml" },
    ],
  },
  {
    name: "fields that lists select by",
    steps: SELECTED.flatMap(([path, fields]) =>
      fields.flatMap((field) => [
        get(`${path}?fieldSelector=${field}%3Dx`),
        get(`${path}?fieldSelector=${field}%21%3Dx,metadata.name%3Dnone`),
      ]),
    ),
  },
];
