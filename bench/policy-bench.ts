// Evaluates conditions, policies and rules of custom resources:
//   node build/bench/policy-bench.js [--turns 50000]
import path from "node:path";
import { parseArgs } from "node:util";
import { createObjectValidator } from "../src/api/custom-resource/object-validation.ts";
import { DEPLOYMENTS } from "../src/api/generated/resources.ts";
import type { JSONSchemaProps } from "../src/api/generated/types/apiextensions-v1.ts";
import { compilePolicy } from "../src/apiserver/admission/policy/compiled-policy.ts";
import { createConditionEngine } from "../src/apiserver/admission/policy/contract.ts";
import { decide } from "../src/apiserver/admission/policy/policy-decisions.ts";
import { PolicyInput } from "../src/apiserver/admission/policy/policy-input.ts";
import type { AdmissionRequest } from "../src/apiserver/contract.ts";
import { createKubernetesEnvironment } from "../src/lib/cel/kubernetes-environment.ts";

/** Microseconds for one of each. */
export interface PolicyFigures {
  matchCondition: number;
  policyOfThree: number;
  objectWithRules: number;
}

const PARTS = {
  reader: { get: () => undefined, list: () => [] },
  authorizer: { authorize: () => ({ allowed: true, reason: "" }) },
};
const CONDITION = "!request.userInfo.username.startsWith('system:')";
const CONTAINERS = ["a", "b"].map((name) => ({ name, image: `registry.example.com/${name}:1` }));
const REQUEST: AdmissionRequest = {
  operation: "CREATE",
  resource: DEPLOYMENTS,
  namespace: "default",
  name: "web",
  user: { name: "jane", groups: ["dev"] },
  object: {
    metadata: { name: "web", labels: { app: "web" } },
    spec: { replicas: 3, template: { spec: { containers: CONTAINERS } } },
  },
  dryRun: false,
  warn: () => {},
};
const SPEC: JSONSchemaProps = {
  type: "object",
  properties: {
    min: { type: "integer" },
    max: { type: "integer" },
    name: { type: "string", pattern: "^[a-z]([-a-z0-9]*[a-z0-9])?$" },
    items: { type: "array", items: { type: "string" } },
  },
  "x-kubernetes-validations": [
    { rule: "self.min <= self.max" },
    { rule: "self.items.all(i, i.size() < 10)" },
  ],
};

/** Measures each, `turns` times. */
export function benchPolicies(turns: number): PolicyFigures {
  const base = createKubernetesEnvironment();
  const policy = compilePolicy(
    {
      spec: {
        matchConditions: [{ name: "people", expression: CONDITION }],
        variables: [{ name: "all", expression: "object.spec.template.spec.containers" }],
        validations: [
          { expression: "object.spec.replicas <= 5" },
          { expression: "variables.all.all(c, c.image.startsWith('registry.example.com/'))" },
          { expression: "object.metadata.labels['app'].matches('^[a-z]+$')" },
        ],
      },
    },
    base,
  );
  const engine = createConditionEngine(PARTS);
  const conditions = [{ name: "people", expression: CONDITION }];
  const validate = createObjectValidator(
    { type: "object", properties: { spec: SPEC } },
    () => base,
  );
  const object = { spec: { min: 1, max: 2, name: "web-1", items: ["a", "b", "c"] } };
  return {
    matchCondition: timed(turns, () => engine.matchConditions(conditions, engine.input(REQUEST))),
    policyOfThree: timed(turns, () => {
      const input = new PolicyInput(REQUEST, PARTS);
      return decide(policy, { input, param: null, ignoresFailures: false });
    }),
    objectWithRules: timed(turns, () => validate(object)),
  };
}

function timed(turns: number, run: () => unknown): number {
  for (let turn = 0; turn < turns / 5; turn++) run();
  const start = performance.now();
  for (let turn = 0; turn < turns; turn++) run();
  return ((performance.now() - start) / turns) * 1000;
}

if (process.argv[1] === path.resolve(import.meta.filename)) {
  const { values } = parseArgs({ options: { turns: { type: "string" } } });
  const figures = benchPolicies(Number(values.turns ?? 50_000));
  for (const [name, micros] of Object.entries(figures)) {
    console.log(`${name}: ${micros.toFixed(2)} µs`);
  }
}
