import assert from "node:assert/strict";
import { test } from "node:test";
import type { Deployment, ReplicaSet } from "../../api/generated/types/apps-v1.ts";
import { type DeploymentStep, planDeployment } from "./deployment-plan.ts";
import { DESIRED_REPLICAS, MAX_REPLICAS, REVISION } from "./revision.ts";

const NOW = Date.parse("2030-01-01T01:00:00Z");

function template(image: string): NonNullable<Deployment["spec"]>["template"] {
  return { metadata: { labels: { app: "web" } }, spec: { containers: [{ name: "c", image }] } };
}

function deployment(image: string, spec: Partial<Deployment["spec"]> = {}): Deployment {
  return {
    metadata: { name: "web", namespace: "default", uid: "d", generation: 1 },
    spec: {
      replicas: 3,
      selector: { matchLabels: { app: "web" } },
      template: template(image),
      progressDeadlineSeconds: 600,
      ...spec,
    },
  };
}

interface SetShape {
  available?: number;
  revision?: number;
  desired?: number;
  created?: string;
}

function set(image: string, replicas: number, shape: SetShape = {}): ReplicaSet {
  const { available = replicas, revision = 1, desired = 3 } = shape;
  return {
    metadata: {
      name: `web-${image}`,
      uid: image,
      namespace: "default",
      generation: 1,
      creationTimestamp: shape.created ?? "2030-01-01T00:00:00Z",
      annotations: {
        [REVISION]: String(revision),
        [DESIRED_REPLICAS]: String(desired),
        [MAX_REPLICAS]: String(desired + 1),
      },
    },
    spec: {
      replicas,
      selector: { matchLabels: { app: "web", "pod-template-hash": image } },
      template: {
        ...template(image),
        metadata: { labels: { app: "web", "pod-template-hash": image } },
      },
    },
    status: {
      replicas,
      availableReplicas: available,
      readyReplicas: available,
      observedGeneration: 1,
    },
  };
}

function plan(wanted: Deployment, sets: ReplicaSet[], more: { podsRun?: boolean } = {}) {
  const observed = { sets, oldPodsRun: () => more.podsRun === true, nowMs: NOW };
  return planDeployment(wanted, observed);
}

function sizes(steps: readonly DeploymentStep[]): string[] {
  return steps.flatMap((step) => {
    if (step.do === "create") return [`create ${step.set.spec?.replicas}`];
    if (step.do === "update") return [`${step.set.metadata?.name} ${step.set.spec?.replicas}`];
    return step.do === "delete" ? [`delete ${step.set.metadata?.name}`] : [];
  });
}

const condition = (steps: readonly DeploymentStep[], type: string) => {
  const status = steps.find((step) => step.do === "status")?.status;
  return status?.conditions?.find((one) => one.type === type);
};

test("a new deployment creates its set at full size as revision 1", () => {
  const { steps } = plan(deployment("v1"), []);
  assert.deepEqual(sizes(steps), ["create 3"]);
  const [create] = steps;
  assert.ok(create?.do === "create");
  assert.match(create.set.metadata?.name ?? "", /^web-[bcdfghjklmnpqrstvwxz2456789]+$/);
  assert.equal(create.event, `Scaled up replica set ${create.set.metadata?.name} from 0 to 3`);
  assert.equal(create.set.metadata?.annotations?.[REVISION], "1");
  assert.deepEqual(steps[1], { do: "annotate", annotations: { [REVISION]: "1" } });
  assert.equal(condition(steps, "Progressing")?.reason, "NewReplicaSetCreated");
  assert.equal(condition(steps, "Available")?.reason, "MinimumReplicasUnavailable");
});

test("a set that has not said that it shrank does not grow, nor is it counted on", () => {
  const back = set("v1", 0, { created: "2030-01-01T00:00:00Z" });
  // Its last pod is going, but its controller is away and the status is of before.
  const stale = {
    ...back,
    metadata: { ...back.metadata, generation: 2 },
    status: { replicas: 1, availableReplicas: 1, observedGeneration: 1 },
  };
  const left = set("v2", 3, { revision: 2, available: 3, created: "2030-01-01T00:01:00Z" });
  const sized = (sets: ReplicaSet[]) =>
    plan(deployment("v1"), sets).steps.flatMap((step) =>
      step.do === "update" ? [[step.set.metadata?.name, step.set.spec?.replicas]] : [],
    );
  assert.deepEqual(sized([stale, left]), [["web-v1", 0]]);
  const told = { ...stale, status: { replicas: 0, availableReplicas: 0, observedGeneration: 2 } };
  assert.deepEqual(sized([told, left])[0], ["web-v1", 1]);
});

test("the hash does not depend on member order", () => {
  const name = (wanted: Deployment) => {
    const [create] = plan(wanted, []).steps;
    return create?.do === "create" ? create.set.metadata?.name : undefined;
  };
  const reordered = deployment("v1");
  const { spec, metadata } = template("v1");
  if (reordered.spec)
    reordered.spec.template = { spec: spec as never, metadata: metadata as never };
  assert.equal(name(reordered), name(deployment("v1")));
  assert.notEqual(name(deployment("v2")), name(deployment("v1")));
});

test("a rolling update surges by 25 % and then follows availability", () => {
  const old = set("v1", 3);
  assert.deepEqual(sizes(plan(deployment("v2"), [old]).steps), ["create 1"]);
  const waiting = set("v2", 1, { available: 0, revision: 2 });
  assert.deepEqual(sizes(plan(deployment("v2"), [old, waiting]).steps), []);
  const started = set("v2", 1, { revision: 2 });
  assert.deepEqual(sizes(plan(deployment("v2"), [old, started]).steps), ["web-v1 2"]);
  const shrunk = set("v1", 2);
  assert.deepEqual(sizes(plan(deployment("v2"), [shrunk, started]).steps), ["web-v2 2"]);
});

