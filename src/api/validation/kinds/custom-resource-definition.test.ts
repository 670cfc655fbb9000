import assert from "node:assert/strict";
import { test } from "node:test";
import { CUSTOM_RESOURCE_DEFINITIONS } from "../../generated/resources.ts";
import type {
  CustomResourceDefinition,
  CustomResourceDefinitionSpec,
  CustomResourceDefinitionVersion,
  JSONSchemaProps,
} from "../../generated/types/apiextensions-v1.ts";
import { validateObject } from "../validate-object.ts";

const STRING: JSONSchemaProps = { type: "string" };
const VERSION: CustomResourceDefinitionVersion = {
  name: "v1",
  served: true,
  storage: true,
  schema: { openAPIV3Schema: { type: "object", properties: { spec: { type: "object" } } } },
};

function definition(spec: Partial<CustomResourceDefinitionSpec>): CustomResourceDefinition {
  return {
    metadata: { name: "widgets.example.com" },
    spec: {
      group: "example.com",
      scope: "Namespaced",
      names: { plural: "widgets", singular: "widget", kind: "Widget", listKind: "WidgetList" },
      versions: [VERSION],
      ...spec,
    },
  };
}

function complaints(of: CustomResourceDefinition, old?: CustomResourceDefinition): string[] {
  const causes = validateObject(CUSTOM_RESOURCE_DEFINITIONS, of, { old });
  const own = causes.filter(({ field }) => !field?.startsWith("metadata.resourceVersion"));
  return own.map(({ field, message }) => `${field}: ${message}`);
}

const ofVersion = (more: Partial<CustomResourceDefinitionVersion>): string[] =>
  complaints(definition({ versions: [{ ...VERSION, ...more }] }));
const ofSpec = (spec: JSONSchemaProps): string[] =>
  ofVersion({ schema: { openAPIV3Schema: { type: "object", properties: { spec } } } });
const ROOT = "spec.validation.openAPIV3Schema";
const SPEC = `${ROOT}.properties[spec]`;
const BLAME =
  "contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema";

test("what combinations restrict at the root must be declared", () => {
  const openAPIV3Schema = { type: "object", oneOf: [{ properties: { a: { minLength: 1 } } }] };
  assert.deepEqual(ofVersion({ schema: { openAPIV3Schema } }), [
    `${ROOT}.properties[a]: Required value: because it is defined in ${ROOT}.oneOf[0].properties[a]`,
  ]);
});

test("schemas must be structural", () => {
  const cases: [JSONSchemaProps, string[]][] = [
    [{ type: "object", properties: { a: STRING } }, []],
    [
      { type: "object", properties: { a: {} } },
      [`${SPEC}.properties[a].type: Required value: must not be empty for specified object fields`],
    ],
    [{ type: "array" }, [`${SPEC}.items: Required value: must be specified`]],
    [
      { type: "object", anyOf: [{ required: ["a"], type: "object" }] },
      [`${SPEC}.anyOf[0].type: Forbidden: must be empty to be structural`],
    ],
    [
      { type: "object", oneOf: [{ properties: { a: { minLength: 1 } } }] },
      // Only at the root is that looked at.
      [],
    ],
    [
      { ...STRING, pattern: "(" },
      [
        `${SPEC}.pattern: Invalid value: "(": must be a valid regular expression, but isn't: ` +
          "error parsing regexp: missing closing ): `(`",
      ],
    ],
    [
      { type: "integer", default: "x" },
      [`${SPEC}.default: Invalid value: "string":  in body must be of type integer: "string"`],
    ],
    [
      { type: "object", default: { a: 1 }, properties: { b: STRING } },
      [
        `${SPEC}.default: Invalid value: map[string]interface {}{"a":1}: must not have unknown fields`,
      ],
    ],
    [{ "x-kubernetes-int-or-string": true, anyOf: [{ type: "integer" }, { type: "string" }] }, []],
    [
      { type: "array", items: STRING, "x-kubernetes-list-type": "map" },
      [
        `${SPEC}.x-kubernetes-list-map-keys: Required value: must not be empty if ` +
          "x-kubernetes-list-type is map",
        `${SPEC}.items.type: Invalid value: "string": must be object if parent array's ` +
          "x-kubernetes-list-type is map",
      ],
    ],
    [
      { type: "strin" },
      [
        `${SPEC}.type: Unsupported value: "strin": supported values: "array", "boolean", "integer", ` +
          '"number", "object", "string"',
      ],
    ],
  ];
  for (const [schema, wanted] of cases) {
    assert.deepEqual(ofSpec(schema), wanted, JSON.stringify(schema));
  }
});

