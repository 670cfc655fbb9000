import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod } from "../../api/generated/types/core-v1.ts";
import { lostPods } from "./pod-gc-controller.ts";

interface PodShape {
  node?: string;
  terminating?: boolean;
  phase?: "Running" | "Succeeded";
  created?: string;
}

function pod(name: string, shape: PodShape): Pod {
  const { node, terminating, phase = "Running", created = "2030-01-01T00:00:00Z" } = shape;
  return {
    metadata: {
      name,
      uid: name,
      creationTimestamp: created,
      ...(terminating ? { deletionTimestamp: "2030-01-01T00:01:00Z" } : {}),
    },
    spec: { containers: [], ...(node ? { nodeName: node } : {}) },
    status: { phase },
  };
}

test("lost are pods of vanished nodes, deleted pods without a node, and the oldest finished", () => {
  const pods = [
    pod("fine", { node: "n1" }),
    pod("orphan", { node: "gone" }),
    pod("waiting", {}),
    pod("cancelled", { terminating: true }),
    pod("held", { node: "off", terminating: true }),
    pod("staying", { node: "off" }),
    pod("young", { node: "n1", phase: "Succeeded", created: "2030-01-01T00:00:09Z" }),
    pod("old", { node: "n1", phase: "Succeeded" }),
  ];
  const found = lostPods(pods, {
    isNodeLost: (name) => name === "gone",
    isOutOfService: (name) => name === "off",
    finishedMax: 1,
  });
  assert.deepEqual(
    found.map(({ pod: { metadata }, why }) => `${metadata?.name} ${why}`),
    ["orphan orphaned", "cancelled unscheduled", "held out of service", "old surplus"],
  );
});
