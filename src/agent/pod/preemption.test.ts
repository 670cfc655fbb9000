import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod, PodSpec } from "../../api/generated/types/core-v1.ts";
import { NO_PRESSURE } from "../eviction/contract.ts";
import { type Admission, admitPod } from "./pod-admission.ts";
import { podRequests } from "./pod-requests.ts";
import { podsToPreempt } from "./preemption.ts";

const CRITICAL = 2_000_000_000;

/** A pod that asks for thousandths of a CPU and bytes of memory; as many as its limits if `firm`. */
function podOf(name: string, [cpu, memory]: [number, number], firm = false, priority = 0): Pod {
  const amounts = { ...(cpu && { cpu: `${cpu}m` }), ...(memory && { memory: `${memory}` }) };
  const resources = { requests: amounts, ...(firm && { limits: amounts }) };
  const spec: PodSpec = { containers: [{ name: "c", resources }], priority };
  return { metadata: { name, uid: name }, spec };
}

const critical = podOf("critical", [100, 100], false, CRITICAL);
const bestEffort = podOf("best-effort", [0, 0]);
const burstable = podOf("burstable", [100, 100]);
const bigBurstable = podOf("big-burstable", [300, 100]);
const guaranteed = podOf("guaranteed", [100, 100], true);
const bigGuaranteed = podOf("big-guaranteed", [300, 300], true);
const dear = podOf("dear", [500, 500], false, CRITICAL);

const CHOICES: readonly [string, Pod[], Record<string, number>, string | undefined][] = [
  ["there is no pod", [], { memory: 1 }, undefined],
  ["critical pods stay", [dear], { memory: 1 }, undefined],
  ["pods that ask for nothing free nothing", [bestEffort], { cpu: 1 }, undefined],
  ["all together are too little", [burstable, guaranteed], { cpu: 201 }, undefined],
  ["a burstable one goes first", [bestEffort, burstable, guaranteed], { cpu: 100 }, "burstable"],
  ["a guaranteed one goes if it must", [burstable, bigGuaranteed], { cpu: 300 }, "big-guaranteed"],
  ["one rather than two", [burstable, bigBurstable], { cpu: 300 }, "big-burstable"],
  ["the smaller of two", [bigBurstable, burstable], { memory: 100 }, "burstable"],
  ["both, where none is enough", [burstable, guaranteed], { cpu: 200 }, "burstable guaranteed"],
  ["several resources at once", [burstable, bigBurstable], { cpu: 50, memory: 100 }, "burstable"],
];

for (const [name, others, lack, wanted] of CHOICES) {
  test(`who makes room for a critical pod: ${name}`, () => {
    const facts = { others, requestsOf: podRequests };
    const chosen = podsToPreempt(critical, new Map(Object.entries(lack)), facts);
    assert.equal(chosen?.map(({ metadata }) => metadata?.name).join(" "), wanted);
  });
}

function admit(pod: Pod, others: readonly Pod[], more: Partial<PodSpec> = {}): Admission {
  return admitPod(
    { ...pod, spec: { containers: [], ...pod.spec, ...more } },
    {
      node: { metadata: { name: "n", labels: {} } },
      allocatable: { cpu: "400m", memory: "1000", pods: "10" },
      others,
      requestsOf: podRequests,
      allowedSysctls: [],
      hasAppArmor: false,
      pressure: NO_PRESSURE,
      cpus: () => undefined,
    },
  );
}

test("only a critical pod takes the room of others, and only if it could run then", () => {
  const others = [bigGuaranteed, burstable];
  const preempts = { pods: [burstable], lacking: "cpu" };
  assert.deepEqual(admit(critical, others).preempts, preempts);
  assert.equal(admit(podOf("any", [100, 100]), others).refusal?.reason, "OutOfcpu");
  assert.equal(admit(critical, []).preempts, undefined);
  const elsewhere = admit(critical, others, { nodeSelector: { disk: "ssd" } });
  assert.deepEqual(elsewhere, {
    refusal: {
      reason: "NodeAffinity",
      message: "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector",
    },
  });
  assert.deepEqual(admit(podOf("huge", [500, 10], false, CRITICAL), [burstable]).refusal, {
    reason: "UnexpectedAdmissionError",
    message:
      "Unexpected error while attempting to recover from admission failure: preemption: error " +
      "finding a set of pods to preempt: no set of running pods found to reclaim resources: " +
      "[(res: cpu, q: 200), ]",
  });
});
