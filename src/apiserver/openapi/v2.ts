import type { GroupVersionKind } from "../../api/schema/model.ts";
import { deepEqual } from "../../lib/deep-equal.ts";
import type { JsonSchema } from "./schemas.ts";

/** A Swagger 2.0 document. */
export interface SwaggerDocument {
  swagger: "2.0";
  info: { title: string; version: string };
  paths: { [path: string]: SwaggerPath };
  definitions: { [name: string]: JsonSchema };
}

/** Operations by method, beside `parameters`. */
export type SwaggerPath = { [key: string]: unknown };

/** A parameter of an operation or a path. */
export type SwaggerParameter = { name: string; in: string; [key: string]: unknown };

/** An operation. */
export interface SwaggerOperation {
  operationId?: string;
  tags?: readonly string[];
  consumes: readonly string[];
  produces: readonly string[];
  parameters: readonly SwaggerParameter[];
  responses: { [code: string]: { description: string; schema?: JsonSchema } };
  [extension: `x-${string}`]: unknown;
}

type Content = { [mediaType: string]: { schema: JsonSchema } };

interface OperationV3 {
  operationId?: string;
  tags?: readonly string[];
  parameters?: readonly ParameterV3[];
  requestBody?: { content: Content };
  responses: { [code: string]: { description: string; content?: Content } };
}

type ParameterV3 = { name: string; in: string; required?: boolean; schema: JsonSchema };

/** Joins the documents of all group-versions into the one document that older clients read. */
export function buildOpenApiV2(documents: readonly JsonSchema[], version: string): SwaggerDocument {
  const swagger: SwaggerDocument = {
    swagger: "2.0",
    info: { title: "Kubernetes", version },
    paths: {},
    definitions: {},
  };
  for (const document of documents) {
    const { schemas } = document["components"] as { schemas: { [name: string]: JsonSchema } };
    for (const [name, schema] of Object.entries(schemas)) {
      const known = swagger.definitions[name];
      if (known) addKinds(known, schema);
      else swagger.definitions[name] = schemaV2(schema);
    }
    const paths = document["paths"] as { [path: string]: { [key: string]: unknown } };
    for (const [path, item] of Object.entries(paths)) swagger.paths[path] = pathV2(item);
  }
  return swagger;
}

/** A type that several group-versions share is of the kinds of them all. */
function addKinds(known: JsonSchema, schema: JsonSchema): void {
  const kindsOf = (of: JsonSchema) => (of[KINDS] ?? []) as GroupVersionKind[];
  const kinds = kindsOf(known);
  const more = kindsOf(schema).filter((kind) => !kinds.some((each) => deepEqual(each, kind)));
  if (more.length > 0) known[KINDS] = [...kinds, ...more];
}

function pathV2(item: { [key: string]: unknown }): SwaggerPath {
  return Object.fromEntries(
    Object.entries(item).map(([key, value]) => {
      if (key === "parameters") return [key, (value as ParameterV3[]).map(parameterV2)];
      return [key, operationV2(value as OperationV3)];
    }),
  );
}

function operationV2(operation: OperationV3): SwaggerOperation {
  const { parameters = [], requestBody, responses, ...rest } = operation;
  const body = Object.values(requestBody?.content ?? {})[0];
  const schema = body && {
    in: "body",
    name: "body",
    required: true,
    schema: schemaV2(body.schema),
  };
  const answers = Object.entries(responses).map(([code, { description, content }]) => {
    const answer = Object.values(content ?? {})[0];
    return [code, { description, ...(answer ? { schema: schemaV2(answer.schema) } : {}) }];
  });
  return {
    ...rest,
    consumes: Object.keys(requestBody?.content ?? {}),
    produces: Object.keys(responses["200"]?.content ?? {}),
    parameters: [...(schema ? [schema] : []), ...parameters.map(parameterV2)],
    responses: Object.fromEntries(answers) as SwaggerOperation["responses"],
  };
}

function parameterV2({ schema, ...rest }: ParameterV3): SwaggerParameter {
  return { ...rest, ...schema };
}

const PREFIX = "#/components/schemas/";

const PRESERVE = "x-kubernetes-preserve-unknown-fields";
const KINDS = "x-kubernetes-group-version-kind";
/** What kubectl 1.20 takes as the whole truth about an object's fields. */
const CLOSING = new Set(["type", "properties", "required", "items", "additionalProperties"]);

/** Where anything may stand nothing is listed: older clients refuse what a list lacks. */
function openV2(schema: JsonSchema): JsonSchema {
  if (schema[KINDS]) return { type: "object", [KINDS]: schema[KINDS] };
  return Object.fromEntries(Object.entries(schema).filter(([key]) => !CLOSING.has(key)));
}

/** References move, lone `allOf` references open up, and values of several types become text. */
function schemaV2(schema: JsonSchema): JsonSchema {
  if (schema[PRESERVE] === true) return openV2(schema);
  const result: JsonSchema = {};
  for (const [key, value] of Object.entries(schema)) {
    if (key === "$ref") result[key] = `#/definitions/${String(value).slice(PREFIX.length)}`;
    else if (key === "oneOf") result["type"] = "string";
    else if (key === "allOf") Object.assign(result, schemaV2((value as JsonSchema[])[0] ?? {}));
    else if (key === "properties") {
      const entries = Object.entries(value as { [name: string]: JsonSchema });
      result[key] = Object.fromEntries(entries.map(([name, each]) => [name, schemaV2(each)]));
    } else if (key === "items" || (key === "additionalProperties" && typeof value === "object")) {
      result[key] = schemaV2(value as JsonSchema);
    } else result[key] = value;
  }
  return result;
}
