import { pathOf, type Resource } from "../../api/resource.ts";
import type { GroupVersionKind } from "../../api/schema/model.ts";
import * as parameters from "./parameters.ts";
import type { JsonSchema } from "./schemas.ts";

/** The operations under one path, by lower-case method, beside its parameters. */
export type PathItem = { [method: string]: unknown };

/** What the operations of a resource refer to. */
export interface ResourceSchemas {
  /** A custom kind: no strategic merge. */
  custom: boolean;
  object: JsonSchema;
  list: JsonSchema;
  deleteOptions: JsonSchema;
  status: JsonSchema;
  /** Body of a subresource that is of another kind. */
  subresource(kind: GroupVersionKind): JsonSchema;
}

const PATCH_TYPES = [
  "application/apply-patch+yaml",
  "application/json-patch+json",
  "application/merge-patch+json",
] as const;
const STRATEGIC = "application/strategic-merge-patch+json";
const MEDIA_TYPES = ["application/json", "application/yaml"] as const;

/** Subresources with a body of another kind than their resource's. */
const OTHER_KINDS: Readonly<Record<string, GroupVersionKind>> = {
  binding: { group: "", version: "v1", kind: "Binding" },
  eviction: { group: "policy", version: "v1", kind: "Eviction" },
  scale: { group: "autoscaling", version: "v1", kind: "Scale" },
  token: { group: "authentication.k8s.io", version: "v1", kind: "TokenRequest" },
};
const CREATED = new Set(["binding", "eviction", "token"]);
const CONNECTED = new Set(["attach", "exec", "portforward", "proxy"]);

/** All paths of a resource. */
export function pathsOf(
  resource: Resource,
  schemas: ResourceSchemas,
): ReadonlyMap<string, PathItem> {
  return new ResourcePaths(resource, schemas).all();
}

interface Verb {
  action: string;
  /** Begins the operation's id. */
  name: string;
  infix?: string;
  query: readonly parameters.Parameter[];
}

class ResourcePaths {
  readonly #resource: Resource;
  readonly #schemas: ResourceSchemas;
  readonly #id: string;

  constructor(resource: Resource, schemas: ResourceSchemas) {
    this.#resource = resource;
    this.#schemas = schemas;
    this.#id = groupIdOf(resource);
  }