test("pods that a set is still to lose are not counted on", () => {
  const rollingUpdate = { maxSurge: 1, maxUnavailable: 1 };
  const wanted = deployment("v2", { replicas: 4, strategy: { rollingUpdate } });
  const old = set("v1", 2, { available: 3, desired: 4 });
  const started = set("v2", 2, { desired: 4, revision: 2 });
  assert.deepEqual(sizes(plan(wanted, [old, started]).steps), ["web-v2 3", "web-v1 1"]);
});

test("pods that never became available go first, whatever the limits", () => {
  const broken = set("v2", 1, { available: 0, revision: 2, created: "2030-01-01T00:10:00Z" });
  const { steps } = plan(deployment("v3"), [set("v1", 3), broken]);
  assert.deepEqual(sizes(steps), ["create 0", "web-v2 0"]);
});

test("without surge one pod goes before its successor comes", () => {
  const spec = { strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } } };
  assert.deepEqual(sizes(plan(deployment("v2", spec), [set("v1", 3)]).steps), [
    "create 0",
    "web-v1 2",
  ]);
});

test("recreate waits until the last old pod is gone", () => {
  const wanted = deployment("v2", { strategy: { type: "Recreate" } });
  assert.deepEqual(sizes(plan(wanted, [set("v1", 3)]).steps), ["web-v1 0"]);
  assert.deepEqual(sizes(plan(wanted, [set("v1", 0)], { podsRun: true }).steps), []);
  assert.deepEqual(sizes(plan(wanted, [set("v1", 0)]).steps), ["create 3"]);
});

test("undo brings the old set back under the next revision", () => {
  const { steps } = plan(deployment("v1"), [set("v1", 0), set("v2", 3, { revision: 2 })]);
  const [update] = steps;
  assert.ok(update?.do === "update");
  assert.equal(update.set.spec?.replicas, 1);
  assert.equal(update.set.metadata?.annotations?.[REVISION], "3");
  assert.equal(
    update.set.metadata?.annotations?.["deployment.kubernetes.io/revision-history"],
    "1",
  );
  assert.deepEqual(steps[1], { do: "annotate", annotations: { [REVISION]: "3" } });
});

test("a revision may be an int64 that no number holds", () => {
  const old = set("v1", 0);
  old.metadata = { ...old.metadata, annotations: { [REVISION]: "3546343826724305832" } };
  const [create] = plan(deployment("v2"), [old]).steps;
  assert.ok(create?.do === "create");
  assert.equal(create.set.metadata?.annotations?.[REVISION], "3546343826724305833");
});

test("a resize in the middle of a rollout is shared out in proportion", () => {
  const sets = [set("v1", 8, { desired: 10 }), set("v2", 5, { desired: 10, revision: 2 })];
  for (const one of sets) {
    one.metadata = {
      ...one.metadata,
      annotations: { ...one.metadata?.annotations, [MAX_REPLICAS]: "13" },
    };
  }
  const spec = { replicas: 15, strategy: { rollingUpdate: { maxSurge: 3, maxUnavailable: 2 } } };
  assert.deepEqual(sizes(plan(deployment("v2", spec), sets).steps), ["web-v2 7", "web-v1 11"]);
});

test("a paused deployment scales but does not roll out", () => {
  const paused = deployment("v2", { paused: true, replicas: 5 });
  const { steps } = plan(paused, [set("v1", 3)]);
  assert.deepEqual(sizes(steps), ["web-v1 5"]);
  assert.equal(condition(steps, "Progressing")?.reason, "DeploymentPaused");
});

test("a rollout without progress times out at its deadline and is asked again then", () => {
  const wanted = deployment("v1");
  const stuck = set("v1", 3, { available: 0 });
  const before = plan(wanted, [stuck]);
  assert.equal(before.requeueAfterMs, 601_000);
  const status = before.steps.find((step) => step.do === "status")?.status;
  const later = { sets: [stuck], oldPodsRun: () => false, nowMs: NOW + 601_000 };
  const after = planDeployment({ ...wanted, ...(status ? { status } : {}) }, later);
  assert.equal(condition(after.steps, "Progressing")?.reason, "ProgressDeadlineExceeded");
  assert.equal(condition(after.steps, "Progressing")?.status, "False");
});

test("a finished rollout is told once, then nothing is written", () => {
  const wanted = deployment("v1");
  wanted.metadata = { ...wanted.metadata, annotations: { [REVISION]: "1" } };
  const first = plan(wanted, [set("v1", 3)]);
  assert.equal(condition(first.steps, "Progressing")?.reason, "NewReplicaSetAvailable");
  assert.equal(condition(first.steps, "Available")?.reason, "MinimumReplicasAvailable");
  const status = first.steps.find((step) => step.do === "status")?.status;
  assert.deepEqual(plan({ ...wanted, ...(status ? { status } : {}) }, [set("v1", 3)]), {
    steps: [],
  });
});

test("history beyond its limit is deleted once the rollout is complete", () => {
  const wanted = deployment("v3", { revisionHistoryLimit: 1 });
  wanted.status = {
    observedGeneration: 1,
    replicas: 3,
    updatedReplicas: 3,
    availableReplicas: 3,
    readyReplicas: 3,
  };
  const sets = [set("v1", 0), set("v2", 0, { revision: 2 }), set("v3", 3, { revision: 3 })];
  assert.deepEqual(sizes(plan(wanted, sets).steps), ["delete web-v1"]);
});
