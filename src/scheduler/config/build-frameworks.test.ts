import assert from "node:assert/strict";
import { test } from "node:test";
import { nodeOf, podOf } from "../plugins/plugin-table-fixture.ts";
import { ProfileTable } from "../pod/pod-profile.ts";
import { emptyPluginDeps } from "../scheduler-fixture.ts";
import { ClusterState } from "../state/cluster-state.ts";
import { buildFrameworks } from "./build-frameworks.ts";
import { readSchedulerConfiguration } from "./scheduler-configuration.ts";

test("each scheduler's pods are woken by its own plugins' arguments", () => {
  const expression = { key: "zone", operator: "In", values: ["1"] };
  const required = { nodeSelectorTerms: [{ matchExpressions: [expression] }] };
  const addedAffinity = { requiredDuringSchedulingIgnoredDuringExecution: required };
  const configuration = readSchedulerConfiguration({
    apiVersion: "kubescheduler.config.k8s.io/v1",
    kind: "KubeSchedulerConfiguration",
    profiles: [
      { schedulerName: "default-scheduler" },
      {
        schedulerName: "zoned",
        pluginConfig: [{ name: "NodeAffinity", args: { addedAffinity } }],
      },
    ],
  });
  const state = new ClusterState();
  const of = { configuration, deps: emptyPluginDeps(), plugins: undefined };
  const { hints, frameworks } = buildFrameworks(state, of);
  state.setNode(nodeOf("n1", {}));
  const wakes = (schedulerName?: string) => {
    const pod = new ProfileTable().recordOf(
      podOf({ spec: schedulerName ? { schedulerName } : {} }, 0),
    );
    return hints.get("NodeAffinity")?.({ kind: "node-added", slot: 0 }, pod, state);
  };
  assert.deepEqual([wakes(), wakes("zoned")], [true, false]);
  for (const framework of frameworks.values()) framework[Symbol.dispose]();
});
