import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod, PodAffinityTerm } from "../../api/generated/types/core-v1.ts";
import type { KubeObject } from "../kube-object.ts";
import { POD } from "./pod.ts";

const REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution";
const LABELS = { app: "web", revision: "7", tenant: "x" };

function created(spec: Partial<Pod["spec"]>): Pod {
  const pod = { metadata: { name: "web", labels: LABELS }, spec } as unknown as KubeObject;
  POD.prepareCreate?.(pod, { user: { name: "me", groups: [] }, nowMs: 0 });
  return pod as Pod;
}

const CASES: [name: string, term: Omit<PodAffinityTerm, "topologyKey">, expected: unknown][] = [
  [
    "keys become requirements after those of the user",
    {
      labelSelector: { matchExpressions: [{ key: "app", operator: "Exists" }] },
      matchLabelKeys: ["revision"],
      mismatchLabelKeys: ["tenant"],
    },
    {
      matchExpressions: [
        { key: "app", operator: "Exists" },
        { key: "revision", operator: "In", values: ["7"] },
        { key: "tenant", operator: "NotIn", values: ["x"] },
      ],
    },
  ],
  [
    "a key that the pod has no label of asks for nothing",
    { labelSelector: { matchLabels: { app: "web" } }, matchLabelKeys: ["other", "toString"] },
    { matchLabels: { app: "web" } },
  ],
  ["without a selector there is nothing to narrow", { matchLabelKeys: ["app"] }, undefined],
];
for (const [name, asked, expected] of CASES) {
  test(`affinity of a new pod: ${name}`, () => {
    const term = { topologyKey: "zone", ...asked };
    const affinity = {
      podAffinity: { [REQUIRED]: [term] },
      podAntiAffinity: { [PREFERRED]: [{ weight: 1, podAffinityTerm: term }] },
    };
    const before = structuredClone(affinity);
    const { spec } = created({ affinity });
    assert.deepEqual(affinity, before, "whoever sent it may go on with what it sent");
    const { podAffinity, podAntiAffinity } = spec?.affinity ?? {};
    const [near] = podAffinity?.[REQUIRED] ?? [];
    const [far] = podAntiAffinity?.[PREFERRED] ?? [];
    assert.deepEqual(near?.labelSelector, expected);
    assert.deepEqual(far?.podAffinityTerm?.labelSelector, expected);
  });
}

test("a new pod behind gates says so, and since when", () => {
  assert.equal(created({}).status?.conditions, undefined);
  const gated = created({ schedulingGates: [{ name: "example.com/wait" }] });
  assert.deepEqual(gated.status?.conditions, [
    {
      type: "PodScheduled",
      status: "False",
      reason: "SchedulingGated",
      message: "Scheduling is blocked due to non-empty scheduling gates",
      lastTransitionTime: "1970-01-01T00:00:00Z",
    },
  ]);
});
