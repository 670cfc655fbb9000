import { test } from "node:test";
import type { RuleCase } from "../rule-cases.ts";
import { checkNewPods, CONTAINER } from "./sample-pod.ts";

const NOT_NEGATIVE = "must be greater than or equal to 0";

const CASES: readonly RuleCase[] = [
  [
    { [`${CONTAINER}.resources`]: { requests: { cpu: "2" }, limits: { cpu: "1" } } },
    `${CONTAINER}.resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1`,
  ],
  [
    { [`${CONTAINER}.resources`]: { limits: { cpu: "-1" } } },
    `${CONTAINER}.resources.limits[cpu]: Invalid value: "-1": ${NOT_NEGATIVE}`,
  ],
  [
    { [`${CONTAINER}.resources`]: { limits: { disk: "1" } } },
    `${CONTAINER}.resources.limits[disk]: Invalid value: disk: must be a standard resource type or fully qualified`,
    `${CONTAINER}.resources.limits[disk]: Invalid value: disk: must be a standard resource for containers`,
  ],
  [
    { [`${CONTAINER}.resources`]: { limits: { pods: "1" } } },
    `${CONTAINER}.resources.limits[pods]: Invalid value: pods: must be a standard resource for containers`,
  ],
  [
    { [`${CONTAINER}.resources`]: { requests: { "example.com/gpu": "1" } } },
    `${CONTAINER}.resources.limits: Required value: Limit must be set for non overcommitable resources`,
  ],
  [
    { [`${CONTAINER}.resources`]: { limits: { "example.com/gpu": "1500m" } } },
    `${CONTAINER}.resources.limits[example.com/gpu]: Invalid value: resource.Quantity{i:resource.int64Amount{value:1500, scale:-3}, d:resource.infDecAmount{Dec:(*inf.Dec)(nil)}, s:"1500m", Format:"DecimalSI"}: must be an integer`,
  ],
  [
    { [`${CONTAINER}.resources`]: { limits: { "hugepages-2Mi": "4Mi" } } },
    `${CONTAINER}.resources: Forbidden: HugePages require cpu or memory`,
  ],
  [
    { [`${CONTAINER}.resources`]: { limits: { "hugepages-2Mi": "3Mi", cpu: "1" } } },
    `${CONTAINER}.resources.limits[hugepages-2Mi]: Invalid value: "3Mi": 3Mi is not positive integer multiple of hugepages-2Mi`,
  ],
];

test("rules of resources", () => {
  checkNewPods(CASES);
});
