import assert from "node:assert/strict";
import { test } from "node:test";
import {
  BUILT_IN_RESOURCES,
  CONFIG_MAPS,
  DEPLOYMENTS,
  NAMESPACES,
  PODS,
} from "../../api/generated/resources.ts";
import type { Resource } from "../../api/resource.ts";
import { builtInModel } from "../../api/schema/built-in-model.ts";
import { BYTES, WireReader } from "../../format/protobuf/wire-reader.ts";
import { OpenApiPages } from "./open-api-pages.ts";
import type { JsonSchema } from "./schemas.ts";
import { buildOpenApiV2, type SwaggerDocument, type SwaggerOperation } from "./v2.ts";
import { buildOpenApiV3 } from "./v3.ts";
import { encodeOpenApiV3 } from "./v3-protobuf.ts";

interface Document {
  paths: { [path: string]: { [method: string]: Operation } };
  components: {
    schemas: { [name: string]: JsonSchema & { properties: { [name: string]: JsonSchema } } };
  };
}

interface Operation {
  operationId: string;
  parameters: { name: string; in: string }[];
  "x-kubernetes-action": string;
  "x-kubernetes-group-version-kind": unknown;
}

const model = builtInModel();

const WIDGETS: Resource = {
  group: "example.com",
  version: "v1",
  plural: "widgets",
  singular: "widget",
  kind: "Widget",
  namespaced: true,
};
const WIDGET_SCHEMA = { properties: { spec: { type: "object" } } };

function documentOf(...resources: Resource[]): Document {
  const customSchema = (resource: Resource) => (resource === WIDGETS ? WIDGET_SCHEMA : undefined);
  const document = buildOpenApiV3({ model, version: "v1.32.0", resources, customSchema });
  return document as unknown as Document;
}

test("the patch operation of a kind takes fieldValidation, as kubectl checks", () => {
  const patch =
    documentOf(DEPLOYMENTS).paths["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"]?.[
      "patch"
    ];
  assert.deepEqual(patch?.["x-kubernetes-group-version-kind"], {
    group: "apps",
    kind: "Deployment",
    version: "v1",
  });
  assert.deepEqual(
    patch?.parameters.map((parameter) => `${parameter.in} ${parameter.name}`),
    ["query dryRun", "query fieldManager", "query fieldValidation", "query force"],
  );
});

test("a namespaced resource is listed in its namespace and in all", () => {
  const { paths } = documentOf(PODS);
  assert.equal(paths["/api/v1/pods"]?.["get"]?.operationId, "listCoreV1PodForAllNamespaces");
  const collection = paths["/api/v1/namespaces/{namespace}/pods"];
  assert.deepEqual(
    [collection?.["get"], collection?.["post"], collection?.["delete"]].map(
      (each) => each?.operationId,
    ),
    ["listCoreV1NamespacedPod", "createCoreV1NamespacedPod", "deleteCoreV1CollectionNamespacedPod"],
  );
});

test("subresources have the body of their own kind", () => {
  const { paths } = documentOf(PODS, DEPLOYMENTS);
  const eviction = paths["/api/v1/namespaces/{namespace}/pods/{name}/eviction"]?.["post"];
  assert.deepEqual(eviction?.["x-kubernetes-group-version-kind"], {
    group: "policy",
    kind: "Eviction",
    version: "v1",
  });
  const scale = paths["/apis/apps/v1/namespaces/{namespace}/deployments/{name}/scale"]?.["patch"];
  assert.deepEqual(scale?.["x-kubernetes-group-version-kind"], {
    group: "autoscaling",
    kind: "Scale",
    version: "v1",
  });
  assert.equal(
    paths["/api/v1/namespaces/{namespace}/pods/{name}/exec"]?.["get"]?.["x-kubernetes-action"],
    "connect",
  );
});

test("verbs that a resource lacks have no operation", () => {
  const namespaces = documentOf(NAMESPACES).paths["/api/v1/namespaces"];
  assert.deepEqual(Object.keys(namespaces ?? {}), ["get", "post", "parameters"]);
});

test("schemas carry what merging patches needs to know", () => {
  const { schemas } = documentOf(PODS, DEPLOYMENTS).components;
  const spec = schemas["io.k8s.api.core.v1.PodSpec"];
  const containers = { ...spec?.properties["containers"] };
  delete containers["description"];
  assert.deepEqual(containers, {
    type: "array",
    items: { $ref: "#/components/schemas/io.k8s.api.core.v1.Container" },
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": ["name"],
    "x-kubernetes-patch-strategy": "merge",
    "x-kubernetes-patch-merge-key": "name",
  });
  assert.deepEqual(spec?.["required"], ["containers"]);
  assert.deepEqual(spec?.properties["restartPolicy"]?.["enum"], ["Always", "Never", "OnFailure"]);
  const claim = schemas["io.k8s.api.core.v1.PersistentVolumeClaimSpec"];
  assert.deepEqual(claim?.properties["accessModes"]?.["items"], {
    type: "string",
    enum: ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"],
  });
  const selector = schemas["io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelector"];
  assert.equal(selector?.["x-kubernetes-map-type"], "atomic");
  const strategy = schemas["io.k8s.api.apps.v1.DeploymentSpec"]?.properties["strategy"];
  assert.equal(strategy?.["x-kubernetes-patch-strategy"], "retainKeys");
  assert.deepEqual(strategy?.["allOf"], [
    { $ref: "#/components/schemas/io.k8s.api.apps.v1.DeploymentStrategy" },
  ]);
});

