import {
  apply,
  type Case,
  type CaseRequest,
  type Definition,
  get,
  patch,
  post,
  put,
} from "../case.ts";

const GROUP = "differential.example.com";
const schema = {
  openAPIV3Schema: {
    type: "object",
    properties: {
      spec: {
        type: "object",
        required: ["size"],
        properties: {
          size: { type: "integer", minimum: 1, maximum: 10 },
          mode: { type: "string", enum: ["slow", "fast"], default: "slow" },
          name: { type: "string", pattern: "^[a-z]+$", maxLength: 5 },
          labels: { type: "object", additionalProperties: { type: "string" } },
          whole: {
            type: "object",
            "x-kubernetes-map-type": "atomic",
            properties: { a: { type: "string" }, b: { type: "string" } },
          },
          ports: {
            type: "array",
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["port", "protocol"],
            items: {
              type: "object",
              required: ["port", "protocol"],
              properties: {
                port: { type: "integer" },
                protocol: { type: "string" },
                name: { type: "string" },
              },
            },
          },
          tags: { type: "array", "x-kubernetes-list-type": "set", items: { type: "string" } },
          steps: {
            type: "array",
            items: { type: "object", properties: { run: { type: "string" } } },
          },
          any: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
          inner: {
            type: "object",
            "x-kubernetes-embedded-resource": true,
            properties: { spec: { type: "object", properties: { a: { type: "string" } } } },
          },
          nothing: { type: "string", nullable: true },
        },
      },
      status: { type: "object", properties: { ready: { type: "integer" } } },
    },
  },
};
const version = (name: string, storage: boolean) => ({
  name,
  served: true,
  storage,
  schema,
  subresources: {
    status: {},
    scale: { specReplicasPath: ".spec.size", statusReplicasPath: ".status.ready" },
  },
});
const DEFINITION: Definition = {
  plural: "gadgets",
  body: {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `gadgets.${GROUP}` },
    spec: {
      group: GROUP,
      scope: "Namespaced",
      names: { plural: "gadgets", singular: "gadget", kind: "Gadget", listKind: "GadgetList" },
      versions: [version("v1", true), version("v2", false)],
    },
  },
};

const at = (of = "v1"): string => `/apis/${GROUP}/${of}/namespaces/$ns/gadgets`;
const gadget = (spec: object, metadata: object = {}, of = "v1") => ({
  apiVersion: `${GROUP}/${of}`,
  kind: "Gadget",
  metadata: { name: "one", ...metadata },
  spec,
});
const by = (manager: string, spec: object, query = ""): CaseRequest =>
  apply(`${at()}/one`, gadget(spec), `fieldManager=${manager}${query}`);
const byIn = (of: string, manager: string, spec: object): CaseRequest =>
  apply(`${at(of)}/one`, gadget(spec, {}, of), `fieldManager=${manager}`);
const one = post(`${at()}?fieldManager=m`, gadget({ size: 1 }));
const HPAS = "/apis/autoscaling/$v/namespaces/$ns/horizontalpodautoscalers";
const scaler = (of: string, spec: object) => ({
  apiVersion: `autoscaling/${of}`,
  kind: "HorizontalPodAutoscaler",
  metadata: { name: "one" },
  spec: { scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "web" }, ...spec },
});
const applyScaler = (of: string, manager: string, spec: object): CaseRequest =>
  apply(`${HPAS.replace("$v", of)}/one`, scaler(of, spec), `fieldManager=${manager}`);

