import assert from "node:assert/strict";
import { test } from "node:test";
import { STATEFUL_SETS } from "../../generated/resources.ts";
import { SAMPLE_POD } from "../pod/sample-pod.ts";
import { checkRuleCases } from "../rule-cases.ts";
import { validateObject } from "../validate-object.ts";

const SET = {
  spec: {
    serviceName: "a",
    selector: { matchLabels: { app: "a" } },
    template: { metadata: { labels: { app: "a" } }, spec: SAMPLE_POD.spec },
  },
};

test("rules of stateful sets", () => {
  checkRuleCases(STATEFUL_SETS, {
    base: SET,
    create: [
      [{ "metadata.name": "a.b" }, 'metadata.name: Invalid value: "a.b": must not contain dots'],
      [
        { "spec.persistentVolumeClaimRetentionPolicy.whenScaled": "Keep" },
        'spec.persistentVolumeClaimRetentionPolicy.whenScaled: Unsupported value: "Keep": supported values: "Retain", "Delete"',
      ],
      [
        {
          "spec.template.metadata.annotations": {
            "controller.kubernetes.io/pod-deletion-cost": "x",
          },
        },
        'spec.template.annotations[controller.kubernetes.io/pod-deletion-cost]: Invalid value: "x": must be a 32bit integer',
      ],
    ],
    subresources: {
      status: [
        [
          { "status.replicas": -1 },
          "status.replicas: Invalid value: -1: must be greater than or equal to 0",
          ...["readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas"].map(
            (part) => `status.${part}: Invalid value: 0: cannot be greater than status.replicas`,
          ),
        ],
      ],
    },
  });
});

test("a name that an object has is not judged again", () => {
  const named = { ...SET, metadata: { name: "a.b", namespace: "default" } };
  assert.deepEqual(validateObject(STATEFUL_SETS, named, { old: named }), []);
});