test("rules must compile, against the types of the schema", () => {
  const rules = (...list: NonNullable<JSONSchemaProps["x-kubernetes-validations"]>) =>
    ofSpec({
      type: "object",
      properties: { size: { type: "integer" }, tags: { type: "array", items: STRING } },
      "x-kubernetes-validations": list,
    });
  const place = `${SPEC}.x-kubernetes-validations[0]`;
  const shown = (rule: string) =>
    `apiextensions.ValidationRule{Rule:"${rule}", Message:"", MessageExpression:"", ` +
    'Reason:(*apiextensions.FieldValueErrorReason)(nil), FieldPath:"", OptionalOldSelf:(*bool)(nil)}';
  assert.deepEqual(rules({ rule: "self.size > 0 && size(self.tags) < 5" }), []);
  assert.deepEqual(rules({ rule: "self.sze > 0" }), [
    `${place}.rule: Invalid value: ${shown("self.sze > 0")}: compilation failed: ` +
      "ERROR: <input>:1:5: undefined field 'sze'\n | self.sze > 0\n | ....^",
  ]);
  assert.deepEqual(rules({ rule: "self.size" }), [
    `${place}.rule: Invalid value: ${shown("self.size")}: cel expression must evaluate to a bool`,
  ]);
  assert.deepEqual(rules({ rule: " ", reason: "Odd" }), [
    `${place}.rule: Required value: rule is not specified`,
    `${place}.reason: Unsupported value: "Odd": supported values: "FieldValueDuplicate", ` +
      '"FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"',
  ]);
  assert.deepEqual(rules({ rule: "self.size > 0", fieldPath: ".nope" }), [
    `${place}.fieldPath: Invalid value: ".nope": fieldPath must be a valid path`,
  ]);
  assert.deepEqual(rules({ rule: "self.size > 0", optionalOldSelf: true }), [
    `${place}.optionalOldSelf: Invalid value: true: may not be set if oldSelf is not used in rule`,
  ]);
  const items = {
    ...STRING,
    maxLength: 10,
    "x-kubernetes-validations": [{ rule: "self == oldSelf" }],
  };
  assert.deepEqual(ofSpec({ type: "array", items, maxItems: 10 }), [
    `${SPEC}.items.x-kubernetes-validations[0].rule: Invalid value: "self == oldSelf": ` +
      `oldSelf cannot be used on the uncorrelatable portion of the schema within ${SPEC}`,
  ]);
});

test("rules that may cost too much are refused", () => {
  const help =
    "(try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, " +
    "maps, and strings are declared)";
  const listOf = (items: JSONSchemaProps, rule: string, maxItems?: number): JSONSchemaProps => ({
    type: "array",
    items,
    ...(maxItems === undefined ? {} : { maxItems }),
    "x-kubernetes-validations": [{ rule }],
  });
  const place = `${SPEC}.x-kubernetes-validations[0].rule`;
  const square = "self.all(a, self.exists(b, a == b))";
  const number: JSONSchemaProps = { type: "integer" };
  assert.deepEqual(ofSpec(listOf(number, square, 100)), []);
  assert.deepEqual(
    ofSpec(listOf(number, square)),
    [
      `${place}: Forbidden: estimated rule cost exceeds budget by factor of more than 100x ${help}`,
      `${ROOT}: Forbidden: x-kubernetes-validations estimated rule cost total for entire ` +
        `OpenAPIv3 schema exceeds budget by factor of more than 100x ${help}`,
    ].toSpliced(1, 0, `${place}: Forbidden: ${BLAME}`),
  );
  assert.deepEqual(ofSpec(listOf(number, square, 1700)), [
    `${place}: Forbidden: estimated rule cost exceeds budget by factor of 1.7x ${help}`,
  ]);
  assert.deepEqual(ofSpec(listOf(number, square, 1300)), [
    `${place}: Forbidden: estimated rule cost exceeds budget by factor of 1.014650x ${help}`,
  ]);
  // What stands below a list counts for each of its items.
  const item = { ...STRING, maxLength: 100, "x-kubernetes-validations": [{ rule: "self != 'x'" }] };
  assert.deepEqual(ofSpec({ type: "array", items: item }), []);
  const long = { ...item, "x-kubernetes-validations": [{ rule: "self.matches('^[a-z0-9]+$')" }] };
  assert.deepEqual(ofSpec({ type: "array", items: long }), [
    `${SPEC}.items.x-kubernetes-validations[0].rule: Forbidden: estimated rule cost exceeds ` +
      `budget by factor of 13.0x ${help}`,
    `${SPEC}.items.x-kubernetes-validations[0].rule: Forbidden: ${BLAME}`,
    `${ROOT}: Forbidden: x-kubernetes-validations estimated rule cost total for entire ` +
      `OpenAPIv3 schema exceeds budget by factor of 1.300234x ${help}`,
  ]);
});