test("a type that says the same as its field leaves it to the field", () => {
  const { schemas } = documentOf(DEPLOYMENTS).components;
  const spec = schemas["io.k8s.api.apps.v1.DeploymentSpec"];
  assert.equal(spec?.properties["strategy"]?.["description"], "How old pods give way to new ones.");
  assert.equal(schemas["io.k8s.api.apps.v1.DeploymentStrategy"]?.["description"], undefined);
  assert.ok(schemas["io.k8s.api.core.v1.Probe"]?.["description"]);
});

test("every reference of every document leads to a definition", () => {
  for (const apiVersion of new Set(
    BUILT_IN_RESOURCES.map((each) => `${each.group}/${each.version}`),
  )) {
    const resources = BUILT_IN_RESOURCES.filter(
      (each) => `${each.group}/${each.version}` === apiVersion,
    );
    const document = documentOf(...resources);
    for (const [, name = ""] of JSON.stringify(document).matchAll(
      /"#\/components\/schemas\/([^"]+)"/g,
    )) {
      assert.ok(document.components.schemas[name], `${apiVersion}: ${name}`);
    }
  }
});

test("a custom kind is described by its own schema", () => {
  const { paths, components } = documentOf(WIDGETS);
  const widget = components.schemas["com.example.v1.Widget"];
  assert.deepEqual(Object.keys(widget?.properties ?? {}), [
    "apiVersion",
    "kind",
    "metadata",
    "spec",
  ]);
  assert.match(String(widget?.properties["metadata"]?.["description"]), /^Standard object's/);
  assert.deepEqual(widget?.["x-kubernetes-group-version-kind"], [
    { group: "example.com", kind: "Widget", version: "v1" },
  ]);
  assert.ok(paths["/apis/example.com/v1/namespaces/{namespace}/widgets/{name}"]?.["patch"]);
});

test("older clients see no fields where any field may stand", () => {
  const preserve = { type: "object", "x-kubernetes-preserve-unknown-fields": true };
  const fields = { a: { ...preserve, description: "free" } };
  const v2 = (schema: JsonSchema) => {
    const customSchema = () => schema;
    const resources = [WIDGETS];
    const document = buildOpenApiV3({ model, version: "v1.32.0", resources, customSchema });
    return buildOpenApiV2([document], "v1.32.0").definitions["com.example.v1.Widget"];
  };
  assert.deepEqual(v2({ ...preserve, properties: fields }), {
    type: "object",
    "x-kubernetes-group-version-kind": [{ group: "example.com", kind: "Widget", version: "v1" }],
  });
  const nested = v2({ properties: fields })?.["properties"] as JsonSchema | undefined;
  assert.deepEqual(nested?.["a"], {
    description: "free",
    "x-kubernetes-preserve-unknown-fields": true,
  });
});

test("the index leads to documents and a document's hash changes with its resources only", () => {
  const served: Resource[] = [PODS, DEPLOYMENTS];
  let generation = 1;
  const pages = new OpenApiPages({
    model,
    version: "v1.32.0",
    resources: () => served,
    generation: () => generation,
  });
  const index = () =>
    (
      JSON.parse(Buffer.from(pages.page("/openapi/v3")?.bytes ?? []).toString()) as {
        paths: Record<string, { serverRelativeURL: string }>;
      }
    ).paths;
  const before = index();
  assert.deepEqual(Object.keys(before), ["api/v1", "apis/apps/v1"]);
  assert.match(
    before["apis/apps/v1"]?.serverRelativeURL ?? "",
    /^\/openapi\/v3\/apis\/apps\/v1\?hash=[0-9A-F]{64}$/,
  );
  served.push(CONFIG_MAPS);
  generation++;
  const after = index();
  assert.notDeepEqual(after["api/v1"], before["api/v1"]);
  assert.deepEqual(after["apis/apps/v1"], before["apis/apps/v1"]);
  const page = pages.page("/openapi/v3/apis/apps/v1");
  assert.equal(page?.contentType, "application/json");
  assert.equal(
    (JSON.parse(Buffer.from(page?.bytes ?? []).toString()) as { openapi: string }).openapi,
    "3.0.0",
  );
  assert.equal(pages.page("/openapi/v3/apis/none/v1"), undefined);
});

test("older clients get one document for everything, as JSON or protobuf", async () => {
  const pages = new OpenApiPages({
    model,
    version: "v1.32.0",
    resources: () => BUILT_IN_RESOURCES,
    generation: () => 1,
  });
  const json = await pages.swagger();
  const { swagger, definitions, paths } = JSON.parse(
    Buffer.from(json?.bytes ?? []).toString(),
  ) as SwaggerDocument;
  assert.equal(swagger, "2.0");
  assert.deepEqual(definitions["io.k8s.api.core.v1.PodTemplateSpec"]?.["properties"], {
    metadata: {
      $ref: "#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta",
      description: "Standard object's metadata: name, labels and bookkeeping.",
    },
    spec: {
      $ref: "#/definitions/io.k8s.api.core.v1.PodSpec",
      description: "What the pods run.",
    },
  });
  const patch = paths["/api/v1/nodes/{name}"]?.["patch"] as SwaggerOperation;
  assert.deepEqual(patch.parameters[0]?.in, "body");
  assert.ok(patch.consumes.includes("application/strategic-merge-patch+json"));
  const accept = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";
  const protobuf = await pages.swagger(accept);
  assert.match(protobuf?.contentType ?? "", /protobuf$/);
  assert.notEqual(protobuf?.etag, json?.etag);
});

test("a document is kept for ever under the hash of its address, and moves with it", async () => {
  const pages = new OpenApiPages({
    model,
    version: "v1.32.0",
    resources: () => [DEPLOYMENTS],
    generation: () => 1,
  });
  const path = "/openapi/v3/apis/apps/v1";
  const etag = pages.page(path)?.etag ?? "";
  const hash = etag.slice(1, -1);
  assert.equal(pages.page(path, { hash })?.immutable, true);
  assert.equal(pages.page(path, { hash: "OLD" })?.location, `${path}?hash=${hash}`);
  assert.throws(() => pages.page(path, { accept: "text/html" }), { reason: "NotAcceptable" });
  await assert.rejects(pages.swagger("text/html"), /are accepted/);
});

/** Messages and texts of one message, by number. */
function fieldsOf(bytes: Uint8Array): Map<number, Uint8Array[]> {
  const reader = new WireReader(bytes);
  const fields = new Map<number, Uint8Array[]>();
  while (reader.next()) {
    const { number, wireType } = reader;
    if (wireType === BYTES) fields.set(number, [...(fields.get(number) ?? []), reader.bytes()]);
    else reader.skip();
  }
  return fields;
}

test("a document comes as protobuf too, message for message", () => {
  const schema: JsonSchema = {
    type: "object",
    required: ["a", "b"],
    properties: {
      a: { type: "integer", minimum: -1.5, maximum: 7, enum: [1, 2], default: 1 },
      b: { allOf: [{ $ref: "#/components/schemas/Other" }], "x-kubernetes-list-type": "set" },
      c: { type: "object", additionalProperties: true, default: {} },
    },
  };
  const bytes = encodeOpenApiV3({ openapi: "3.0.0", components: { schemas: { Widget: schema } } });
  const none = new Uint8Array();
  const at = (from: Uint8Array | undefined, ...path: readonly number[]): Uint8Array => {
    return path.reduce((each, number) => fieldsOf(each).get(number)?.[0] ?? none, from ?? none);
  };
  const text = (from: Uint8Array | undefined) => Buffer.from(from ?? []).toString();
  assert.equal(text(at(bytes, 1)), "3.0.0");
  const widget = at(bytes, 5, 1, 1);
  assert.equal(text(at(widget, 1)), "Widget");
  const body = fieldsOf(at(widget, 2, 1));
  assert.deepEqual(body.get(25)?.map(text), ["object"]);
  assert.deepEqual(body.get(23)?.map(text), ["a", "b"]);
  const [a, b, c] = fieldsOf(body.get(31)?.[0] ?? none).get(1) ?? [];
  assert.deepEqual(
    fieldsOf(at(a, 2, 1))
      .get(24)
      ?.map((each) => text(at(each, 2))),
    ["1", "2"],
  );
  assert.equal(text(at(b, 2, 1, 26, 2, 1)), "#/components/schemas/Other");
  assert.equal(text(at(b, 2, 1, 36, 1)), "x-kubernetes-list-type");
  assert.equal(text(at(b, 2, 1, 36, 2, 2)), '"set"');
  assert.equal(fieldsOf(at(c, 2, 1)).has(33), false, "defaults that are objects have no place");
  const pages = new OpenApiPages({
    model,
    version: "v1.32.0",
    resources: () => [DEPLOYMENTS],
    generation: () => 1,
  });
  const accept = "application/com.github.proto-openapi.spec.v3@v1.0+protobuf";
  const page = pages.page("/openapi/v3/apis/apps/v1", { accept });
  assert.equal(page?.contentType, "application/com.github.proto-openapi.spec.v3.v1.0+protobuf");
  assert.equal(text(at(page?.bytes, 4, 1, 1)), "/apis/apps/v1/");
  const index = pages.page("/openapi/v3", { accept });
  assert.equal(index?.contentType, "application/json", "the index has one form for all");
});
