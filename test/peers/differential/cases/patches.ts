import { apply, type Case, get, patch, post, put } from "../case.ts";

const NS = "/api/v1/namespaces/$ns";
const MAPS = `${NS}/configmaps`;
const DEPLOYMENTS = "/apis/apps/v1/namespaces/$ns/deployments";
const map = (data: object) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: "one" },
  data,
});
const containers = [
  { name: "a", image: "a:1", env: [{ name: "X", value: "1" }], ports: [{ containerPort: 80 }] },
  { name: "b", image: "b:1", args: ["x", "y"] },
];
const deployment = (spec: object = {}) => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "web", labels: { app: "web" } },
  spec: {
    selector: { matchLabels: { app: "web" } },
    template: {
      metadata: { labels: { app: "web" } },
      spec: { containers, volumes: [{ name: "v", emptyDir: {} }] },
    },
    ...spec,
  },
});
const make = post(DEPLOYMENTS, deployment());
const web = `${DEPLOYMENTS}/web`;
const pod = (spec: object) => ({ spec: { template: { spec } } });
const one = post(MAPS, map({ a: "1" }));
const applied = (data: object, metadata: object = {}) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: "one", ...metadata },
  data,
});

/** The four types of patch. */
export const PATCH_CASES: readonly Case[] = [
  {
    name: "merge patch",
    steps: [
      make,
      patch(web, { spec: { replicas: 3, minReadySeconds: 5 } }),
      patch(web, { spec: { minReadySeconds: null, paused: true } }),
      patch(web, pod({ containers: [{ name: "c", image: "c:1" }] })),
    ],
  },
  {
    name: "strategic patch of lists",
    steps: [
      make,
      patch(web, pod({ containers: [{ name: "a", image: "a:2" }] }), "strategic"),
      patch(web, pod({ containers: [{ name: "c", image: "c:1" }] }), "strategic"),
      patch(web, pod({ containers: [{ name: "b", $patch: "delete" }] }), "strategic"),
      patch(
        web,
        pod({
          containers: [
            {
              name: "a",
              env: [{ name: "Y", value: "2" }],
              ports: [{ containerPort: 80, name: "http" }],
            },
          ],
        }),
        "strategic",
      ),
      patch(
        web,
        pod({
          $setElementOrder: undefined,
          "$setElementOrder/containers": [{ name: "c" }, { name: "a" }],
        }),
        "strategic",
      ),
      patch(
        web,
        pod({ volumes: [{ name: "v", emptyDir: null, configMap: { name: "m" } }] }),
        "strategic",
      ),
      patch(
        web,
        pod({ containers: [{ $patch: "replace" }, { name: "z", image: "z:1" }] }),
        "strategic",
      ),
      patch(web, { metadata: { labels: { app: null, x: "y" } } }, "strategic"),
    ],
  },
  {
    name: "strategic patch of sets and unions",
    steps: [
      make,
      patch(web, { metadata: { finalizers: ["example.com/a"] } }, "strategic"),
      patch(web, { metadata: { finalizers: ["example.com/b"] } }, "strategic"),
      patch(
        web,
        { metadata: { "$deleteFromPrimitiveList/finalizers": ["example.com/a"] } },
        "strategic",
      ),
      patch(web, { spec: { strategy: { type: "Recreate", rollingUpdate: null } } }, "strategic"),
      patch(web, { spec: { strategy: { $retainKeys: ["type"], type: "Recreate" } } }, "strategic"),
      patch(web, pod({ containers: [{ image: "nameless" }] }), "strategic"),
      patch(web, { spec: { template: { $patch: "nonsense" } } }, "strategic"),
    ],
  },
  {
    name: "json patch",
    steps: [
      make,
      patch(web, [{ op: "replace", path: "/spec/replicas", value: 4 }], "json"),
      patch(web, [{ op: "add", path: "/metadata/labels/x~1y", value: "z" }], "json"),
      patch(
        web,
        [{ op: "add", path: "/spec/template/spec/containers/-", value: { name: "c", image: "c" } }],
        "json",
      ),
      patch(web, [{ op: "remove", path: "/spec/template/spec/containers/1" }], "json"),
      patch(
        web,
        [
          { op: "test", path: "/spec/replicas", value: 4 },
          { op: "move", from: "/metadata/labels/app", path: "/metadata/labels/moved" },
        ],
        "json",
      ),
      patch(
        web,
        [{ op: "copy", from: "/metadata/labels/moved", path: "/metadata/labels/copied" }],
        "json",
      ),
    ],
  },
  {
    name: "json patch that fails",
    steps: [
      make,
      patch(web, [{ op: "test", path: "/spec/replicas", value: 9 }], "json"),
      patch(web, [{ op: "remove", path: "/spec/none" }], "json"),
      patch(web, [{ op: "replace", path: "/spec/none", value: 1 }], "json"),
      patch(web, [{ op: "add", path: "/spec/none/deeper", value: 1 }], "json"),
      patch(web, [{ op: "jump", path: "/spec", value: 1 }], "json"),
      patch(web, {}, "json"),
    ],
  },
  {
    name: "patches that lead to something invalid",
    steps: [
      make,
      patch(web, { spec: { replicas: -1 } }),
      patch(web, { spec: { replicas: "many" } }),
      patch(web, { spec: { selector: { matchLabels: { app: "other" } } } }),
      patch(web, { kind: "StatefulSet" }),
      patch(web, { apiVersion: "apps/v2" }),
      patch(web, [1, 2], "merge"),
      { method: "PATCH", path: web, body: "{}", type: "application/json" },
      { method: "PATCH", path: web, body: "{", type: "application/merge-patch+json" },
      patch(`${DEPLOYMENTS}/none`, {}),
    ],
  },
  {
    name: "a patch that changes nothing",
    steps: [make, patch(web, {}), patch(web, { spec: { replicas: 1 } }), get(web)],
  },
  {
    name: "patches with a version",
    steps: [
      one,
      patch(`${MAPS}/one`, { metadata: { resourceVersion: "1" }, data: { x: "y" } }),
      patch(`${MAPS}/one`, { metadata: { uid: "1" }, data: { x: "y" } }),
    ],
  },
];