const WARNING = "spec.versions[0].deprecationWarning";
const LABEL =
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an " +
  "alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', " +
  "regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";

test("names, versions, columns and subresources are checked", () => {
  const names = { plural: "widgets", singular: "widget", kind: "Widget", listKind: "Widget" };
  const cases: [string[], string[]][] = [
    [
      complaints(definition({ names })),
      ['spec.names.listKind: Invalid value: "Widget": kind and listKind may not be the same'],
    ],
    [
      complaints(definition({ versions: [{ ...VERSION, storage: false }] })),
      [
        'spec.versions: Invalid value: ["v1"]: must have exactly one version marked as storage ' +
          "version",
      ],
    ],
    [
      ofVersion({ additionalPrinterColumns: [{ name: "A", type: "text", jsonPath: "spec.a" }] }),
      [
        'spec.additionalPrinterColumns[0].type: Invalid value: "text": must be one of ' +
          "boolean,date,integer,number,string",
        'spec.additionalPrinterColumns[0].JSONPath: Invalid value: "spec.a": must be a simple ' +
          "json path starting with .",
      ],
    ],
    [
      ofVersion({
        subresources: {
          scale: { specReplicasPath: ".status.a", statusReplicasPath: ".status.replicas" },
        },
      }),
      [
        'spec.subresources.scale.specReplicasPath: Invalid value: ".status.a": should be a json ' +
          "path under .spec",
      ],
    ],
    [
      complaints(definition({ names: { ...names, listKind: "_L", categories: ["_c"] } })),
      ["spec.names.listKind", "spec.names.categories[0]"].map((field, at) => {
        const shown = at === 0 ? '"_L": may have mixed case, but should otherwise match' : '"_c"';
        return `${field}: Invalid value: ${shown}: ${LABEL}`;
      }),
    ],
    [
      complaints(definition({ names: { plural: "widgets", singular: "", kind: "" } })),
      ["singular", "kind", "listKind"].map((part) => `spec.names.${part}: Required value`),
    ],
    [
      ofVersion({ deprecationWarning: "no" }),
      [`${WARNING}: Invalid value: "no": can only be set for deprecated versions`],
    ],
    [
      ofVersion({ deprecated: true, deprecationWarning: "" }),
      [`${WARNING}: Invalid value: "": must not be an empty string`],
    ],
    [
      ofVersion({ deprecated: true, deprecationWarning: "\u00e4\u0007" }),
      [
        `${WARNING}: Invalid value: "\u00e4\\u0007": must only contain printable UTF-8 characters; ` +
          "non-printable character found at index 2",
      ],
    ],
    [
      ofVersion({
        additionalPrinterColumns: [{ name: "A", type: "string", format: "binary", jsonPath: ".a" }],
      }),
      [
        'spec.additionalPrinterColumns[0].format: Invalid value: "binary": must be one of ' +
          "byte,date,date-time,double,float,int32,int64,password",
      ],
    ],
    [
      ofVersion({ selectableFields: [{ jsonPath: ".spec.nope" }] }),
      [
        'spec.selectableFields[0].jsonPath: Invalid value: ".spec.nope": ' +
          "is an invalid path: does not refer to a valid field",
      ],
    ],
  ];
  for (const [found, wanted] of cases) assert.deepEqual(found, wanted);
});

test("groups of Kubernetes need an approval", () => {
  const of = definition({ group: "sigs.k8s.io" });
  of.metadata = { name: "widgets.sigs.k8s.io" };
  assert.match(complaints(of).join(), /protected groups must have approval annotation/);
  of.metadata.annotations = { "api-approved.kubernetes.io": "unapproved, for tests" };
  assert.deepEqual(complaints(of), []);
});

test("what was accepted once may stay", () => {
  const meta = { uid: "u", resourceVersion: "1" };
  const loose: JSONSchemaProps = { type: "object", properties: { spec: {} } };
  const old = definition({ versions: [{ ...VERSION, schema: { openAPIV3Schema: loose } }] });
  old.metadata = { ...old.metadata, ...meta };
  const now: CustomResourceDefinition = {
    ...old,
    spec: { ...old.spec, names: { ...old.spec.names, shortNames: ["wd"] } },
  };
  assert.deepEqual(complaints(now, old), []);
  now.status = { conditions: [], acceptedNames: { plural: "", kind: "" }, storedVersions: ["v0"] };
  assert.deepEqual(complaints(now, old), [
    'status.storedVersions[0]: Invalid value: "v0": must appear in spec.versions',
  ]);
});

