import assert from "node:assert/strict";
import { test } from "node:test";
import { HORIZONTAL_POD_AUTOSCALERS } from "../../api/generated/resources.ts";
import { createClient } from "../../client/resource-client.ts";
import { Cluster } from "./autoscaler-fixture.ts";

test("busy pods get company at once, idle ones go after five minutes", async () => {
  const cluster = new Cluster();
  await using _ = await cluster.start();
  assert.equal(cluster.replicas, 4);
  assert.deepEqual(cluster.events, [
    "SuccessfulRescale: New size: 4; reason: cpu resource utilization (percentage of request) above target",
  ]);
  assert.deepEqual(await cluster.status(), {
    AbleToScale: "True SucceededRescale",
    ScalingActive: "True ValidMetricFound",
    ScalingLimited: "False DesiredWithinRange",
  });
  cluster.use = 10;
  await cluster.clock.advance(240_000);
  assert.equal(cluster.replicas, 4);
  assert.equal((await cluster.status())["AbleToScale"], "True ScaleDownStabilized");
  await cluster.clock.advance(90_000);
  assert.equal(cluster.replicas, 1);
});

test("the first look waits until there can be metrics, later ones for their turn", async () => {
  const cluster = new Cluster();
  const writes = () => cluster.memory.requests.filter(({ method }) => method !== "GET").length;
  cluster.use = undefined;
  cluster.clock.setTimer(14_000, () => {
    assert.deepEqual(cluster.events, []);
    cluster.use = 50;
  });
  await using _ = await cluster.start();
  assert.deepEqual([cluster.replicas, cluster.events], [2, []]);
  const client = createClient(cluster.memory).for(HORIZONTAL_POD_AUTOSCALERS);
  await client.patch({ namespace: "default", name: "web" }, { spec: { minReplicas: 3 } });
  const before = writes();
  await cluster.clock.advance(13_000);
  assert.deepEqual([cluster.replicas, writes()], [2, before]);
  await cluster.clock.advance(2_000);
  assert.equal(cluster.replicas, 3);
});

test("a target may be named by a version that is no longer served", async () => {
  const targetOf = (kind: string) => ({ apiVersion: "apps/v1beta1", kind, name: "web" });
  const cluster = new Cluster();
  await using _ = await cluster.start({ scaleTargetRef: targetOf("Deployment") });
  assert.equal(cluster.replicas, 4);
  const other = new Cluster();
  await using __ = await other.start({ scaleTargetRef: targetOf("Balloon") });
  assert.equal((await other.status())["AbleToScale"], "False FailedGetScale");
});

test("a metric may be that of one container", async () => {
  const metricOf = (container: string) => {
    const target = { type: "Utilization", averageUtilization: 50 };
    return [{ type: "ContainerResource", containerResource: { name: "cpu", container, target } }];
  };
  const cluster = new Cluster();
  await using _ = await cluster.start({ metrics: metricOf("c") });
  assert.equal(cluster.replicas, 4);
  const other = new Cluster();
  await using __ = await other.start({ metrics: metricOf("missing") });
  assert.equal(other.replicas, 2);
  assert.equal((await other.status())["ScalingActive"], "False FailedGetContainerResourceMetric");
});

test("at its fixpoint it writes nothing", async () => {
  const cluster = new Cluster();
  cluster.use = 50;
  await using _ = await cluster.start();
  await cluster.clock.advance(60_000);
  const writes = () => cluster.memory.requests.filter(({ method }) => method !== "GET").length;
  const before = writes();
  await cluster.clock.advance(120_000);
  assert.equal(writes(), before);
  assert.equal(cluster.replicas, 2);
});

test("without metrics nothing is resized, and the condition says why", async () => {
  const cluster = new Cluster();
  cluster.use = undefined;
  await using _ = await cluster.start();
  assert.equal(cluster.replicas, 2);
  assert.equal((await cluster.status())["ScalingActive"], "False FailedGetResourceMetric");
  const why =
    "failed to get cpu utilization: unable to get metrics for resource cpu: unable to fetch " +
    "metrics from resource metrics API: the server could not find the requested resource";
  const what = "invalid metrics (1 invalid out of 1), first error is";
  assert.deepEqual(cluster.events, [
    `FailedGetResourceMetric: ${why}`,
    `FailedComputeMetricsReplicas: ${what}: failed to get cpu resource metric value: ${why}`,
  ]);
  cluster.use = 100;
  await cluster.clock.advance(15_000);
  assert.equal(cluster.replicas, 4);
});

