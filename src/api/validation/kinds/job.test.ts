import { test } from "node:test";
import { JOBS } from "../../generated/resources.ts";
import { checkRuleCases } from "../rule-cases.ts";

const JOB = {
  spec: {
    completionMode: "Indexed",
    completions: 4,
    parallelism: 2,
    backoffLimit: 6,
    selector: { matchLabels: { app: "a" } },
    manualSelector: true,
    successPolicy: { rules: [{ succeededIndexes: "0,2-3" }] },
    template: {
      metadata: { labels: { app: "a" } },
      spec: {
        restartPolicy: "Never",
        dnsPolicy: "ClusterFirst",
        containers: [
          {
            name: "c",
            image: "a",
            imagePullPolicy: "Always",
            terminationMessagePolicy: "File",
          },
        ],
      },
    },
  },
};
const RULE = "spec.successPolicy.rules[0]";
const wrong = (indexes: string, why: string) =>
  [
    { [`${RULE}.succeededIndexes`]: indexes },
    `${RULE}.succeededIndexes: Invalid value: "${indexes}": error parsing succeededIndexes: ${why}`,
  ] as const;

test("rules of jobs whose pods have indexes", () => {
  const long = "j".repeat(62);
  checkRuleCases(JOBS, {
    base: JOB,
    create: [
      [
        { "metadata.name": long },
        `metadata.name: Invalid value: "${long}": will not able to create pod with invalid DNS label: ${long}-3`,
      ],
      [
        { "spec.backoffLimitPerIndex": 1, "spec.maxFailedIndexes": 100_001 },
        "spec.maxFailedIndexes: Invalid value: 100001: must be less than or equal to completions",
        "spec.maxFailedIndexes: Invalid value: 100001: must be less than or equal to 100000",
      ],
    ],
    update: [
      [{ "spec.completions": 6, "spec.parallelism": 6 }],
      [
        { "spec.completions": 5 },
        "spec.completions: Invalid value: 5: can only be modified in tandem with spec.parallelism",
      ],
      [
        { "spec.completions": undefined },
        "spec.completions: Required value: when completion mode is Indexed",
      ],
    ],
  });
});

test("a selector that cannot be read is told, and nothing more is asked of it", () => {
  const expressions = [{ key: "a", operator: "Some" }];
  const { manualSelector: _, ...generated } = JOB.spec;
  const labels = {
    app: "a",
    "controller-uid": "u",
    "batch.kubernetes.io/controller-uid": "u",
    "job-name": "web",
    "batch.kubernetes.io/job-name": "web",
  };
  const selector = { matchLabels: { "job-name": "web" } };
  const template = { ...JOB.spec.template, metadata: { labels } };
  checkRuleCases(JOBS, {
    base: { metadata: { uid: "u" }, spec: { ...generated, selector, template } },
    create: [
      [
        { "spec.selector.matchExpressions": expressions },
        'spec.selector.matchExpressions[0].operator: Invalid value: "Some": not a valid selector operator',
      ],
    ],
  });
});

test("rules of what to do when pods fail", () => {
  const rule = (value: object) => ({ "spec.podFailurePolicy": { rules: [value] } });
  const path = "spec.podFailurePolicy.rules[0]";
  checkRuleCases(JOBS, {
    base: { spec: { ...JOB.spec, podReplacementPolicy: "Failed" } },
    create: [
      [
        rule({ onExitCodes: { values: [1] } }),
        `${path}.action: Required value: valid values: ["Count" "FailIndex" "FailJob" "Ignore"]`,
        `${path}.onExitCodes.operator: Required value: valid values: ["In" "NotIn"]`,
      ],
      [
        rule({ action: "Count" }),
        `${path}: Invalid value: specifying one of OnExitCodes and OnPodConditions is required`,
      ],
    ],
  });
});

test("rules of what makes a job a success", () => {
  checkRuleCases(JOBS, {
    base: JOB,
    create: [
      [{}],
      wrong("4", 'too large index: "4"'),
      wrong("1-7", 'too large index: "7"'),
      wrong("a", 'cannot convert string to integer for index: "a"'),
      wrong("1,", 'cannot convert string to integer for index: ""'),
      wrong("2-1", "non-increasing order, previous: 2, current: 1"),
      wrong("1-2,2", "non-increasing order, previous: 2, current: 2"),
      [{ [`${RULE}.succeededCount`]: 3 }],
      [
        { [`${RULE}.succeededIndexes`]: "1", [`${RULE}.succeededCount`]: 2 },
        `${RULE}.succeededCount: Invalid value: 2: must be less than or equal to 1 ` +
          "(the number of indexes in the specified succeededIndexes field)",
      ],
    ],
  });
});
