import type { FieldFact, GroupFacts, StructFact } from "./fact.ts";
import type { GoField, GoPackage, GoStruct, Markers } from "./go-parser.ts";
import { GROUP_VERSIONS, type GroupVersionSource } from "./group-versions.ts";

/** Go types with a codec of their own, by import path and name. */
const SPECIAL: Readonly<Record<string, string>> = {
  "meta/v1.Time": "time",
  "meta/v1.MicroTime": "microTime",
  "meta/v1.Duration": "duration",
  "meta/v1.FieldsV1": "any",
  "k8s.io/apimachinery/pkg/api/resource.Quantity": "quantity",
  "k8s.io/apimachinery/pkg/util/intstr.IntOrString": "intOrString",
  "k8s.io/apimachinery/pkg/runtime.RawExtension": "any",
  "k8s.io/apimachinery/pkg/types.UID": "string",
  "k8s.io/apimachinery/pkg/types.NodeName": "string",
  "interface{}": "any",
  string: "string",
  bool: "boolean",
  int32: "int32",
  int64: "int64",
  uint8: "int32",
  float64: "float64",
};

/** Not API objects, or described by `SPECIAL`. */
const SKIPPED = new Set([
  "meta/v1.Time",
  "meta/v1.MicroTime",
  "meta/v1.Duration",
  "meta/v1.FieldsV1",
  "meta/v1.TypeMeta",
  "meta/v1.Timestamp",
  "meta/v1.Patch",
  "meta/v1.InternalEvent",
]);

/** Resources that upstream serves without a generated client. */
const WITHOUT_CLIENT = new Set(["core/v1.Binding"]);

/** Turns parsed Go packages into facts. */
export class Collector {
  readonly #packages: ReadonlyMap<string, GoPackage>;

  /** @param packages by "core/v1" */
  constructor(packages: ReadonlyMap<string, GoPackage>) {
    this.#packages = packages;
  }

  group(source: GroupVersionSource): GroupFacts {
    const key = `${source.short}/${source.version}`;
    const go = this.#package(key);
    const enums = [...go.named]
      .filter(([name, type]) => type.markers.has("enum") && go.constants.has(name))
      .map(([name]) => ({ name, values: go.constants.get(name) ?? [] }));
    const structs = [...go.structs.values()]
      .filter((struct) => !SKIPPED.has(`${key}.${struct.name}`))
      .map((struct) => this.#struct(key, struct));
    if (key === "core/v1") structs.push({ ...this.#list(), name: "List" });
    return { short: source.short, group: source.group, version: source.version, structs, enums };
  }

  /** `core/v1.List` is declared as another name of `meta/v1.List`. */
  #list(): StructFact {
    const list = this.#package("meta/v1").structs.get("List");
    if (!list) throw new Error('Cannot find "List" in meta/v1');
    const fact = this.#struct("meta/v1", list);
    for (const field of fact.fields)
      field.type = field.type.replace(/^ListMeta$/, "meta/v1.ListMeta");
    return fact;
  }

  #package(key: string): GoPackage {
    const go = this.#packages.get(key);
    if (!go) throw new Error(`Cannot find the Go package of ${key}`);
    return go;
  }

  #struct(key: string, struct: GoStruct): StructFact {
    const { markers } = struct;
    const fields = this.#fields(key, struct, "");
    const root = struct.fields.some((field) => !field.name && /(^|\.)TypeMeta$/.test(field.type));
    const isServed = markers.has("genclient") && !markers.has("genclient:noVerbs");
    const resource =
      isServed || WITHOUT_CLIENT.has(`${key}.${struct.name}`)
        ? { resource: { namespaced: !markers.has("genclient:nonNamespaced") } }
        : {};
    const atomic = markers.get("structType")?.[0] === "atomic";
    return { name: struct.name, root, atomic, fields, ...resource };
  }

