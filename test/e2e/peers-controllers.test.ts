// The controllers and the scheduler of Kubernetes 1.20 with our API server, and ours with its own.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import {
  type Outcome,
  playScenarios,
  unexplainedIn,
} from "../peers/control-planes/compare-control-planes.ts";
import { COMBINATIONS } from "../peers/control-planes/control-planes.ts";
import { SCENARIOS } from "../peers/control-planes/scenarios.ts";
import { kubeApiServerSkip } from "../peers/kube-apiserver.ts";
import { kubeControllersSkip } from "../peers/kube-controllers.ts";

const skip = kubeApiServerSkip() || kubeControllersSkip();
let outcomes: readonly Outcome[] = [];

before(async () => {
  if (skip) return;
  outcomes = await Promise.all(COMBINATIONS.map((each) => playScenarios(each, SCENARIOS)));
});

for (const [at, { server, controllers }] of COMBINATIONS.entries()) {
  test(`controllers of ${controllers} on the API server of ${server} end alike`, { skip }, () => {
    const [reference = new Map()] = outcomes;
    assert.deepEqual(unexplainedIn(outcomes[at] ?? new Map(), reference), []);
  });
}
