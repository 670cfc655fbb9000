import assert from "node:assert/strict";
import { createObjectValidator } from "../../../src/api/custom-resource/object-validation.ts";
import { CUSTOM_RESOURCE_DEFINITIONS } from "../../../src/api/generated/resources.ts";
import type { CustomResourceDefinition } from "../../../src/api/generated/types/apiextensions-v1.ts";
import { builtInModel } from "../../../src/api/schema/built-in-model.ts";
import { createDecoder } from "../../../src/api/schema/decode.ts";
import { validateObject } from "../../../src/api/validation/validate-object.ts";
import { withVariables } from "../../../src/lib/cel/environment.ts";
import { valueOfJson } from "../../../src/lib/cel/json-values.ts";
import { createKubernetesEnvironment } from "../../../src/lib/cel/kubernetes-environment.ts";
import { CompileError, compile } from "../../../src/lib/cel/program.ts";
import { CelError, CostExceededError } from "../../../src/lib/cel/source-errors.ts";
import { DYN } from "../../../src/lib/cel/types.ts";
import { compileRegexp } from "../../../src/lib/regexp/regexp.ts";
import { RegexpSyntaxError } from "../../../src/lib/regexp/regexp-parser.ts";
import { type AnyTarget, jsonTarget, textTarget } from "../fuzz-target.ts";

/** Expressions, patterns and the schemas that hold them. */
export function expressionTargets(): readonly AnyTarget[] {
  return [celTarget(), regexpTarget(), definitionTarget()];
}

const COST_MAX = 20_000;

function celTarget(): AnyTarget {
  const environment = withVariables(createKubernetesEnvironment(), { self: DYN });
  const object = { a: 1, b: "text", c: [1, 2.5, "x", null], d: { e: true } };
  const self = valueOfJson(object, DYN);
  return textTarget({
    name: "cel",
    seeds: [
      "self.a > 0 && size(self.b) < 5 || has(self.d.e)",
      "self.c.all(x, x != 1) ? [1, 2].map(y, y * 2) : {'k': b'\\x00', 2u: 1.5e3}",
      "self.b.matches('^[a-z]+$') && self.b.replace('t', 'T', 1).split('x')[0] == r'\\d'",
      "timestamp('2024-01-01T00:00:00Z') + duration('1h') < timestamp(0)",
      "quantity('1Gi').isGreaterThan(quantity('1M')) && cidr('10.0.0.0/8').containsIP('10.1.2.3')",
      "self.?d[?'e'].orValue(false) && url('https://[::1]:80/a?b=c').getPort() == '80'",
      "'%s %d %.2f %x'.format(['a', 1, 1.5, b'ab']) + string(-9223372036854775808)",
      "[3, 1].exists_one(i, i == 3) && {'a': 1}.transformMap(k, v, v + 1)['a'] == 2",
    ],
    refusals: [CompileError, CelError, CostExceededError],
    run: (source) => {
      const program = compile(source, environment);
      const { cost } = program.evaluate({ self }, COST_MAX);
      assert.ok(cost <= COST_MAX);
    },
  });
}

function regexpTarget(): AnyTarget {
  const texts = [
    "",
    "abc-123",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab",
    "ünïcödé 😀\nsecond line",
  ];
  return textTarget({
    name: "regexp",
    seeds: [
      "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$",
      "(?i:a|b)*?c{2,5}\\b[^[:alpha:]\\d]$",
      "(?P<name>x+x+)+y|\\p{Greek}|\\x{1F600}\\Qa.b\\E",
      "(?ms)^.*$",
    ],
    refusals: [RegexpSyntaxError],
    run: (pattern) => {
      const regexp = compileRegexp(pattern);
      for (const text of texts) {
        assert.equal(regexp.test(text), regexp.find(text) !== undefined, text);
      }
    },
  });
}

function definitionTarget(): AnyTarget {
  const decoder = createDecoder(builtInModel());
  const environment = createKubernetesEnvironment();
  const spec = {
    type: "object",
    required: ["size"],
    properties: {
      size: { type: "integer", minimum: 1, default: 2 },
      any: { "x-kubernetes-int-or-string": true },
      list: {
        type: "array",
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["name"],
        items: { type: "object", required: ["name"], properties: { name: { type: "string" } } },
      },
    },
    oneOf: [{ required: ["any"] }, { required: ["list"] }],
    "x-kubernetes-validations": [{ rule: "self.size < 5", messageExpression: "'no'" }],
  };
  const version = { name: "v1", served: true, storage: true };
  return jsonTarget({
    name: "custom-resource-definition",
    seeds: [
      {
        metadata: { name: "widgets.example.com" },
        spec: {
          group: "example.com",
          scope: "Namespaced",
          names: { plural: "widgets", singular: "widget", kind: "Widget", listKind: "WidgetList" },
          versions: [
            {
              ...version,
              schema: { openAPIV3Schema: { type: "object", properties: { spec } } },
              additionalPrinterColumns: [{ name: "A", type: "string", jsonPath: ".spec.size" }],
              selectableFields: [{ jsonPath: ".spec.size" }],
              subresources: { status: {}, scale: { specReplicasPath: ".spec.size" } },
            },
          ],
        },
      },
    ],
    refusals: [],
    cost: 10,
    run: (value) => {
      const { object, errors } = decoder.decode("apiextensions/v1.CustomResourceDefinition", value);
      if (errors.length > 0) return;
      const definition = object as unknown as CustomResourceDefinition;
      const causes = validateObject(CUSTOM_RESOURCE_DEFINITIONS, definition);
      if (causes.length > 0) return;
      for (const { schema } of definition.spec.versions) {
        if (!schema?.openAPIV3Schema) continue;
        const validate = createObjectValidator(schema.openAPIV3Schema, () => environment);
        for (const each of [{}, { spec: { size: 7, list: [{ name: "a" }] } }, { spec: [null] }]) {
          validate(each, { spec: { size: 1 } });
        }
      }
    },
  });
}
