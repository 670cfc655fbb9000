import { pathOf, type Resource } from "../../api/resource.ts";
import type { GroupVersionKind, SchemaModel } from "../../api/schema/model.ts";
import { LIST_FIELDS, OBJECT_FIELDS } from "./descriptions.ts";
import { customDefinitionNameOf } from "./definition-names.ts";
import { type PathItem, pathsOf, type ResourceSchemas } from "./paths.ts";
import { type JsonSchema, SchemaCollector } from "./schemas.ts";

/** What the document of a group-version is made from. */
export interface OpenApiSource {
  model: SchemaModel;
  /** Resources served in this group-version. */
  resources: readonly Resource[];
  /** Such as "v1.32.0". */
  version: string;
  /** JSON schema of a custom kind; `undefined` for a kind of the model. */
  customSchema?(resource: Resource): JsonSchema | undefined;
}

/** Kinds of the meta group that documents mention as kinds of their own. */
const META_KINDS = ["DeleteOptions", "Status"] as const;

/** The OpenAPI 3.0 document of one group-version, as a JSON value. */
export function buildOpenApiV3(source: OpenApiSource): JsonSchema {
  const { model, resources, version } = source;
  const collector = new SchemaCollector(model, kindsOf(model, resources));
  const paths: { [path: string]: PathItem } = {};
  const [first] = resources;
  if (first) paths[groupVersionPath(first)] = discoveryPath(collector, first);
  for (const resource of resources) {
    const schemas = schemasOf(source, resource, collector);
    for (const [path, item] of pathsOf(resource, schemas)) paths[path] = item;
  }
  return {
    openapi: "3.0.0",
    info: { title: "Kubernetes", version },
    paths,
    components: {
      schemas: collector.definitions(),
      securitySchemes: { BearerToken: { type: "apiKey", name: "authorization", in: "header" } },
    },
  };
}

/** The index at /openapi/v3: where each group-version's document is, by "apis/apps/v1". */
export function openApiV3Index(hashes: ReadonlyMap<string, string>): JsonSchema {
  const paths: JsonSchema = {};
  for (const [key, hash] of [...hashes].sort(([a], [b]) => (a < b ? -1 : 1))) {
    paths[key] = { serverRelativeURL: openApiV3Address(key, hash) };
  }
  return { paths };
}

/** Where a document with this hash is. */
export function openApiV3Address(key: string, hash: string): string {
  return `/openapi/v3/${key}?hash=${hash}`;
}

/** "api/v1" or "apis/apps/v1". */
export function openApiKeyOf(resource: Resource): string {
  return groupVersionPath(resource).slice(1, -1);
}

function groupVersionPath(resource: Resource): string {
  const path = pathOf(resource);
  return path.slice(0, path.lastIndexOf("/") + 1);
}

function kindsOf(
  model: SchemaModel,
  resources: readonly Resource[],
): Map<string, readonly GroupVersionKind[]> {
  const kinds = new Map<string, readonly GroupVersionKind[]>();
  for (const gvk of model.kinds()) {
    const root = model.root(gvk);
    if (root) kinds.set(root.name, [{ group: gvk.group, kind: gvk.kind, version: gvk.version }]);
  }
  // Older versions share types with the current one; in their document these are theirs.
  for (const { group, version, kind: own } of resources) {
    for (const kind of [own, `${own}List`]) {
      const root = model.root({ group, version, kind });
      if (root) kinds.set(root.name, [{ group, kind, version }]);
    }
  }
  const { group = "", version = "v1" } = resources[0] ?? {};
  for (const kind of META_KINDS) {
    const own = kind === "Status" ? { group: "", version: "v1" } : { group, version };
    kinds.set(`meta/v1.${kind}`, [{ group: own.group, kind, version: own.version }]);
  }
  return kinds;
}

function schemasOf(
  source: OpenApiSource,
  resource: Resource,
  collector: SchemaCollector,
): ResourceSchemas {
  const { group, version, kind } = resource;
  const custom = source.customSchema?.(resource);
  const struct = (of: GroupVersionKind): JsonSchema => {
    const root = source.model.root(of);
    return root ? collector.reference(root.name) : { type: "object" };
  };
  const own = custom
    ? customSchemas(resource, custom, collector)
    : {
        object: struct({ group, version, kind }),
        list: struct({ group, version, kind: `${kind}List` }),
      };
  return {
    ...own,
    custom: custom !== undefined,
    deleteOptions: collector.reference("meta/v1.DeleteOptions"),
    status: collector.reference("meta/v1.Status"),
    subresource: struct,
  };
}

/** What every custom object has, whatever its own schema says of it. */
const TYPE_META: JsonSchema = {
  apiVersion: { description: OBJECT_FIELDS.apiVersion, type: "string" },
  kind: { description: OBJECT_FIELDS.kind, type: "string" },
};

function customSchemas(
  resource: Resource,
  schema: JsonSchema,
  collector: SchemaCollector,
): { object: JsonSchema; list: JsonSchema } {
  const { group, version, kind } = resource;
  const name = customDefinitionNameOf(resource);
  const kindOf = (of: string) => [{ group, kind: of, version }];
  const every: JsonSchema = {
    ...TYPE_META,
    metadata: {
      description: OBJECT_FIELDS.metadata,
      allOf: [collector.reference("meta/v1.ObjectMeta")],
    },
  };
  // First in order, and in place of what the schema itself says of them.
  const properties = { ...every, ...(schema["properties"] as object | undefined), ...every };
  const object = collector.add(name, {
    type: "object",
    ...schema,
    properties,
    "x-kubernetes-group-version-kind": kindOf(kind),
  });
  const list = collector.add(`${name}List`, {
    type: "object",
    required: ["items"],
    properties: {
      ...TYPE_META,
      metadata: {
        description: LIST_FIELDS.metadata,
        allOf: [collector.reference("meta/v1.ListMeta")],
      },
      items: { description: LIST_FIELDS.items, type: "array", items: object },
    },
    "x-kubernetes-group-version-kind": kindOf(`${kind}List`),
  });
  return { object, list };
}

function discoveryPath(collector: SchemaCollector, resource: Resource): PathItem {
  const schema = collector.reference("meta/v1.APIResourceList");
  const content = { "application/json": { schema } };
  return {
    get: {
      operationId: `getAPIResources${groupVersionPath(resource).replaceAll(/\W+/g, "_")}`,
      responses: { "200": { description: "OK", content } },
    },
  };
}
