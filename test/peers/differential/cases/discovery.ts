import { type Case, get } from "../case.ts";

/** Group-versions that both servers have. */
const SHARED = [
  "api/v1",
  "apis/admissionregistration.k8s.io/v1",
  "apis/apiextensions.k8s.io/v1",
  "apis/apiregistration.k8s.io/v1",
  "apis/apps/v1",
  "apis/authentication.k8s.io/v1",
  "apis/authorization.k8s.io/v1",
  "apis/autoscaling/v1",
  "apis/batch/v1",
  "apis/certificates.k8s.io/v1",
  "apis/coordination.k8s.io/v1",
  "apis/events.k8s.io/v1",
  "apis/networking.k8s.io/v1",
  "apis/node.k8s.io/v1",
  "apis/rbac.authorization.k8s.io/v1",
  "apis/scheduling.k8s.io/v1",
  "apis/storage.k8s.io/v1",
];

/** What discovery tells of each resource: names, scopes, verbs, categories, what is stored. */
export const DISCOVERY_CASES: readonly Case[] = [
  ...SHARED.map((path) => ({ name: `resources of ${path}`, steps: [get(`/${path}`)] })),
  {
    name: "documents of discovery that are not there",
    steps: [get("/api/v2"), get("/apis/apps/v9"), get("/apis/none.example"), get("/api/v1x/pods")],
  },
];