/** Server-side apply. */
export const APPLY_CASES: readonly Case[] = [
  {
    name: "apply makes and changes",
    steps: [
      apply(`${MAPS}/one`, applied({ a: "1", b: "2" }, { labels: { x: "y" } })),
      apply(`${MAPS}/one`, applied({ a: "2" })),
      apply(`${MAPS}/one`, applied({ a: "2" })),
    ],
  },
  {
    name: "apply in conflict",
    steps: [
      apply(`${MAPS}/one`, applied({ a: "1", b: "2" })),
      apply(`${MAPS}/one`, applied({ a: "other" }), "fieldManager=second"),
      apply(`${MAPS}/one`, applied({ a: "1" }), "fieldManager=second"),
      apply(`${MAPS}/one`, applied({ a: "other" }), "fieldManager=second&force=true"),
      apply(`${MAPS}/one`, applied({ b: "2" })),
    ],
  },
  {
    name: "apply after an update",
    steps: [
      one,
      apply(`${MAPS}/one`, applied({ a: "1" })),
      apply(`${MAPS}/one`, applied({ a: "2" })),
      apply(`${MAPS}/one`, applied({ a: "2" }), "fieldManager=applier&force=true"),
      put(`${MAPS}/one`, map({ c: "3" })),
      apply(`${MAPS}/one`, applied({})),
    ],
  },
  {
    name: "apply of lists",
    steps: [
      apply(web, deployment()),
      apply(
        web,
        {
          ...deployment({ template: { spec: { containers: [{ name: "side", image: "s:1" }] } } }),
        },
        "fieldManager=side",
      ),
      apply(
        web,
        {
          apiVersion: "apps/v1",
          kind: "Deployment",
          metadata: { name: "web" },
          spec: {
            template: {
              spec: {
                containers: [
                  { name: "a", env: [{ name: "Z", value: "9" }], ports: [{ containerPort: 443 }] },
                ],
              },
            },
          },
        },
        "fieldManager=side",
      ),
      apply(web, deployment({ replicas: 5 })),
      patch(web, { spec: { replicas: 7 } }),
      apply(web, deployment({ replicas: 5 })),
      apply(web, deployment()),
    ],
  },
  {
    name: "apply with the subresource scale",
    steps: [
      apply(web, deployment({ replicas: 2 })),
      get(`${web}/scale`),
      patch(`${web}/scale`, { spec: { replicas: 6 } }),
      put(`${web}/scale`, {
        apiVersion: "autoscaling/v1",
        kind: "Scale",
        metadata: { name: "web", namespace: "d-apply-with-the-subresource-scale" },
        spec: { replicas: -1 },
      }),
      apply(web, deployment({ replicas: 3 })),
    ],
  },
  {
    name: "apply that is wrong",
    steps: [
      apply(`${MAPS}/one`, applied({ a: "1" }), ""),
      apply(`${MAPS}/one`, { ...applied({ a: "1" }), metadata: { name: "other" } }),
      apply(`${MAPS}/one`, { kind: "ConfigMap", metadata: { name: "one" } }),
      apply(`${MAPS}/one`, applied({ a: "1" }, { managedFields: [{ manager: "me" }] })),
      apply(`${MAPS}/one`, applied({ a: 1 })),
      apply(`${MAPS}/one`, { ...applied({ a: "1" }), unknown: true }),
      apply(web, deployment({ template: { spec: { containers: [{ image: "x" }] } } })),
      apply(
        web,
        deployment({ template: { spec: { containers: [containers[0], containers[0]] } } }),
      ),
      { ...apply(`${MAPS}/one`, {}), body: "a: b: c" },
      patch(`${MAPS}/one?force=true`, { data: {} }),
      apply(`${MAPS}/one`, applied({}), `fieldManager=${"m".repeat(129)}`),
    ],
  },
  {
    name: "field managers",
    steps: [
      post(`${MAPS}?fieldManager=first`, map({ a: "1" })),
      patch(`${MAPS}/one?fieldManager=second`, { data: { a: "2", b: "1" } }),
      patch(`${MAPS}/one?fieldManager=first`, { data: { b: null } }),
      patch(`${MAPS}/one`, { metadata: { managedFields: [{}] } }),
      get(`${MAPS}/one`),
    ],
  },
];
