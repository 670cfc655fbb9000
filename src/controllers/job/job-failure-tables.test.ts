import assert from "node:assert/strict";
import { test } from "node:test";
import type { PodFailurePolicyRule } from "../../api/generated/types/batch-v1.ts";
import type { ContainerStatus, Pod } from "../../api/generated/types/core-v1.ts";
import { job, plan, pod } from "./job-fixture.ts";
import { judgeFailure } from "./job-failure-policy.ts";

// The facts of these rows are upstream's (docs/conformance/controller-tables.md).

type Action = PodFailurePolicyRule["action"];
const on = (action: Action, values: number[], more: { name?: string; not?: true } = {}) => ({
  action,
  onExitCodes: {
    ...(more.name ? { containerName: more.name } : {}),
    operator: more.not ? ("NotIn" as const) : ("In" as const),
    values,
  },
});
const onCondition = (action: Action, type: string) => ({
  action,
  onPodConditions: [{ type, status: "True" as const }],
});

/** A failed pod of containers that ended, by name; one without a code still runs. */
function failed(
  codes: Record<string, number | undefined>,
  more: { init?: Record<string, number>; conditions?: string[] } = {},
): Pod {
  const ended = (of: Record<string, number | undefined>): ContainerStatus[] =>
    Object.entries(of).map(([name, exitCode]) => ({
      name,
      image: "i",
      imageID: "",
      ready: false,
      restartCount: 0,
      state: exitCode === undefined ? { running: {} } : { terminated: { exitCode } },
    }));
  const made = pod("p", { phase: "Failed" });
  return {
    ...made,
    status: {
      phase: "Failed",
      containerStatuses: ended(codes),
      initContainerStatuses: ended(more.init ?? {}),
      conditions: (more.conditions ?? []).map((type) => ({ type, status: "True" as const })),
    },
  };
}

const EXITS = [on("Ignore", [1, 2, 3]), on("FailJob", [5, 6, 7])];
const NAMED = [
  on("Ignore", [1, 2, 3], { name: "main" }),
  on("FailJob", [5, 6, 7], { name: "main" }),
];
const by = (code: number, at: number, container = "main") =>
  `Container ${container} for pod default/p failed with exit code ${code} matching FailJob rule at index ${at}`;

const rows: [
  title: string,
  rules: PodFailurePolicyRule[],
  pod: Pod,
  action: string,
  message?: string,
][] = [
  ["the rule names another container", NAMED, failed({ monitor: 5, main: 42 }), "Count"],
  ["an exit code ends the job", EXITS, failed({ main: 5 }), "FailJob", by(5, 1)],
  ["no exit code yet", EXITS, failed({ main: undefined }), "Count"],
  [
    "a code that is not listed ends it",
    [on("FailJob", [5, 6, 7], { not: true })],
    failed({ main: 42 }),
    "FailJob",
    by(42, 0),
  ],
  [
    "a listed code does not",
    [on("FailJob", [5, 6, 7], { not: true })],
    failed({ main: 5 }),
    "Count",
  ],
  [
    "the code of an init container",
    EXITS,
    failed({ main: 143 }, { init: { init: 5 } }),
    "FailJob",
    by(5, 1, "init"),
  ],
  ["the first rule that fits", EXITS, failed({ one: 2, two: 6 }), "Ignore"],
  ["an ignored code", EXITS, failed({ main: 1 }), "Ignore"],
  ["a code of no rule", EXITS, failed({ main: 10 }), "Count"],
  [
    "a code that counts before one that is ignored",
    [on("Count", [1, 2]), on("Ignore", [2, 3])],
    failed({ main: 2 }),
    "Count",
  ],
  [
    "a condition that counts before one that is ignored",
    [onCondition("Count", "ResourceLimitExceeded"), onCondition("Ignore", "DisruptionTarget")],
    failed({}, { conditions: ["ResourceLimitExceeded", "DisruptionTarget"] }),
    "Count",
  ],
  [
    "an ignored condition",
    [onCondition("Ignore", "DisruptionTarget")],
    failed({}, { conditions: ["DisruptionTarget"] }),
    "Ignore",
  ],
  [
    "a condition that ends the job",
    [onCondition("FailJob", "DisruptionTarget")],
    failed({}, { conditions: ["DisruptionTarget"] }),
    "FailJob",
    "Pod default/p has condition DisruptionTarget matching FailJob rule at index 0",
  ],
];

test("what a failure policy makes of a failed pod", () => {
  for (const [title, rules, lost, action, message] of rows) {
    const wanted = job({ podFailurePolicy: { rules }, podReplacementPolicy: "Failed" });
    const verdict = judgeFailure(wanted, lost);
    assert.equal(verdict.action, action, title);
    if (message !== undefined) assert.equal(verdict.message, message, title);
  }
});

test("a pod that still runs is not judged, one on its way out has not failed yet", () => {
  const podFailurePolicy = { rules: EXITS };
  const wanted = job({ podFailurePolicy, podReplacementPolicy: "Failed", backoffLimit: 0 });
  const exited = failed({ main: 5 }).status?.containerStatuses ?? [];
  for (const leaving of [false, true]) {
    const made = pod("p", { leaving });
    const running: Pod = { ...made, status: { phase: "Running", containerStatuses: exited } };
    const { status } = plan(wanted, [running]);
    assert.deepEqual([status.conditions, status.uncountedTerminatedPods], [undefined, {}]);
  }
});

test("an ignored failure is not counted, but its replacement waits", () => {
  const rules = [onCondition("Ignore", "DisruptionTarget")];
  const wanted = job({ podFailurePolicy: { rules }, backoffLimit: 0, completions: 1 });
  const lost = failed({}, { conditions: ["DisruptionTarget"] });
  const metadata = { ...lost.metadata, deletionTimestamp: "2030-01-01T00:59:58Z" };
  const { create, status, requeueAfterMs } = plan(wanted, [{ ...lost, metadata }]);
  assert.deepEqual([create, status.failed, requeueAfterMs], [[], undefined, 8000]);
});

test("what was decided stands, whichever pods are left", () => {
  const message = by(5, 1).replace("/p ", "/gone ");
  const type = "FailureTarget";
  const conditions = [{ type, status: "True" as const, reason: "PodFailurePolicy", message }];
  const podFailurePolicy = { rules: EXITS };
  const first = plan(job({ podFailurePolicy }, { conditions }), [failed({ main: 5 })]);
  assert.deepEqual(first.status.conditions, conditions);
  assert.deepEqual(first.status.uncountedTerminatedPods, { failed: ["p"] });
  const { status } = plan(job({ podFailurePolicy }, first.status), []);
  assert.deepEqual(
    status.conditions?.map(({ type: one, message: why }) => [one, why]),
    [
      ["FailureTarget", message],
      ["Failed", message],
    ],
  );
});
