import { type Case, get, patch, post, put, remove } from "../case.ts";

const NS = "/api/v1/namespaces/$ns";
const MAPS = `${NS}/configmaps`;
const LEASES = "/apis/coordination.k8s.io/v1/namespaces/$ns/leases";
const ROLES = "/apis/rbac.authorization.k8s.io/v1/namespaces/$ns/roles";

const map = (name: string, metadata: object = {}) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, ...metadata },
});
const lease = (metadata: object = {}) => ({
  apiVersion: "coordination.k8s.io/v1",
  kind: "Lease",
  metadata: { name: "one", ...metadata },
  spec: { holderIdentity: "a" },
});
const role = (verb: string, metadata: object = {}) => ({
  apiVersion: "rbac.authorization.k8s.io/v1",
  kind: "Role",
  metadata: { name: "one", ...metadata },
  rules: [{ apiGroups: [""], resources: ["pods"], verbs: [verb] }],
});

/** Which writes a kind offers, and what their options do. */
export const WRITE_CASES: readonly Case[] = [
  {
    name: "replace what is not there without a version, where versions are required",
    steps: [put(`${LEASES}/one`, lease()), put(`${LEASES}/one`, lease()), get(`${LEASES}/one`)],
  },
  {
    name: "replace what is not there with a version",
    steps: [put(`${LEASES}/one`, lease({ resourceVersion: "1" })), get(`${LEASES}/one`)],
  },
  {
    name: "replace what is not there with a uid",
    steps: [put(`${LEASES}/one`, lease({ uid: "x" })), get(`${LEASES}/one`)],
  },
  {
    name: "replace what is not there, where versions are not required",
    steps: [put(`${ROLES}/one`, role("get")), put(`${ROLES}/one`, role("list"))],
  },
  {
    name: "replace in a dry run what is not there",
    steps: [put(`${ROLES}/one?dryRun=All`, role("get")), get(`${ROLES}/one`)],
  },
  {
    name: "replace an admission webhook that is not there",
    steps: [
      put("/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/none", {
        apiVersion: "admissionregistration.k8s.io/v1",
        kind: "ValidatingWebhookConfiguration",
        metadata: { name: "none" },
      }),
    ],
  },
  {
    name: "patch what is not there",
    steps: [patch(`${MAPS}/one`, { data: { a: "b" } }), patch(`${LEASES}/one`, { spec: {} })],
  },
  {
    name: "delete many with a limit",
    steps: [
      ...["one", "two", "three"].map((name) => post(MAPS, map(name, { labels: { many: "yes" } }))),
      remove(`${MAPS}?labelSelector=many&limit=2`),
      get(`${MAPS}?labelSelector=many`),
      remove(`${MAPS}?labelSelector=many&dryRun=All`),
      remove(`${MAPS}?labelSelector=many`, { preconditions: { uid: "other" } }),
      get(`${MAPS}?labelSelector=many`),
      remove(`${MAPS}?labelSelector=many&fieldSelector=metadata.name%3Dtwo`),
      remove(`${MAPS}?labelSelector=-`),
      remove(`${MAPS}?continue=nonsense`),
      get(`${MAPS}?labelSelector=many`),
    ],
  },
  {
    name: "methods that only some kinds offer",
    steps: [
      remove("/api/v1/namespaces"),
      remove(`${NS}/bindings`),
      get(`${NS}/bindings`),
      get(`${NS}/bindings/one`),
      put(`${NS}/bindings`, {}),
      post("/api/v1/componentstatuses", {}),
      remove("/api/v1/componentstatuses"),
      get("/apis/authorization.k8s.io/v1/subjectaccessreviews"),
      remove("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"),
      put(`${NS}`, {}),
      post(NS, {}),
      remove(`${NS}/status`),
      get(`${NS}/finalize`),
      remove("/api/v1/configmaps"),
      post("/api/v1/configmaps", map("one")),
      post("/api/v1/pods", {}),
      put("/api/v1/configmaps", {}),
      patch("/api/v1/configmaps", {}),
      get("/api/v1/configmaps/one"),
      remove("/api/v1/configmaps/one"),
      post("/api/v1/configmaps/one", {}),
      post("/api/v1/nodes/one", {}),
      patch("/api/v1/nodes", {}),
      put("/apis/authorization.k8s.io/v1/subjectaccessreviews/one", {}),
      get("/apis/authorization.k8s.io/v1/subjectaccessreviews/one"),
      post("/apis/authorization.k8s.io/v1/localsubjectaccessreviews", {}),
      get(`${NS}/configmaps/one/two`),
      get(`${NS}/pods/one/two/three`),
      remove(`${NS}/pods/one/eviction`),
      get(`${NS}/pods/one/eviction`),
      get(`${NS}/pods/one/binding`),
      put(`${NS}/pods/one/log`, {}),
      post(`${NS}/pods/one/log`, {}),
      put(`${NS}/pods/one/exec`, {}),
      remove(`${NS}/pods/one/status`),
      post(`${NS}/pods/one/status`, {}),
      get(`${NS}/serviceaccounts/one/token`),
    ],
  },
  {
    name: "objects that nothing holds back go with the update",
    steps: [
      post(MAPS, map("one", { finalizers: ["example.com/a"] })),
      remove(`${MAPS}/one`),
      put(`${MAPS}/one`, map("one")),
      get(`${MAPS}/one`),
    ],
  },
];
