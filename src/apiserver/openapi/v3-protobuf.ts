import { WireWriter } from "../../format/protobuf/wire-writer.ts";
import type { JsonSchema } from "./schemas.ts";

// Messages and field numbers of gnostic's OpenAPIv3.proto, as far as documents here have them.

type Json = { readonly [key: string]: unknown };
type Write = (message: WireWriter, number: number, value: unknown) => void;
/** Number and form of each member that a message has, by its name in JSON. */
type Fields = Readonly<Record<string, readonly [number: number, write: Write]>>;

/** A document of a group-version as `openapi.v3.Document`. */
export function encodeOpenApiV3(document: JsonSchema): Buffer {
  return messageOf(DOCUMENT, document).finish();
}

const text: Write = (message, number, value) => message.text(number, String(value));
const integer: Write = (message, number, value) => message.integer(number, Number(value));
const double: Write = (message, number, value) => message.double(number, Number(value));
const flag: Write = (message, number, value) => message.boolean(number, value === true);

/** Free-form values travel as YAML text, and JSON is YAML. */
const any: Write = (message, number, value) =>
  message.message(number, new WireWriter().text(2, JSON.stringify(value)));

const each =
  (write: Write): Write =>
  (message, number, values) => {
    for (const value of values as readonly unknown[]) write(message, number, value);
  };

/** A message; its fields may be given late, as some hold each other. */
const one =
  (fields: () => Fields): Write =>
  (message, number, value) =>
    message.message(number, messageOf(fields(), value as Json));

/** The message itself as the first choice, or a reference as the second. */
const orReference =
  (fields: () => Fields): Write =>
  (message, number, value) => {
    const { $ref: reference } = value as { $ref?: string };
    const choice = new WireWriter();
    if (reference === undefined) choice.message(1, messageOf(fields(), value as Json));
    else choice.message(2, new WireWriter().text(1, reference));
    message.message(number, choice);
  };

/** Members by their names, as entries of a message of their own. */
const named =
  (write: Write, entry = 1): Write =>
  (message, number, value) => {
    const all = new WireWriter();
    for (const [name, member] of Object.entries(value as Json)) {
      const pair = new WireWriter().text(1, name);
      write(pair, 2, member);
      all.message(entry, pair);
    }
    message.message(number, all);
  };

const schema: Write = orReference(() => SCHEMA);
const mediaTypes: Write = named(one(() => ({ schema: [1, schema] })));

const items: Write = (message, number, value) => {
  const list = new WireWriter();
  schema(list, 1, value);
  message.message(number, list);
};

const additionalProperties: Write = (message, number, value) => {
  const choice = new WireWriter();
  if (typeof value === "boolean") choice.boolean(2, value);
  else schema(choice, 1, value);
  message.message(number, choice);
};

/** Only scalars have a place there. */
const defaultValue: Write = (message, number, value) => {
  const choice = new WireWriter();
  if (typeof value === "number") choice.double(1, value);
  else if (typeof value === "boolean") choice.boolean(2, value);
  else if (typeof value === "string") choice.text(3, value);
  else return;
  message.message(number, choice);
};

/** Vendor extensions of any message stand under this name. */
const EXTENSIONS = "x-";

const SCHEMA: Fields = {
  nullable: [1, flag],
  readOnly: [3, flag],
  writeOnly: [4, flag],
  example: [7, any],
  deprecated: [8, flag],
  title: [9, text],
  multipleOf: [10, double],
  maximum: [11, double],
  exclusiveMaximum: [12, flag],
  minimum: [13, double],
  exclusiveMinimum: [14, flag],
  maxLength: [15, integer],
  minLength: [16, integer],
  pattern: [17, text],
  maxItems: [18, integer],
  minItems: [19, integer],
  uniqueItems: [20, flag],
  maxProperties: [21, integer],
  minProperties: [22, integer],
  required: [23, each(text)],
  enum: [24, each(any)],
  type: [25, text],
  allOf: [26, each(schema)],
  oneOf: [27, each(schema)],
  anyOf: [28, each(schema)],
  not: [29, one(() => SCHEMA)],
  items: [30, items],
  properties: [31, named(schema)],
  additionalProperties: [32, additionalProperties],
  default: [33, defaultValue],
  description: [34, text],
  format: [35, text],
  [EXTENSIONS]: [36, any],
};

const PARAMETER: Fields = {
  name: [1, text],
  in: [2, text],
  description: [3, text],
  required: [4, flag],
  schema: [10, schema],
};

const REQUEST_BODY: Fields = {
  description: [1, text],
  content: [2, mediaTypes],
  required: [3, flag],
};

const RESPONSE: Fields = { description: [1, text], content: [3, mediaTypes] };

const OPERATION: Fields = {
  tags: [1, each(text)],
  description: [3, text],
  operationId: [5, text],
  parameters: [6, each(orReference(() => PARAMETER))],
  requestBody: [7, orReference(() => REQUEST_BODY)],
  responses: [
    8,
    named(
      orReference(() => RESPONSE),
      2,
    ),
  ],
  deprecated: [10, flag],
  [EXTENSIONS]: [13, any],
};

const operation: Write = one(() => OPERATION);

const PATH_ITEM: Fields = {
  description: [3, text],
  get: [4, operation],
  put: [5, operation],
  post: [6, operation],
  delete: [7, operation],
  options: [8, operation],
  head: [9, operation],
  patch: [10, operation],
  parameters: [13, each(orReference(() => PARAMETER))],
};

const SECURITY_SCHEME: Fields = {
  type: [1, text],
  description: [2, text],
  name: [3, text],
  in: [4, text],
};

const DOCUMENT: Fields = {
  openapi: [1, text],
  info: [2, one(() => ({ title: [1, text], description: [2, text], version: [6, text] }))],
  paths: [4, named(one(() => PATH_ITEM))],
  components: [
    5,
    one(() => ({
      schemas: [1, named(schema)],
      securitySchemes: [7, named(orReference(() => SECURITY_SCHEME))],
    })),
  ],
};

/** Members that the message has no field for are left out. */
function messageOf(fields: Fields, value: Json): WireWriter {
  const message = new WireWriter();
  const extension = fields[EXTENSIONS];
  for (const [name, member] of Object.entries(value)) {
    const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (field) field[1](message, field[0], member);
    else if (extension && name.startsWith(EXTENSIONS)) {
      const pair = new WireWriter().text(1, name);
      any(pair, 2, member);
      message.message(extension[0], pair);
    }
  }
  return message;
}
