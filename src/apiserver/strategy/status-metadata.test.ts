import assert from "node:assert/strict";
import { test } from "node:test";
import { settle } from "../../lib/virtual-clock.ts";
import { type ServerFixture, startServer } from "../api-server-fixture.ts";

const NAMES = { plural: "cars", singular: "car", kind: "Car", listKind: "CarList" };
const SCHEMA = { type: "object", "x-kubernetes-preserve-unknown-fields": true };
const VERSION = {
  name: "v1",
  served: true,
  storage: true,
  subresources: { status: {} },
  schema: { openAPIV3Schema: SCHEMA },
};
const DEFINITION = {
  metadata: { name: "cars.example.com" },
  spec: { group: "example.com", scope: "Cluster", names: NAMES, versions: [VERSION] },
};
const WEB = { matchLabels: { app: "web" } };
const TEMPLATE = {
  metadata: { labels: { app: "web" } },
  spec: { containers: [{ name: "c", image: "i" }] },
};
const FLOW = {
  matchingPrecedence: 9000,
  priorityLevelConfiguration: { name: "exempt" },
  distinguisherMethod: { type: "ByUser" },
};

/** Path of an object, what it is made of, and what of its metadata a status may change in 1.32. */
const ROWS: readonly (readonly [string, object, string])[] = [
  // Upstream means to keep the metadata, and compares it with itself.
  [
    "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/cars.example.com",
    DEFINITION,
    "annotations finalizers labels",
  ],
  ["/apis/example.com/v1/cars/a", {}, ""],
  ["/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas/a", { spec: FLOW }, ""],
  [
    "/apis/flowcontrol.apiserver.k8s.io/v1/prioritylevelconfigurations/a",
    { spec: { type: "Limited", limited: { limitResponse: { type: "Reject" } } } },
    "",
  ],
  [
    "/apis/storage.k8s.io/v1/volumeattachments/a",
    { spec: { attacher: "d", nodeName: "n", source: { persistentVolumeName: "v" } } },
    "",
  ],
  [
    "/apis/apps/v1/namespaces/default/deployments/a",
    { spec: { selector: WEB, template: TEMPLATE } },
    "annotations finalizers",
  ],
  [
    "/apis/apps/v1/namespaces/default/replicasets/a",
    { spec: { selector: WEB, template: TEMPLATE } },
    "annotations finalizers labels",
  ],
  ["/api/v1/namespaces/default/pods/a", { spec: TEMPLATE.spec }, "annotations finalizers labels"],
  ["/api/v1/nodes/a", {}, "annotations finalizers labels"],
  [
    "/api/v1/namespaces/default/services/a",
    { spec: { ports: [{ port: 80 }] } },
    "annotations finalizers labels",
  ],
];

/** Which parts of the metadata a patch of the status has changed. */
async function changedBy(api: ServerFixture, path: string): Promise<string> {
  const metadata = {
    labels: { told: "yes" },
    annotations: { told: "yes" },
    finalizers: ["example.com/told"],
  };
  await api.patch(`${path}/status`, { body: { metadata }, type: "merge-patch+json" });
  const after = await api.ask("GET", path);
  const told = JSON.stringify(after.metadata["finalizers"] ?? []).includes("told");
  const has = (name: string) =>
    (after.metadata[name] as Record<string, string> | undefined)?.["told"] === "yes";
  const parts = [
    has("annotations") && "annotations",
    told && "finalizers",
    has("labels") && "labels",
  ];
  return parts.filter(Boolean).join(" ");
}

test("a status changes as much of the metadata as in 1.32", async () => {
  await using api = await startServer();
  const found: [string, object, string][] = [];
  for (const [path, object] of ROWS) {
    const name = path.slice(path.lastIndexOf("/") + 1);
    const collection = path.slice(0, path.lastIndexOf("/"));
    const isCar = collection.endsWith("/cars");
    const kind = isCar ? { apiVersion: "example.com/v1", kind: "Car" } : {};
    await api.ask("POST", collection, { ...kind, metadata: { name }, ...object });
    await settle();
    found.push([path, object, await changedBy(api, path)]);
  }
  assert.deepEqual(found, ROWS);
});
