import { apply, type Case, type CaseRequest, get, patch, post, put } from "../case.ts";

const MAPS = "/api/v1/namespaces/$ns/configmaps";
const DEPLOYMENTS = "/apis/apps/v1/namespaces/$ns/deployments";
const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";

const by = (manager: string, query = ""): string => `fieldManager=${manager}${query}`;
const mapOf = (data: object, metadata: object = {}) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: "one", ...metadata },
  data,
});
const applyMap = (manager: string, data: object, metadata: object = {}): CaseRequest =>
  apply(`${MAPS}/one`, mapOf(data, metadata), by(manager));
const deploymentOf = (spec: object, metadata: object = {}) => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "web", ...metadata },
  spec,
});
const podsOf = (spec: object) => ({
  selector: { matchLabels: { app: "web" } },
  template: { metadata: { labels: { app: "web" } }, spec },
});
const applyPods = (manager: string, spec: object, query = ""): CaseRequest =>
  apply(`${DEPLOYMENTS}/web`, deploymentOf(podsOf(spec)), by(manager, query));

/** Who owns what, by every way to write. */
export const OWNERSHIP_CASES: readonly Case[] = [
  {
    name: "owners share, leave and remove",
    steps: [
      applyMap("a", { x: "1", y: "1" }),
      applyMap("b", { y: "1", z: "1" }),
      applyMap("a", { x: "1" }),
      applyMap("b", { z: "1" }),
      applyMap("b", { z: "1" }),
      get(`${MAPS}/one`),
    ],
  },
  {
    name: "owners in conflict and by force",
    steps: [
      applyMap("a", { x: "1", y: "1" }),
      applyMap("b", { x: "2", y: "2" }),
      patch(`${MAPS}/one?fieldManager=c`, { data: { x: "3" } }),
      applyMap("a", { x: "1", y: "1" }),
      applyMap("b", { x: "2", y: "2" }),
      apply(`${MAPS}/one`, mapOf({ x: "2", y: "2" }), by("b", "&force=true")),
      applyMap("a", { y: "2" }),
    ],
  },
  {
    name: "owners of labels and finalizers",
    steps: [
      applyMap("a", {}, { labels: { l: "1" }, finalizers: ["example.com/a"] }),
      applyMap("b", {}, { labels: { m: "1" }, finalizers: ["example.com/b"] }),
      applyMap("a", {}, { labels: { m: "2" } }),
      applyMap("a", {}, { labels: { l: "2" } }),
      patch(`${MAPS}/one?fieldManager=c`, { metadata: { finalizers: [] } }),
    ],
  },
  {
    name: "owners of keyed lists",
    steps: [
      applyPods("a", { containers: [{ name: "a", image: "a:1", args: ["x"] }] }),
      applyPods("b", {
        containers: [{ name: "a", env: [{ name: "E", value: "1" }] }],
        tolerations: [{ key: "k", operator: "Exists" }],
      }),
      applyPods("b", { containers: [{ name: "a", args: ["y"] }] }),
      applyPods("b", { containers: [{ name: "a", args: ["y"] }] }, "&force=true"),
      applyPods("a", { containers: [{ name: "a", image: "a:2" }] }),
      applyPods("b", { containers: [{ name: "b", image: "b:1" }] }),
      applyPods("b", {}),
    ],
  },
  {
    name: "owners of ports",
    steps: [80, 81].flatMap((port) => [
      apply(
        "/api/v1/namespaces/$ns/services/s",
        {
          apiVersion: "v1",
          kind: "Service",
          metadata: { name: "s" },
          spec: { ports: [{ name: `p${port}`, port, protocol: "TCP" }] },
        },
        by(`m${port}`),
      ),
    ]),
  },
  {
    name: "owners after dry runs",
    steps: [
      apply(`${MAPS}/one`, mapOf({ x: "1" }), by("a", "&dryRun=All")),
      get(`${MAPS}/one`),
      applyMap("a", { x: "1" }),
      apply(`${MAPS}/one`, mapOf({ x: "2" }), by("b", "&dryRun=All")),
      apply(`${MAPS}/one`, mapOf({ x: "2" }), by("b", "&dryRun=All&force=true")),
      get(`${MAPS}/one`),
    ],
  },
  {
    name: "owners when kubectl goes over to the server",
    steps: [
      post(
        `${MAPS}?fieldManager=kubectl-client-side-apply`,
        mapOf(
          { x: "1", y: "1" },
          { annotations: { [LAST_APPLIED]: `${JSON.stringify(mapOf({ x: "1", y: "1" }))}\n` } },
        ),
      ),
      applyMap("kubectl", { x: "2", y: "1" }),
      patch(
        `${MAPS}/one?fieldManager=kubectl`,
        [
          {
            op: "replace",
            path: "/metadata/managedFields",
            value: [
              {
                manager: "kubectl",
                operation: "Apply",
                apiVersion: "v1",
                time: "2026-01-01T00:00:00Z",
                fieldsType: "FieldsV1",
                fieldsV1: { "f:data": { "f:x": {}, "f:y": {} } },
              },
            ],
          },
        ],
        "json",
      ),
      applyMap("kubectl", { x: "3" }),
    ],
  },
  {
    name: "owners as a client says they are",
    steps: [
      applyMap("a", { x: "1" }),
      put(`${MAPS}/one`, mapOf({ x: "1", y: "1" }, { managedFields: [] })),
      patch(`${MAPS}/one`, { metadata: { managedFields: [{ manager: "m", operation: "No" }] } }),
      patch(`${MAPS}/one`, { metadata: { managedFields: null } }),
      patch(`${MAPS}/one`, { metadata: { managedFields: [{}] } }),
      patch(`${MAPS}/one?fieldManager=late`, { data: { z: "1" } }),
    ],
  },
  {
    name: "owners who were forgotten",
    steps: [
      post(`${MAPS}?fieldManager=c`, mapOf({ x: "1" })),
      patch(`${MAPS}/one`, { metadata: { managedFields: [{}] } }),
      applyMap("a", { x: "2" }),
      apply(`${MAPS}/one`, mapOf({ x: "2", y: "1" }), by("a", "&force=true")),
      patch(`${MAPS}/one?fieldManager=c`, { data: { z: "1" } }),
    ],
  },
];