test("selectable fields that all versions share need a schema that they share", () => {
  const selectableFields = [{ jsonPath: ".spec" }];
  const schema = { openAPIV3Schema: { type: "object" } };
  const versions = [
    { ...VERSION, selectableFields },
    { ...VERSION, name: "v2", storage: false, schema, selectableFields },
  ];
  assert.deepEqual(complaints(definition({ versions })), [
    'spec.selectableFields: Invalid value: "": selectableFields may only be set when validations.schema is included',
  ]);
});

test("lists, maps and keywords are judged in the words of upstream", () => {
  const of = (schema: JSONSchemaProps) => ofSpec(schema).map((text) => text.slice(SPEC.length + 1));
  const item = { type: "object", properties: { a: { type: "object" } }, required: ["a"] };
  const list = { type: "array", items: item, "x-kubernetes-list-type": "map" };
  const keys = (...names: string[]) => of({ ...list, "x-kubernetes-list-map-keys": names });
  assert.deepEqual(keys("a"), [
    `items.properties[a].type: Invalid value: "object": must be a scalar type if parent array's x-kubernetes-list-type is map`,
  ]);
  assert.deepEqual(keys("b"), [
    'x-kubernetes-list-map-keys: Invalid value: []string{"b"}: entries must all be names of item properties',
  ]);
  assert.deepEqual(of({ type: "array", items: item, "x-kubernetes-list-type": "set" }), [
    'items.x-kubernetes-map-type: Invalid value: "null": must be atomic as item of a list with x-kubernetes-list-type=set',
  ]);
  assert.deepEqual(of({ type: "null" }), [
    'type: Unsupported value: "null": supported values: "array", "boolean", "integer", "number", "object", "string"',
    "type: Forbidden: type cannot be set to null, use nullable as an alternative",
  ]);
  const rule = (more: object) =>
    of({ type: "object", "x-kubernetes-validations": [{ rule: "true", ...more }] });
  const R = "x-kubernetes-validations[0]";
  assert.deepEqual(rule({ message: " " }), [
    `${R}.message: Invalid value: " ": message must be non-empty if specified`,
  ]);
  assert.deepEqual(rule({ message: "a\nb" }), [
    `${R}.message: Invalid value: "a\\nb": message must not contain line breaks`,
  ]);
  assert.deepEqual(rule({ fieldPath: " " }), [
    `${R}.fieldPath: Invalid value: " ": fieldPath must be non-empty if specified`,
    `${R}.fieldPath: Invalid value: " ": fieldPath must be a valid path`,
  ]);
});

test("what is established keeps its names, and its webhook's certificates can be read", () => {
  const conversion = (caBundle?: string) => ({
    strategy: "Webhook",
    webhook: {
      clientConfig: { url: "https://a.example", ...(caBundle ? { caBundle } : {}) },
      conversionReviewVersions: ["v1"],
    },
  });
  const meta = { uid: "u", resourceVersion: "1" };
  const established = (spec: Partial<CustomResourceDefinitionSpec>) => {
    const of = definition(spec);
    const condition = { type: "Established", status: "True" };
    of.metadata = { ...of.metadata, ...meta };
    of.status = {
      conditions: [condition],
      acceptedNames: { plural: "widgets", kind: "Widget" },
      storedVersions: ["v1"],
    };
    return of;
  };
  const fine = established({ conversion: conversion() });
  assert.deepEqual(complaints(established({ conversion: conversion("eA==") }), fine), [
    "spec.conversion.webhookClientConfig.caBundle: Invalid value: []byte{0x78}: unable to load root certificates: unable to parse bytes as PEM block",
  ]);
  const bad = established({ conversion: conversion("eQ==") });
  assert.deepEqual(complaints(established({ conversion: conversion("eA==") }), bad), []);
  const review = conversion();
  review.webhook.conversionReviewVersions = ["v9"];
  assert.deepEqual(complaints(definition({ conversion: review })), [
    'spec.conversion.conversionReviewVersions: Invalid value: []string{"v9"}: must include at least one of v1, v1beta1',
  ]);
  assert.deepEqual(complaints(established({ scope: "Cluster" }), fine), [
    'spec.scope: Invalid value: "Cluster": field is immutable',
  ]);
  const told = established({});
  told.status = { ...told.status, acceptedNames: { plural: "_", kind: "Widget" } };
  const causes = validateObject(CUSTOM_RESOURCE_DEFINITIONS, told, {
    old: fine,
    subresource: "status",
  });
  assert.deepEqual(
    causes.map(({ field }) => field),
    ["status.acceptedNames.plural"],
  );
});