const CASES: readonly Case[] = [
  {
    name: "custom resources: written and read",
    steps: [
      post(`${at()}?fieldManager=m`, gadget({ size: 1, unknown: 2, name: "ab", nothing: null })),
      get(`${at()}/one`),
      put(`${at()}/one?fieldManager=n`, gadget({ size: 2 })),
      patch(`${at()}/one?fieldManager=n`, { spec: { size: 2, name: "cd", unknown: 1 } }),
      patch(`${at()}/one?fieldManager=n`, { spec: { name: null } }),
      patch(`${at()}/one`, { spec: { size: 3 } }, "strategic"),
      patch(`${at()}/one`, [{ op: "replace", path: "/spec/size", value: 4 }], "json"),
      patch(`${at()}/one/status?fieldManager=s`, { status: { ready: 1 } }),
      get(`${at()}/one/scale`),
      patch(`${at()}/one/scale?fieldManager=h`, { spec: { replicas: 5 } }),
      get(at()),
      get(`${at()}/one`, "application/json;as=Table;v=v1;g=meta.k8s.io"),
      get(`${at()}/one`, "application/vnd.kubernetes.protobuf"),
    ],
  },
  {
    name: "custom resources: refused",
    steps: [
      post(at(), gadget({})),
      post(at(), gadget({ size: 0, mode: "other", name: "Not Good" })),
      post(at(), gadget({ size: "1" })),
      post(at(), gadget({ size: 1, tags: ["a", "a"] })),
      post(
        at(),
        gadget({
          size: 1,
          ports: [
            { port: 1, protocol: "T" },
            { port: 1, protocol: "T" },
          ],
        }),
      ),
      post(at(), gadget({ size: 1, ports: [{ port: 1 }] })),
      post(at(), gadget({ size: 1, labels: { a: 1 } })),
      post(at(), gadget({ size: 1, inner: {} })),
      post(
        at(),
        gadget({ size: 1, inner: { apiVersion: "v1", kind: "A", metadata: { name: 1 } } }),
      ),
      post(at(), gadget({ size: 1, inner: { apiVersion: "v1", kind: "A", metadata: { x: 1 } } })),
      post(at(), { ...gadget({ size: 1 }), apiVersion: `${GROUP}/v9` }),
      post(at(), { ...gadget({ size: 1 }), kind: "Other" }),
      post(at(), { ...gadget({ size: 1 }), spec: [] }),
      post(at(), gadget({ size: 1 }, { name: "Not_Good" })),
      post(at(), gadget({ size: 1 }, { labels: { "-": "" } })),
      post(at(), gadget({ size: 1 }, { labels: [] })),
    ],
  },
  {
    name: "custom resources: embedded ones are pruned",
    steps: [
      post(
        `${at()}?fieldManager=m`,
        gadget({
          size: 1,
          inner: {
            apiVersion: "v1",
            kind: "Pod",
            metadata: { name: "p", bogus: 1, labels: { a: "b" } },
            spec: { a: "x", b: "y" },
            extra: 1,
          },
        }),
      ),
      by("m", { size: 1, inner: { apiVersion: "v1", kind: "Pod", metadata: { name: "p" } } }),
    ],
  },
  {
    name: "custom resources: applied",
    steps: [
      by("a", { size: 1, tags: ["x", "y"], ports: [{ port: 1, protocol: "T", name: "a" }] }),
      by("b", { size: 1, tags: ["y", "z"], ports: [{ port: 1, protocol: "T" }] }),
      by("b", { size: 2 }),
      by("b", { size: 2 }, "&force=true"),
      by("a", { size: 2, tags: ["x"], ports: [{ port: 1, protocol: "T" }] }),
      by("a", { size: 3, tags: ["x"], ports: [{ port: 1, protocol: "T" }] }),
      by("a", { size: 3, tags: ["x"], ports: [{ port: 1, protocol: "U" }] }, "&force=true"),
      by("c", { labels: { a: "1" }, whole: { a: "1" }, steps: [{ run: "x" }], any: { q: 1 } }),
      by("d", { labels: { b: "1" }, whole: { b: "1" } }),
      by("d", { labels: { b: "1" }, steps: [{ run: "y" }] }),
      by("d", { labels: { b: "1" }, any: { r: 1 } }),
      by("c", { whole: { a: "2" }, steps: [{ run: "z" }], any: { q: 2 } }),
      by("e", { mode: "fast", nothing: null }),
      by("e", {}),
      get(`${at()}/one`),
    ],
  },
  {
    name: "custom resources: applied wrongly",
    steps: [
      by("a", { size: 1, ports: [{ protocol: "T" }] }),
      by("a", { size: 1, tags: ["x", "x"] }),
      by("a", { size: "1" }),
      by("a", { size: 1, unknown: 1 }),
      by("a", { size: 0 }),
    ],
  },
  {
    name: "custom resources: owners beside other ways to write",
    steps: [
      one,
      by("a", { size: 1, mode: "slow" }),
      patch(`${at()}/one?fieldManager=p`, {
        spec: { tags: ["x"], ports: [{ port: 1, protocol: "T" }] },
      }),
      put(`${at()}/one?fieldManager=u`, gadget({ size: 1, tags: ["y"] })),
      apply(`${at()}/one/status`, { ...gadget({}), status: { ready: 2 } }, "fieldManager=s"),
      patch(`${at()}/one?fieldManager=p`, { metadata: { labels: { a: "b" }, finalizers: [] } }),
      get(`${at()}/one`),
    ],
  },
  {
    name: "custom resources: owners in several versions",
    steps: [
      byIn("v1", "a", { size: 1, tags: ["x"] }),
      byIn("v2", "b", { size: 1, tags: ["y"] }),
      byIn("v2", "a", { size: 1 }),
      patch(`${at("v2")}/one?fieldManager=p`, { spec: { name: "ab" } }),
      patch(`${at("v1")}/one?fieldManager=p`, { spec: { name: "cd", mode: "fast" } }),
      byIn("v1", "c", { name: "ef" }),
      get(`${at("v2")}/one`),
      get(at("v2")),
    ],
  },
];

/** Custom resources, and owners of what several API versions write. */
export const CUSTOM_CASES: readonly Case[] = [
  ...CASES.map((each) => ({ ...each, definition: DEFINITION })),
  {
    name: "owners of an autoscaler in several versions",
    steps: [
      applyScaler("v1", "a", { maxReplicas: 3, targetCPUUtilizationPercentage: 50 }),
      applyScaler("v2beta2", "b", { maxReplicas: 3, minReplicas: 1 }),
      patch(`${HPAS.replace("$v", "v1")}/one?fieldManager=p`, { spec: { minReplicas: 2 } }),
      patch(`${HPAS.replace("$v", "v2beta2")}/one?fieldManager=p`, { spec: { maxReplicas: 4 } }),
      applyScaler("v2beta2", "a", { maxReplicas: 5 }),
      applyScaler("v1", "b", { maxReplicas: 5 }),
      get(`${HPAS.replace("$v", "v2beta2")}/one`),
    ],
  },
];
