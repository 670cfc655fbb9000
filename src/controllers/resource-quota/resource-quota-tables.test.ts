import assert from "node:assert/strict";
import { test } from "node:test";
import { PODS } from "../../api/generated/resources.ts";
import type {
  Pod,
  ResourceQuotaSpec,
  ScopedResourceSelectorRequirement,
} from "../../api/generated/types/core-v1.ts";
import { usedOf } from "./resource-quota-controller.ts";

// The facts of these rows are upstream's (docs/conformance/controller-tables.md).

function pod(
  requests: [cpu: string, memory: string] | undefined,
  more: Pod["spec"] | null = null,
): Pod {
  const [cpu = "", memory = ""] = requests ?? [];
  const resources = requests ? { requests: { cpu, memory } } : {};
  return {
    spec: { ...more, containers: [{ name: "c", image: "i", resources }] },
    status: { phase: "Running" },
  };
}
const failed = (one: Pod): Pod => ({ ...one, status: { phase: "Failed" } });
const small: [string, string] = ["100m", "1Gi"];
const ofClass = (priorityClassName: string) => ({ containers: [], priorityClassName });

const PLAIN = [pod(small), pod(small), failed(pod(small))];
const BEST_EFFORT = [pod(undefined), pod(undefined), failed(pod(small))];
const RANKED = [
  pod(["500m", "50Gi"], ofClass("high")),
  pod(small, ofClass("low")),
  failed(pod(["1", "10Gi"])),
];

const priority = (operator: string, ...values: string[]): Partial<ResourceQuotaSpec> => {
  const expression = {
    scopeName: "PriorityClass",
    operator,
    ...(values.length > 0 ? { values } : {}),
  } as ScopedResourceSelectorRequirement;
  return { scopeSelector: { matchExpressions: [expression] } };
};

const rows: [
  title: string,
  spec: Partial<ResourceQuotaSpec>,
  pods: Pod[],
  used: [cpu: string, memory: string, pods: string],
][] = [
  ["no scope", {}, PLAIN, ["200m", "2Gi", "2"]],
  ["BestEffort, none is", { scopes: ["BestEffort"] }, PLAIN, ["0", "0", "0"]],
  ["BestEffort", { scopes: ["BestEffort"] }, BEST_EFFORT, ["0", "0", "2"]],
  ["any class, none has one", priority("Exists"), PLAIN, ["0", "0", "0"]],
  ["any class", priority("Exists"), RANKED, ["600m", "51Gi", "2"]],
  ["two classes", priority("In", "high", "low"), RANKED, ["600m", "51Gi", "2"]],
  ["one class", priority("In", "high"), RANKED, ["500m", "50Gi", "1"]],
  ["the other class", priority("In", "low"), RANKED, ["100m", "1Gi", "1"]],
  ["all but one class", priority("NotIn", "high"), RANKED, ["100m", "1Gi", "1"]],
  ["an unused class", priority("In", "random"), RANKED, ["0", "0", "0"]],
  ["all but an unused class", priority("NotIn", "random"), PLAIN, ["200m", "2Gi", "2"]],
  ["no class", priority("DoesNotExist"), PLAIN, ["200m", "2Gi", "2"]],
];
for (const [title, spec, pods, [cpu, memory, count]] of rows) {
  test(`used by pods of a quota: ${title}`, () => {
    const hard = { cpu: "3", memory: "100Gi", pods: "5" };
    const contents = [{ resource: PODS, objects: pods }];
    const used = usedOf({ spec: { hard, ...spec } }, { contents, nowMs: 0 });
    assert.deepEqual(used, { cpu, memory, pods: count });
  });
}
