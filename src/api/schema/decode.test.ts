import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { copyJson } from "../../lib/json-copy.ts";
import { builtInModel } from "./built-in-model.ts";
import { createDecoder } from "./decode.ts";
import type { FieldType } from "./model.ts";

const model = builtInModel();
const decoder = createDecoder(model);

function pod(spec: unknown, metadata: unknown = { name: "web" }) {
  return decoder.decode("core/v1.Pod", { apiVersion: "v1", kind: "Pod", metadata, spec });
}

test("unknown fields are removed and named by path", () => {
  const { object, unknownFields } = pod({ containers: [{ name: "c", imag: "x" }], Volumes: [] });
  assert.deepEqual(unknownFields, ["spec.containers[0].imag", "spec.Volumes"]);
  assert.deepEqual(object["spec"], { containers: [{ name: "c" }] });
});

test("null, and zero values that Go would not write, are dropped", () => {
  const { object } = pod({
    containers: [{ name: "c", command: [], stdin: false, env: null, livenessProbe: {} }],
    hostNetwork: false,
    nodeName: "",
    terminationGracePeriodSeconds: 0,
  });
  assert.deepEqual(object["spec"], {
    containers: [{ name: "c", livenessProbe: {} }],
    terminationGracePeriodSeconds: 0,
  });
});

test("quantities and times become canonical", () => {
  const { object, errors } = pod(
    { containers: [{ name: "c", resources: { limits: { cpu: 0.5, memory: "2048Mi" } } }] },
    { name: "web", creationTimestamp: "2026-01-02T03:04:05.678+01:00" },
  );
  assert.deepEqual(errors, []);
  assert.deepEqual(object["spec"], {
    containers: [{ name: "c", resources: { limits: { cpu: "500m", memory: "2Gi" } } }],
  });
  assert.deepEqual(object["metadata"], { name: "web", creationTimestamp: "2026-01-02T02:04:05Z" });
});

for (const [name, spec, message] of [
  [
    "text where a list belongs",
    { containers: "x" },
    "json: cannot unmarshal string into Go struct field PodSpec.spec.containers of type []v1.Container",
  ],
  [
    "a number where text belongs",
    { containers: [{ name: 1 }] },
    "json: cannot unmarshal number into Go struct field Container.spec.containers.name of type string",
  ],
  [
    "a fraction where an integer belongs",
    { containers: [], priority: 1.5 },
    "json: cannot unmarshal number 1.5 into Go struct field PodSpec.spec.priority of type int32",
  ],
  [
    "a list where a map belongs",
    { containers: [], nodeSelector: [] },
    "json: cannot unmarshal array into Go struct field PodSpec.spec.nodeSelector of type map[string]string",
  ],
  [
    "an object where a boolean belongs",
    { containers: [], hostPID: {} },
    "json: cannot unmarshal object into Go struct field PodSpec.spec.hostPID of type bool",
  ],
] as const) {
  test(`${name} is refused in Go's words`, () => {
    assert.deepEqual(pod(structuredClone(spec)).errors, [message]);
  });
}

for (const text of ["2026-02-30T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01", "now"]) {
  test(`the time ${text} is refused`, () => {
    assert.match(pod({}, { creationTimestamp: text }).errors[0] ?? "", /^parsing time/);
  });
}

test("base64 that is none is refused", () => {
  const secret = { data: { a: "aGk=", b: "a*" } };
  assert.deepEqual(decoder.decode("core/v1.Secret", secret).errors, [
    "illegal base64 data at input byte 1",
  ]);
});

test("free-form values are kept as they are", () => {
  const data = { any: [1, null, { thing: "" }] };
  const { object } = decoder.decode("apps/v1.ControllerRevision", { revision: 1, data });
  assert.deepEqual(object["data"], { any: [1, null, { thing: "" }] });
});

test("whatever has the shape of its type decodes to itself", () => {
  const names = ["core/v1.Pod", "apps/v1.Deployment", "networking/v1.Ingress", "batch/v1.CronJob"];
  for (const name of names) {
    const values = arbitraryOf({ kind: "struct", struct: name }, 6);
    fc.assert(
      fc.property(values, (value) => {
        const given = structuredClone(value);
        const { object, unknownFields, errors } = decoder.decode(name, given);
        assert.deepEqual([unknownFields, errors], [[], []]);
        assert.deepEqual(object, value);
      }),
      { numRuns: 50 },
    );
  }
});

/** Values that are already clean: nothing in them is zero, unless a pointer holds it. */
function arbitraryOf(type: FieldType, depth: number): fc.Arbitrary<unknown> {
  switch (type.kind) {
    case "struct": {
      if (depth === 0) return fc.constant({});
      const fields = [...model.struct(type.struct).fields.values()];
      const entries = fc
        .subarray(fields, { maxLength: Math.min(4, fields.length) })
        .chain((some) => {
          const pairs = some.map((field) => {
            return fc.tuple(fc.constant(field.name), arbitraryOf(field.type, depth - 1));
          });
          return fc.tuple(...pairs);
        });
      return entries.map((pairs) => Object.fromEntries(pairs));
    }
    case "list":
      return fc.array(arbitraryOf(type.of, depth), { minLength: 1, maxLength: 2 });
    case "map":
      return fc.dictionary(fc.constantFrom("a", "b.c"), arbitraryOf(type.of, depth), {
        minKeys: 1,
        noNullPrototype: true,
      });
    case "string":
      return fc.string({ minLength: 1 });
    case "int32":
    case "int64":
    case "intOrString":
      return fc.integer({ min: 1, max: 2 ** 31 - 1 });
    case "float64":
      return fc.constantFrom(0.5, 2);
    case "boolean":
      return fc.constant(true);
    case "bytes":
      return fc.constant("aGk=");
    case "time":
      return fc.constant("2026-01-02T03:04:05Z");
    case "microTime":
      return fc.constant("2026-01-02T03:04:05.000006Z");
    case "duration":
      return fc.constant("1h30m0s");
    case "quantity":
      return fc.constantFrom("1", "500m", "2Gi");
    case "any":
      return fc.constant({ free: [null] });
  }
}

test("bits behind the last byte of base64 are not kept", () => {
  const { object } = decoder.decode("core/v1.Secret", { data: { a: "Yf==", b: "YWI=" } });
  assert.deepEqual(object, { data: { a: "YQ==", b: "YWI=" } });
});

test("an unknown field named __proto__ goes like any other", () => {
  const value: unknown = copyJson(JSON.parse('{"spec":{"__proto__":{"a":1}}}'));
  const { object, unknownFields } = decoder.decode("core/v1.Pod", value);
  assert.deepEqual([object, unknownFields], [{ spec: {} }, ["spec.__proto__"]]);
});

test("schemas within schemas are read as such", () => {
  const { object, unknownFields, errors } = decoder.decode("apiextensions/v1.JSONSchemaProps", {
    items: { type: "string", typ: "x" },
    additionalProperties: true,
    additionalItems: 1,
    dependencies: { a: ["b"], c: { type: "object", x: 1 } },
  });
  assert.deepEqual(unknownFields, ["items.typ", "dependencies.c.x"]);
  assert.deepEqual(errors, ["boolean or JSON schema expected"]);
  assert.deepEqual(object, {
    items: { type: "string" },
    additionalProperties: true,
    dependencies: { a: ["b"], c: { type: "object" } },
  });
});
