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
      [
        `${SPEC}.properties[a]: Required value: because it is defined in ` +
          `${SPEC}.oneOf[0].properties[a]`,
      ],
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
      [
        `${SPEC}.default: Invalid value: "string": ${SPEC}.default in body must be of type ` +
          'integer: "string"',
      ],
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
    `${place}.fieldPath: Invalid value: ".nope": must be a valid path`,
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
      ofVersion({ selectableFields: [{ jsonPath: ".spec.nope" }] }),
      [
        'spec.versions[0].selectableFields[0].jsonPath: Invalid value: ".spec.nope": ' +
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
  assert.match(complaints(now, old).join(), /v0 was previously a storage version/);
});
