import { type Case, get, patch, post, put, remove } from "../case.ts";

const NS = "/api/v1/namespaces/$ns";
const MAPS = `${NS}/configmaps`;
const map = (name: string, data: object = { a: "1" }, metadata: object = {}) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, ...metadata },
  data,
});
const one = post(MAPS, map("one", { a: "1", b: "2" }, { labels: { app: "x", tier: "db" } }));
const two = post(MAPS, map("two", { c: "3" }, { labels: { app: "y" } }));

/** What holds for requests on any kind: existence, names, lists, selectors, options. */
export const REQUEST_CASES: readonly Case[] = [
  { name: "create and get", steps: [one, get(`${MAPS}/one`)] },
  { name: "create twice", steps: [one, one] },
  { name: "get what is not there", steps: [get(`${MAPS}/none`)] },
  { name: "update", steps: [one, put(`${MAPS}/one`, map("one", { z: "9" }))] },
  { name: "update what is not there", steps: [put(`${MAPS}/none`, map("none"))] },
  { name: "update under another name", steps: [one, put(`${MAPS}/one`, map("other"))] },
  {
    name: "update with an old version",
    steps: [one, put(`${MAPS}/one`, map("one", {}, { resourceVersion: "1" }))],
  },
  {
    name: "update with another uid",
    steps: [one, put(`${MAPS}/one`, map("one", {}, { uid: "no" }))],
  },
  {
    name: "create with a version",
    steps: [post(MAPS, map("one", {}, { resourceVersion: "1" }))],
  },
  {
    name: "create in another namespace",
    steps: [post(MAPS, map("one", {}, { namespace: "other" }))],
  },
  {
    name: "create in a namespace that is not there",
    steps: [post("/api/v1/namespaces/none-such/configmaps", map("a"))],
  },
  { name: "create without a name", steps: [post(MAPS, { apiVersion: "v1", kind: "ConfigMap" })] },
  {
    name: "create with a generated name",
    steps: [
      post(MAPS, { apiVersion: "v1", kind: "ConfigMap", metadata: { generateName: "gen-" } }),
    ],
  },
  { name: "create with a bad name", steps: [post(MAPS, map("Not_Good"))] },
  { name: "create with a long name", steps: [post(MAPS, map("n".repeat(254)))] },
  {
    name: "create with bad labels and annotations",
    steps: [
      post(
        MAPS,
        map(
          "one",
          {},
          {
            labels: { "-a": "b", good: "no spaces please", "x/y/z": "" },
            annotations: { "Not/a/key": "x", "UPPER/ok": "y" },
          },
        ),
      ),
    ],
  },
  {
    name: "create with bad owners and finalizers",
    steps: [
      post(
        MAPS,
        map(
          "one",
          {},
          {
            ownerReferences: [{ apiVersion: "v1", kind: "", name: "", uid: "" }],
            finalizers: ["plain", "with/slash", "a/b/c"],
          },
        ),
      ),
    ],
  },
  {
    name: "create with two controllers",
    steps: [
      post(
        MAPS,
        map(
          "one",
          {},
          {
            ownerReferences: ["a", "b"].map((name) => ({
              apiVersion: "v1",
              kind: "ConfigMap",
              name,
              uid: name,
              controller: true,
            })),
          },
        ),
      ),
    ],
  },
  { name: "create of another kind", steps: [post(MAPS, { ...map("one"), kind: "Secret" })] },
  { name: "create of another version", steps: [post(MAPS, { ...map("one"), apiVersion: "v2" })] },
  {
    name: "create without a kind",
    steps: [post(MAPS, { metadata: { name: "one" }, data: { a: "b" } })],
  },
  { name: "create with a wrong type", steps: [post(MAPS, map("one", { a: 1 }))] },
  { name: "create with a wrong structure", steps: [post(MAPS, { ...map("one"), data: [] })] },
  {
    name: "create with malformed JSON",
    steps: [{ method: "POST", path: MAPS, body: '{"kind":' }],
  },
  { name: "create with no body", steps: [{ method: "POST", path: MAPS, body: "" }] },
  {
    name: "create with YAML",
    steps: [
      {
        method: "POST",
        path: MAPS,
        body: "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: one\ndata: {a: b}\n",
        type: "application/yaml",
      },
    ],
  },
  {
    name: "create with an unknown media type",
    steps: [{ method: "POST", path: MAPS, body: "x", type: "text/plain" }],
  },
  { name: "an answer in an unknown media type", steps: [one, get(`${MAPS}/one`, "text/plain")] },
  {
    name: "dry run",
    steps: [
      post(`${MAPS}?dryRun=All`, map("one")),
      get(`${MAPS}/one`),
      one,
      patch(`${MAPS}/one?dryRun=All`, { data: { x: "y" } }),
      remove(`${MAPS}/one?dryRun=All`),
      get(`${MAPS}/one`),
      post(`${MAPS}?dryRun=Some`, map("two")),
    ],
  },
  {
    name: "a resource that is not there",
    steps: [get(`${NS}/nothings`), post(`${NS}/nothings`, {})],
  },
  { name: "a group that is not there", steps: [get("/apis/no.such/v1/things")] },
  { name: "a version that is not there", steps: [get("/apis/apps/v7/deployments")] },
  { name: "a subresource that is not there", steps: [one, get(`${MAPS}/one/status`)] },
  {
    name: "a method that is not allowed",
    steps: [post(`${MAPS}/one`, map("one")), put(MAPS, map("one"))],
  },
  {
    name: "list with selectors",
    steps: [
      one,
      two,
      get(MAPS),
      get(`${MAPS}?labelSelector=app%3Dx`),
      get(`${MAPS}?labelSelector=app%21%3Dx`),
      get(`${MAPS}?labelSelector=app+in+(x,y),tier`),
      get(`${MAPS}?labelSelector=%21tier`),
      get(`${MAPS}?fieldSelector=metadata.name%3Dtwo`),
      get(`${MAPS}?fieldSelector=metadata.name%21%3Dtwo,metadata.namespace%3D$ns`),
    ],
  },
  {
    name: "list with bad selectors",
    steps: [
      get(`${MAPS}?labelSelector=a+b`),
      get(`${MAPS}?labelSelector=a%3D%3D%3Db`),
      get(`${MAPS}?labelSelector=a+in+()`),
      get(`${MAPS}?labelSelector=-a%3Db`),
      get(`${MAPS}?fieldSelector=data.a%3Db`),
      get(`${MAPS}?fieldSelector=metadata.name`),
    ],
  },
  {
    name: "list in pages",
    steps: [
      one,
      two,
      post(MAPS, map("three")),
      get(`${MAPS}?limit=2`),
      get(`${MAPS}?limit=x`),
      get(`${MAPS}?limit=-1`),
      get(`${MAPS}?continue=nonsense`),
      get(`${MAPS}?limit=2&labelSelector=app`),
    ],
  },
  {
    name: "list at versions",
    steps: [
      one,
      get(`${MAPS}?resourceVersion=0`),
      get(`${MAPS}?resourceVersion=x`),
      get(`${MAPS}?resourceVersion=1&resourceVersionMatch=Nonsense`),
      get(`${MAPS}?resourceVersionMatch=Exact`),
      get(`${MAPS}?resourceVersion=0&resourceVersionMatch=Exact`),
    ],
  },
  {
    name: "metadata only",
    steps: [
      one,
      get(`${MAPS}/one`, "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"),
      get(MAPS, "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"),
    ],
  },
  {
    name: "delete",
    steps: [one, remove(`${MAPS}/one`), get(`${MAPS}/one`), remove(`${MAPS}/one`)],
  },
  {
    name: "delete with options",
    steps: [
      one,
      remove(`${MAPS}/one`, { preconditions: { uid: "not-this" } }),
      remove(`${MAPS}/one`, { preconditions: { resourceVersion: "1" } }),
      remove(`${MAPS}/one?propagationPolicy=Sideways`),
      remove(`${MAPS}/one`, { propagationPolicy: "Orphan", orphanDependents: true }),
      remove(`${MAPS}/one`, { apiVersion: "v1", kind: "DeleteOptions", gracePeriodSeconds: -5 }),
    ],
  },
  {
    name: "delete what has a finalizer",
    steps: [
      post(MAPS, map("one", {}, { finalizers: ["example.com/wait"] })),
      remove(`${MAPS}/one`),
      get(`${MAPS}/one`),
      remove(`${MAPS}/one`),
      patch(`${MAPS}/one`, { metadata: { finalizers: ["example.com/wait", "example.com/more"] } }),
      patch(`${MAPS}/one`, { metadata: { finalizers: null } }),
      get(`${MAPS}/one`),
    ],
  },
  {
    name: "delete in the foreground and leaving orphans",
    steps: [
      one,
      two,
      remove(`${MAPS}/one`, { propagationPolicy: "Foreground" }),
      remove(`${MAPS}/two`, { propagationPolicy: "Orphan" }),
      get(MAPS),
    ],
  },
  {
    name: "delete many",
    steps: [one, two, remove(`${MAPS}?labelSelector=app%3Dx`), get(MAPS), remove(MAPS), get(MAPS)],
  },
  {
    name: "immutable data",
    steps: [
      post(MAPS, { ...map("one"), immutable: true }),
      patch(`${MAPS}/one`, { data: { a: "2" } }),
      patch(`${MAPS}/one`, { immutable: false }),
      patch(`${MAPS}/one`, { metadata: { labels: { fine: "yes" } } }),
    ],
  },
  {
    name: "config maps that are wrong",
    steps: [
      post(MAPS, { ...map("one", { "bad key": "x", "..": "y", ok: "z" }) }),
      post(MAPS, { ...map("two", { a: "x" }), binaryData: { a: "eA==" } }),
      post(MAPS, { ...map("three"), binaryData: { b: "not base64!" } }),
    ],
  },
  {
    name: "immutable metadata",
    steps: [
      one,
      patch(`${MAPS}/one`, { metadata: { uid: "other" } }),
      patch(`${MAPS}/one`, { metadata: { name: "other" } }),
      patch(`${MAPS}/one`, { metadata: { namespace: "other" } }),
      patch(`${MAPS}/one`, { metadata: { creationTimestamp: "2001-01-01T00:00:00Z" } }),
      patch(`${MAPS}/one`, { metadata: { deletionTimestamp: "2001-01-01T00:00:00Z" } }),
      patch(`${MAPS}/one`, { metadata: { generation: 7 } }),
      patch(`${MAPS}/one`, { metadata: { labels: null, annotations: { x: "y" } } }),
    ],
  },
];
