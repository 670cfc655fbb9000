import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "../../lib/random.ts";
import { defaultPlugins } from "../framework/default-plugins.ts";
import { Framework } from "../framework/framework.ts";
import { ProfileTable } from "../pod/pod-profile.ts";
import { schedule } from "../schedule.ts";
import { emptyPluginDeps } from "../scheduler-fixture.ts";
import { ClusterState } from "../state/cluster-state.ts";

/** Two equal zones; "busy" runs a pod of the app, "idle" one of another. */
function cluster() {
  const state = new ClusterState();
  const profiles = new ProfileTable();
  const framework = new Framework(state, {
    schedulerName: "default-scheduler",
    plugins: defaultPlugins(emptyPluginDeps()),
    percentageOfNodesToScore: 0,
  });
  const record = (name: string, labels: Record<string, string>) =>
    profiles.recordOf({
      metadata: { name, uid: name, namespace: "default", labels },
      spec: { containers: [{ name: "c" }] },
    });
  for (const name of ["busy", "idle"]) {
    state.setNode({
      metadata: {
        name,
        labels: { "kubernetes.io/hostname": name, "topology.kubernetes.io/zone": name },
      },
      status: { allocatable: { cpu: "4", memory: "8Gi", pods: "110" } },
    });
  }
  state.addPod(record("one", { app: "web" }), "busy");
  state.addPod(record("other", { app: "other" }), "idle");
  const pod = record("new", { app: "web" });
  const places = () => {
    const random = seededRandom(3);
    return new Set(
      Array.from({ length: 20 }, () => schedule(pod, { framework, random }).node ?? ""),
    );
  };
  return { state, framework, places };
}

test("pods behind a Service are spread, whoever made them", () => {
  const { state, framework, places } = cluster();
  using _ = framework;
  assert.deepEqual(places(), new Set(["busy", "idle"]));
  state.services.set("default/web", { namespace: "default", selector: { app: "web" } });
  assert.deepEqual(places(), new Set(["idle"]));
  state.services.set("default/web", { namespace: "default", selector: undefined });
  assert.deepEqual(places(), new Set(["busy", "idle"]));
});

test("Services of others, and of other namespaces, spread nothing", () => {
  const { state, framework, places } = cluster();
  using _ = framework;
  state.services.set("default/db", { namespace: "default", selector: { app: "db" } });
  state.services.set("other/web", { namespace: "other", selector: { app: "web" } });
  state.services.set("default/all", { namespace: "default", selector: {} });
  assert.deepEqual(places(), new Set(["busy", "idle"]));
});

test("the selectors of several Services count together", () => {
  const { state, framework, places } = cluster();
  using _ = framework;
  state.services.set("default/web", { namespace: "default", selector: { app: "web" } });
  assert.deepEqual(state.services.of("default", { app: "web", tier: "front" }), { app: "web" });
  state.services.set("default/front", { namespace: "default", selector: { tier: "front" } });
  assert.deepEqual(state.services.of("default", { app: "web", tier: "front" }), {
    app: "web",
    tier: "front",
  });
  assert.deepEqual(places(), new Set(["idle"]));
});