  #fields(key: string, struct: GoStruct, protobufPath: string): FieldFact[] {
    const fields: FieldFact[] = [];
    for (const field of struct.fields) {
      const [jsonName = "", ...options] = (field.tags.get("json") ?? "").split(",");
      if (jsonName === "-" || !field.tags.has("json")) continue;
      const number = `${protobufPath}${field.tags.get("protobuf")?.split(",")[1] ?? ""}`;
      if (options.includes("inline")) {
        if (/(^|\.)TypeMeta$/.test(field.type)) continue;
        const inlined = this.#resolveStruct(field.type, key, struct);
        fields.push(...this.#fields(key, inlined, number && `${number}.`));
      } else {
        fields.push(this.#field(key, struct, { field, jsonName, options, number }));
      }
    }
    return fields;
  }

  #field(key: string, struct: GoStruct, of: FieldInput): FieldFact {
    const { field, jsonName, options, number } = of;
    const omitEmpty = options.includes("omitempty");
    const markers = this.#withNamedMarkers(key, field);
    const flags: string[] = [];
    if (isRequired(field.markers, omitEmpty)) flags.push("!");
    if (!omitEmpty) flags.push("+");
    if (field.type.startsWith("*")) flags.push("*");
    if (number) flags.push(`#${number}`);
    const type = this.#type(field.type, key, struct);
    // Go can repeat fields of a list type, but not of a named one: that becomes a message.
    if (type.startsWith("[]") && /^[\w.]+$/.test(field.type)) flags.push("%");
    flags.push(...mergeFlags(markers, field));
    const given = field.markers.get("default")?.[0];
    if (given !== undefined) flags.push(`default:${this.#default(key, given)}`);
    return { name: jsonName, type, flags };
  }

  /** A list type may be marked where the field is or where its named type is. */
  #withNamedMarkers(key: string, field: GoField): Markers {
    const named = this.#package(key).named.get(field.type.replace(/^\*/, ""));
    return new Map([...(named?.markers ?? []), ...field.markers]);
  }

  #default(key: string, text: string): string {
    const reference = /^ref\((\w+)\)$/.exec(text)?.[1];
    if (!reference) return text;
    const value = this.#package(key).values.get(reference);
    if (value === undefined) throw new Error(`Cannot find the constant ${reference} in ${key}`);
    return JSON.stringify(value);
  }

  #type(go: string, key: string, scope: { imports: ReadonlyMap<string, string> }): string {
    if (go.startsWith("*")) return this.#type(go.slice(1), key, scope);
    if (go === "[]byte") return "bytes";
    if (go.startsWith("[]")) return `[]${this.#type(go.slice(2), key, scope)}`;
    const map = /^map\[[\w.]+\](.+)$/.exec(go)?.[1];
    if (map) return `{}${this.#type(map, key, scope)}`;
    const [qualified, home] = this.#qualify(go, key, scope);
    const special = SPECIAL[qualified] ?? SPECIAL[go];
    if (special) return special;
    const name = qualified.slice(qualified.lastIndexOf(".") + 1);
    const target = this.#package(home);
    if (target.structs.has(name)) return home === key ? name : qualified;
    const named = target.named.get(name);
    if (!named) throw new Error(`Cannot resolve the Go type ${go} in ${key}`);
    if (named.markers.has("enum") && target.constants.has(name)) {
      return home === key ? name : qualified;
    }
    return this.#type(named.type, home, named);
  }

  /** "v1.PodSpec" in apps/v1 becomes ["core/v1.PodSpec", "core/v1"]. */
  #qualify(
    go: string,
    key: string,
    scope: { imports: ReadonlyMap<string, string> },
  ): [qualified: string, home: string] {
    const [first = "", name] = go.split(".");
    if (!name) return [`${key}.${go}`, key];
    const path = scope.imports.get(first) ?? first;
    const source = GROUP_VERSIONS.find((each) => each.goPath === path);
    const home = source ? `${source.short}/${source.version}` : path;
    return [`${home}.${name}`, home];
  }

  #resolveStruct(go: string, key: string, scope: GoStruct): GoStruct {
    const [qualified, home] = this.#qualify(go, key, scope);
    const struct = this.#package(home).structs.get(qualified.slice(qualified.lastIndexOf(".") + 1));
    if (!struct) throw new Error(`Cannot inline the Go type ${go} in ${key}`);
    return struct;
  }
}

interface FieldInput {
  field: GoField;
  jsonName: string;
  options: readonly string[];
  number: string;
}

function isRequired(markers: Markers, omitEmpty: boolean): boolean {
  if (markers.has("required") || markers.has("kubebuilder:validation:Required")) return true;
  return !omitEmpty && !markers.has("optional");
}

function mergeFlags(markers: Markers, field: GoField): string[] {
  const flags: string[] = [];
  const listType = markers.get("listType")?.[0];
  if (listType === "map") flags.push(`=map:${(markers.get("listMapKey") ?? []).join(",")}`);
  else if (listType) flags.push(`=${listType}`);
  const whole = markers.get("mapType")?.[0] ?? markers.get("structType")?.[0];
  if (whole === "atomic") flags.push("=atomic");
  if (markers.get("structType")?.[0] === "granular") flags.push("=granular");
  const strategy = field.tags.get("patchStrategy");
  const mergeKey = field.tags.get("patchMergeKey");
  if (strategy) flags.push(`~${strategy}${mergeKey ? `:${mergeKey}` : ""}`);
  return flags;
}