test("a metric that fails keeps its place in the status, and the others still add pods", async () => {
  const cluster = new Cluster();
  const target = { type: "AverageValue", averageValue: "10" };
  const cpu = { name: "cpu", target: { type: "Utilization", averageUtilization: 50 } };
  await using _ = await cluster.start({
    metrics: [
      { type: "Pods", pods: { metric: { name: "rps" }, target } },
      { type: "Resource", resource: cpu },
    ],
  });
  assert.equal(cluster.replicas, 4);
  assert.match(
    cluster.events.join("\n"),
    /FailedGetPodsMetric: unable to get metric rps: unable to fetch metrics from custom metrics/,
  );
  assert.ok(!cluster.events.some((text) => text.startsWith("FailedComputeMetricsReplicas")));
  const client = createClient(cluster.memory).for(HORIZONTAL_POD_AUTOSCALERS);
  const { status } = await client.get({ namespace: "default", name: "web" });
  assert.deepEqual(
    status?.currentMetrics?.map(({ type }) => type),
    ["", "Resource"],
  );
});

test("bounds hold without metrics, and zero replicas switch it off", async () => {
  const cluster = new Cluster();
  cluster.use = undefined;
  cluster.replicas = 9;
  {
    await using _ = await cluster.start();
    assert.equal(cluster.replicas, 5);
    cluster.replicas = 0;
    await cluster.clock.advance(15_000);
    assert.equal((await cluster.status())["ScalingActive"], "False ScalingDisabled");
    assert.equal(cluster.replicas, 0);
  }
});

test("objects are asked for by resource and group, and adapters may come and go", async () => {
  const cluster = new Cluster();
  const path = "namespaces/default/deployments.apps/front/hits";
  cluster.adapted.set(path, ["40"]);
  const describedObject = { apiVersion: "apps/v1", kind: "Deployment", name: "front" };
  const target = { type: "Value", value: "20" };
  await using _ = await cluster.start({
    metrics: [{ type: "Object", object: { metric: { name: "hits" }, describedObject, target } }],
  });
  assert.equal(cluster.replicas, 4);
  cluster.version = "v1beta1";
  await cluster.clock.advance(15_000);
  assert.equal((await cluster.status())["ScalingActive"], "False FailedGetObjectMetric");
  await cluster.clock.advance(15_000);
  assert.equal((await cluster.status())["ScalingActive"], "True ValidMetricFound");
});

test("a share of an external value is told of with its selector", async () => {
  const cluster = new Cluster();
  const path = "namespaces/default/queue?labelSelector=of%3Da";
  cluster.adapted.set(path, ["30", "10500m"]);
  const metric = { name: "queue", selector: { matchLabels: { of: "a" } } };
  const target = { type: "AverageValue", averageValue: "10" };
  await using _ = await cluster.start({
    metrics: [{ type: "External", external: { metric, target } }],
  });
  const name =
    "external metric queue(&LabelSelector{MatchLabels:map[string]string{of: a,}," +
    "MatchExpressions:[]LabelSelectorRequirement{},})";
  assert.deepEqual(cluster.events, [
    `SuccessfulRescale: New size: 4; reason: ${name} above target`,
  ]);
});

test("two autoscalers of the same pods leave them alone, until one goes", async () => {
  const cluster = new Cluster();
  cluster.use = 50;
  await using _ = await cluster.start();
  const client = createClient(cluster.memory).for(HORIZONTAL_POD_AUTOSCALERS);
  const { spec } = await client.get({ namespace: "default", name: "web" });
  await client.create({ metadata: { name: "other", namespace: "default" }, ...(spec && { spec }) });
  await cluster.clock.advance(20_000);
  cluster.use = 100;
  await cluster.clock.advance(20_000);
  assert.equal(cluster.replicas, 2);
  assert.equal((await cluster.status())["ScalingActive"], "False AmbiguousSelector");
  const text =
    "pods by selector app=web are controlled by multiple HPAs: [{other default} {web default}]";
  assert.ok(cluster.events.includes(`AmbiguousSelector: ${text}`), cluster.events.join("\n"));
  await client.delete({ namespace: "default", name: "other" });
  await cluster.clock.advance(15_000);
  assert.equal(cluster.replicas, 4);
});
