import { WireWriter } from "../../format/protobuf/wire-writer.ts";
import type { JsonSchema } from "./schemas.ts";
import type { SwaggerDocument, SwaggerOperation, SwaggerParameter, SwaggerPath } from "./v2.ts";

// Messages and field numbers of gnostic's OpenAPIv2.proto, as far as our documents use them.

/** The document as `openapi.v2.Document`, which is the form that kubectl asks for. */
export function encodeOpenApiV2(document: SwaggerDocument): Buffer {
  const { swagger, info, paths, definitions } = document;
  const pathsMessage = new WireWriter();
  for (const [path, item] of Object.entries(paths)) {
    pathsMessage.message(2, named(path, pathMessage(item)));
  }
  return new WireWriter()
    .text(1, swagger)
    .message(2, new WireWriter().text(1, info.title).text(2, info.version))
    .message(8, pathsMessage)
    .message(9, schemasMessage(definitions))
    .finish();
}

/** Definitions and Properties alike: `repeated NamedSchema = 1`. */
function schemasMessage(schemas: { [name: string]: JsonSchema }): WireWriter {
  const message = new WireWriter();
  for (const [name, schema] of Object.entries(schemas)) {
    message.message(1, named(name, schemaMessage(schema)));
  }
  return message;
}

function named(name: string, value: WireWriter): WireWriter {
  return new WireWriter().text(1, name).message(2, value);
}

/** Free-form values travel as YAML text, and JSON is YAML. */
function any(value: unknown): WireWriter {
  return new WireWriter().text(2, JSON.stringify(value));
}

const SCHEMA_TEXTS = { $ref: 1, format: 2, title: 3, description: 4, pattern: 13 } as const;
const SCHEMA_INTEGERS = { maxLength: 11, minLength: 12, maxItems: 14, minItems: 15 } as const;

function schemaMessage(schema: JsonSchema): WireWriter {
  const message = new WireWriter();
  for (const [key, value] of Object.entries(schema)) {
    if (key.startsWith("x-")) message.message(31, named(key, any(value)));
    else if (key in SCHEMA_TEXTS) {
      message.text(SCHEMA_TEXTS[key as keyof typeof SCHEMA_TEXTS], String(value));
    } else if (key in SCHEMA_INTEGERS) {
      message.integer(SCHEMA_INTEGERS[key as keyof typeof SCHEMA_INTEGERS], Number(value));
    } else schemaPart(message, key, value);
  }
  return message;
}

function schemaPart(message: WireWriter, key: string, value: unknown): void {
  switch (key) {
    case "default":
      message.message(5, any(value));
      return;
    case "required":
      for (const name of value as string[]) message.text(19, name);
      return;
    case "enum":
      for (const each of value as unknown[]) message.message(20, any(each));
      return;
    case "additionalProperties": {
      const item = new WireWriter();
      if (typeof value === "boolean") item.boolean(2, value);
      else item.message(1, schemaMessage(value as JsonSchema));
      message.message(21, item);
      return;
    }
    case "type":
      message.message(22, new WireWriter().text(1, String(value)));
      return;
    case "items":
      message.message(23, new WireWriter().message(1, schemaMessage(value as JsonSchema)));
      return;
    case "properties":
      message.message(25, schemasMessage(value as { [name: string]: JsonSchema }));
      return;
    default:
  }
}

const METHODS: Readonly<Record<string, number>> = { get: 2, put: 3, post: 4, delete: 5, patch: 8 };

function pathMessage(item: SwaggerPath): WireWriter {
  const message = new WireWriter();
  for (const [key, value] of Object.entries(item)) {
    const method = METHODS[key];
    if (method) message.message(method, operationMessage(value as SwaggerOperation));
  }
  for (const parameter of (item["parameters"] ?? []) as SwaggerParameter[]) {
    message.message(9, parameterMessage(parameter));
  }
  return message;
}

function operationMessage(operation: SwaggerOperation): WireWriter {
  const message = new WireWriter();
  for (const tag of operation.tags ?? []) message.text(1, tag);
  message.text(5, operation.operationId ?? "");
  for (const type of operation.produces) message.text(6, type);
  for (const type of operation.consumes) message.text(7, type);
  for (const parameter of operation.parameters) message.message(8, parameterMessage(parameter));
  const responses = new WireWriter();
  for (const [code, { description, schema }] of Object.entries(operation.responses)) {
    const response = new WireWriter().text(1, description);
    if (schema) response.message(2, new WireWriter().message(1, schemaMessage(schema)));
    responses.message(1, named(code, new WireWriter().message(1, response)));
  }
  message.message(9, responses);
  for (const [key, value] of Object.entries(operation)) {
    if (key.startsWith("x-")) message.message(13, named(key, any(value)));
  }
  return message;
}

/** ParametersItem, with the kind of parameter that `in` tells. */
function parameterMessage(parameter: SwaggerParameter): WireWriter {
  const { name, in: place, required, type, uniqueItems, schema } = parameter;
  const item = new WireWriter();
  if (place === "body") {
    const body = new WireWriter()
      .text(2, name)
      .text(3, place)
      .boolean(4, required === true);
    item.message(1, body.message(5, schemaMessage(schema as JsonSchema)));
  } else {
    const isPath = place === "path";
    const value = new WireWriter()
      .boolean(1, required === true)
      .text(2, place)
      .text(4, name)
      .text(isPath ? 5 : 6, String(type))
      .boolean(isPath ? 19 : 20, uniqueItems === true);
    item.message(2, new WireWriter().message(isPath ? 4 : 3, value));
  }
  return new WireWriter().message(1, item);
}