  all(): Map<string, PathItem> {
    const { namespaced, subresources } = this.#resource;
    const at = namespaced ? { namespace: "{namespace}" } : {};
    const paths = new Map<string, PathItem>();
    paths.set(pathOf(this.#resource, at), this.#collection());
    if (this.#serves("get")) {
      paths.set(`${pathOf(this.#resource, at)}/{name}`, this.#object());
    }
    if (namespaced && this.#serves("list")) {
      const item = { get: this.#list("ForAllNamespaces"), parameters: [parameters.PRETTY] };
      paths.set(pathOf(this.#resource), item);
    }
    for (const name of subresources ?? []) {
      paths.set(`${pathOf(this.#resource, at)}/{name}/${name}`, this.#subresource(name));
    }
    return paths;
  }

  #serves(verb: string): boolean {
    return this.#resource.verbs?.includes(verb) ?? true;
  }

  #collection(): PathItem {
    const { object, status, deleteOptions } = this.#schemas;
    const item: PathItem = {};
    if (this.#serves("list")) item["get"] = this.#list("");
    if (this.#serves("create")) {
      const verb = { action: "post", name: "create", query: parameters.WRITE };
      item["post"] = this.#operation(verb, { body: object, answer: object });
    }
    if (this.#serves("deletecollection")) {
      const query = parameters.DELETE_COLLECTION;
      const verb = { action: "deletecollection", name: "delete", infix: "Collection", query };
      item["delete"] = this.#operation(verb, { body: deleteOptions, answer: status });
    }
    return { ...item, parameters: this.#pathParameters() };
  }

  #object(): PathItem {
    const { object, status, deleteOptions } = this.#schemas;
    const item: PathItem = {};
    const read = { action: "get", name: "read", query: [] };
    item["get"] = this.#operation(read, { answer: object });
    if (this.#serves("update")) {
      const verb = { action: "put", name: "replace", query: parameters.WRITE };
      item["put"] = this.#operation(verb, { body: object, answer: object });
    }
    if (this.#serves("patch")) item["patch"] = this.#patch(object, "");
    if (this.#serves("delete")) {
      const verb = { action: "delete", name: "delete", query: parameters.DELETE };
      item["delete"] = this.#operation(verb, { body: deleteOptions, answer: status });
    }
    return { ...item, parameters: [parameters.NAME, ...this.#pathParameters()] };
  }

  #subresource(name: string): PathItem {
    const suffix = name[0]?.toUpperCase() + name.slice(1);
    const kind = OTHER_KINDS[name];
    const schema = kind ? this.#schemas.subresource(kind) : this.#schemas.object;
    const of = { suffix, ...(kind ? { kind } : {}) };
    const item: PathItem = { parameters: [parameters.NAME, ...this.#pathParameters()] };
    const text = { type: "string" };
    if (CONNECTED.has(name)) {
      const connect = { action: "connect", name: "connectGet", query: [] };
      item["get"] = this.#operation(connect, { answer: text, ...of });
      item["post"] = this.#operation({ ...connect, name: "connectPost" }, { answer: text, ...of });
    } else if (name === "log") {
      item["get"] = this.#operation(
        { action: "get", name: "read", query: [] },
        { answer: text, ...of },
      );
    } else if (CREATED.has(name)) {
      const verb = { action: "post", name: "create", query: parameters.WRITE };
      item["post"] = this.#operation(verb, { body: schema, answer: schema, ...of });
    } else {
      const read = { action: "get", name: "read", query: [] };
      const verb = { action: "put", name: "replace", query: parameters.WRITE };
      item["get"] = this.#operation(read, { answer: schema, ...of });
      item["put"] = this.#operation(verb, { body: schema, answer: schema, ...of });
      item["patch"] = this.#patch(schema, suffix, kind);
    }
    return item;
  }

  #list(suffix: string): PathItem {
    const verb = { action: "list", name: "list", query: parameters.LIST };
    return this.#operation(verb, { answer: this.#schemas.list, suffix });
  }

  #patch(schema: JsonSchema, suffix: string, kind?: GroupVersionKind): PathItem {
    const verb = { action: "patch", name: "patch", query: parameters.PATCH };
    const operation = this.#operation(verb, { answer: schema, suffix, ...(kind ? { kind } : {}) });
    const types = this.#schemas.custom ? PATCH_TYPES : [...PATCH_TYPES, STRATEGIC];
    const content = Object.fromEntries(types.map((type) => [type, { schema: { type: "object" } }]));
    return { ...operation, requestBody: { content, required: true } };
  }

  #operation(
    verb: Verb,
    of: { body?: JsonSchema; answer: JsonSchema; suffix?: string; kind?: GroupVersionKind },
  ): PathItem {
    const { group, version, kind, namespaced } = this.#resource;
    const suffix = of.suffix ?? "";
    const scope = namespaced && suffix !== "ForAllNamespaces" ? "Namespaced" : "";
    const content = Object.fromEntries(MEDIA_TYPES.map((type) => [type, { schema: of.answer }]));
    const { group: g, version: v, kind: k } = of.kind ?? { group, version, kind };
    return {
      operationId: `${verb.name}${this.#id}${verb.infix ?? ""}${scope}${kind}${suffix}`,
      tags: [this.#id.replace(/V(\d)/, "_v$1").replace(/^\w/, (letter) => letter.toLowerCase())],
      ...(verb.query.length > 0 ? { parameters: verb.query } : {}),
      ...(of.body ? { requestBody: { content: { "*/*": { schema: of.body } } } } : {}),
      responses: { "200": { description: "OK", content }, "401": { description: "Unauthorized" } },
      "x-kubernetes-action": verb.action,
      "x-kubernetes-group-version-kind": { group: g, kind: k, version: v },
    };
  }

  #pathParameters(): parameters.Parameter[] {
    return this.#resource.namespaced
      ? [parameters.NAMESPACE, parameters.PRETTY]
      : [parameters.PRETTY];
  }
}

/** "rbac.authorization.k8s.io" and "v1" are `RbacAuthorizationV1`; the core group is `CoreV1`. */
function groupIdOf({ group, version }: Resource): string {
  const words = group.replace(/\.k8s\.io$/, "").split(/[.-]/);
  return [...(group ? words : ["core"]), version].map(capitalize).join("");
}

function capitalize(word: string): string {
  return word.slice(0, 1).toUpperCase() + word.slice(1);
}
