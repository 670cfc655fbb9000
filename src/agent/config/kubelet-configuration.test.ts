import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultConfiguration, readKubeletConfiguration } from "./kubelet-configuration.ts";

const read = (fields: object) =>
  readKubeletConfiguration(
    { apiVersion: "kubelet.config.k8s.io/v1beta1", kind: "KubeletConfiguration", ...fields },
    4,
  );

test("without a file, a kubelet's defaults hold", () => {
  const { podsMax, podPidsMax, logLimits, imageCollection, shutdown, eviction } =
    defaultConfiguration(4);
  assert.equal(podsMax, 110);
  assert.equal(podPidsMax, undefined);
  assert.deepEqual(logLimits, { maxBytes: 10 << 20, maxFiles: 5, everyMs: 10_000 });
  assert.deepEqual(imageCollection, {
    highPercent: 85,
    lowPercent: 80,
    minimumAgeMs: 120_000,
    maximumAgeMs: 0,
  });
  assert.deepEqual(shutdown, []);
  assert.equal(eviction.transitionMs, 300_000);
  assert.deepEqual(eviction.hard["memory.available"], { amount: 100 << 20 });
});

test("a file of a real cluster is read into the agent's units", () => {
  const { configuration, withoutEffect } = read({
    cgroupDriver: "systemd",
    clusterDNS: ["10.96.0.10"],
    featureGates: { InPlacePodVerticalScaling: true },
    maxPods: 250,
    podsPerCore: 10,
    podPidsLimit: 1024,
    containerLogMaxSize: "50Mi",
    containerLogMaxFiles: 3,
    evictionHard: { "memory.available": "5%", "nodefs.available": "0%", "pid.available": "1k" },
    evictionSoft: { "memory.available": "1Gi", "containerfs.available": "10%" },
    evictionSoftGracePeriod: { "memory.available": "1m30s", "containerfs.available": "1m" },
    evictionPressureTransitionPeriod: "30s",
    kubeReserved: { cpu: "100m", memory: "256Mi" },
    systemReserved: { memory: "256Mi", pid: "1000" },
    enforceNodeAllocatable: ["pods"],
    shutdownGracePeriod: "30s",
    shutdownGracePeriodCriticalPods: "10s",
    registerWithTaints: [{ key: "dedicated", value: "gpu", effect: "NoSchedule" }],
    allowedUnsafeSysctls: ["net.*"],
    podLogsDir: "/srv/logs/pods",
    cpuCFSQuotaPeriod: "10ms",
    tracing: { endpoint: "dns:///collector:4318", samplingRatePerMillion: 500 },
  });
  assert.deepEqual(configuration.tracing, {
    collector: { host: "collector", port: 4318 },
    samplingRatePerMillion: 500,
  });
  assert.deepEqual(withoutEffect, ["cgroupDriver", "clusterDNS", "featureGates"]);
  assert.equal(configuration.podsMax, 40);
  assert.equal(configuration.podLogsDir, "/srv/logs/pods");
  assert.equal(configuration.podPidsMax, 1024);
  assert.deepEqual(configuration.eviction.hard, {
    "memory.available": { share: 0.05 },
    "allocatableMemory.available": { share: 0.05 },
    "pid.available": { amount: 1000 },
  });
  assert.deepEqual(configuration.eviction.soft, {
    "memory.available": { below: { amount: 2 ** 30 }, graceMs: 90_000 },
  });
  assert.deepEqual(
    configuration.reservation.kube,
    new Map([
      ["cpu", 100],
      ["memory", 2 ** 28],
    ]),
  );
  assert.deepEqual(configuration.shutdown, [
    { priority: 2_000_000_000, graceMs: 10_000 },
    { priority: 0, graceMs: 20_000 },
  ]);
  assert.deepEqual(configuration.cpuQuota, { enforced: true, periodUs: 10_000 });
});

test("a mistake is refused with the field and what it wants", () => {
  const cases: [fields: object, message: RegExp][] = [
    [{ kind: "Pod" }, /it is "kubelet.config.k8s.io\/v1beta1" "Pod", wanted/],
    [{ maxPod: 5 }, /maxPod is no field of a KubeletConfiguration/],
    [{ maxPods: "5" }, /maxPods must be a whole number/],
    [{ evictionHard: { "disk.available": "1Gi" } }, /evictionHard.disk.available is no eviction/],
    [{ evictionHard: { "memory.available": "101%" } }, /must be from "0%" to "100%"/],
    [{ evictionHard: { "memory.available": "lots" } }, /must be a quantity such as "100Mi"/],
    [{ evictionSoft: { "memory.available": "1Gi" } }, /evictionSoftGracePeriod.memory.available/],
    [{ evictionSoftGracePeriod: { "pid.available": "1s" } }, /has no threshold in evictionSoft/],
    [{ evictionPressureTransitionPeriod: "soon" }, /must be a duration such as "5s"/],
    [{ kubeReserved: { gpu: "1" } }, /kubeReserved.gpu cannot be reserved/],
    [{ enforceNodeAllocatable: ["kube-reserved"] }, /may hold "pods" or "none"/],
    [{ imageGCLowThresholdPercent: 90 }, /must be less than imageGCHighThresholdPercent \(85\)/],
    [{ shutdownGracePeriodCriticalPods: "10s" }, /must not exceed shutdownGracePeriod/],
    [{ shutdownGracePeriod: "10ms" }, /must be zero or at least one second/],
    [{ cpuManagerPolicyOptions: { "full-pcpus-only": "true" } }, /of the policy "static"/],
    [
      {
        cpuManagerPolicy: "static",
        reservedSystemCPUs: "0",
        cpuManagerPolicyOptions: { "full-pcpus-only": "yes" },
      },
      /must be "true" or "false", not "yes"/,
    ],
    [{ memoryManagerPolicy: "Static" }, /memory is not pinned to NUMA nodes/],
    [{ cpuManagerPolicy: "static" }, /"static" needs CPU in reservedSystemCPUs/],
    [{ topologyManagerPolicy: "numa" }, /must be one of none, best-effort, restricted/],
    [{ readOnlyPort: 10_255 }, /readOnlyPort must be 0/],
    [{ podLogsDir: "logs" }, /podLogsDir must be an absolute, normalized path/],
    [{ podLogsDir: "/var/log/../pods" }, /podLogsDir must be an absolute, normalized path/],
    [{ containerLogMaxFiles: 1 }, /containerLogMaxFiles must be at least 2/],
    [{ reservedSystemCPUs: "all" }, /must be a list of CPUs such as "0-1,4"/],
    [{ registerWithTaints: [{ key: "a", effect: "No" }] }, /registerWithTaints\[0\].effect must/],
  ];
  for (const [fields, message] of cases) assert.throws(() => read(fields), { message });
});

test("logs are looked at as often as is said, and kept whole where their size is negative", () => {
  const limits = (fields: object) => read(fields).configuration.logLimits;
  assert.equal(limits({ containerLogMonitorInterval: "3s" }).everyMs, 3_000);
  for (const short of ["0s", "2s"]) {
    assert.throws(() => limits({ containerLogMonitorInterval: short }), /at least 3 seconds/);
  }
  assert.equal(limits({ containerLogMaxSize: "-1" }).maxBytes, Infinity);
  assert.equal(limits({ containerLogMaxSize: "0" }).maxBytes, 0);
});

test("zero stands for the default where a kubelet has it so, and one field may decide another", () => {
  const zero = {
    maxPods: 0,
    registryBurst: 0,
    imageMinimumGCAge: "0s",
    streamingConnectionIdleTimeout: "0s",
  };
  const { podsMax, pullRules, imageCollection, streamIdleMs } = read(zero).configuration;
  assert.equal(podsMax, 110);
  assert.equal(pullRules.rate.burst, 10);
  assert.equal(imageCollection.minimumAgeMs, 120_000);
  assert.equal(streamIdleMs, 4 * 3_600_000);
  const { reporting } = read({ nodeStatusUpdateFrequency: "20s" }).configuration;
  assert.deepEqual([reporting.heartbeatMs, reporting.reportMs], [20_000, 20_000]);
  assert.equal(read({ maxParallelImagePulls: 3 }).configuration.pullRules.atOnceMax, 3);
  assert.equal(read({ maxParallelImagePulls: 1 }).configuration.pullRules.atOnceMax, 1);
});

test("what is in force is told with its defaults, as Go writes it, without what has no effect", () => {
  const defaults = defaultConfiguration(4).inForce;
  const told = read({
    maxPods: 0,
    nodeStatusUpdateFrequency: "90s",
    streamingConnectionIdleTimeout: "1.5h",
    cpuCFSQuotaPeriod: "5ms",
    maxParallelImagePulls: 2,
    registryPullQPS: 0,
    evictionHard: { "memory.available": "5%" },
    address: "10.0.0.1",
  }).configuration.inForce;
  assert.equal(defaults["nodeStatusReportFrequency"], "5m0s");
  assert.equal(defaults["serializeImagePulls"], true);
  assert.equal("apiVersion" in told || "address" in told, false);
  assert.deepEqual(told, {
    ...defaults,
    nodeStatusUpdateFrequency: "1m30s",
    nodeStatusReportFrequency: "1m30s",
    streamingConnectionIdleTimeout: "1h30m0s",
    cpuCFSQuotaPeriod: "5ms",
    maxParallelImagePulls: 2,
    serializeImagePulls: false,
    registryPullQPS: 0,
    evictionHard: { "memory.available": "5%" },
  });
});

test("the defaults that are told are those that hold", () => {
  const { inForce, ...defaults } = defaultConfiguration(4);
  const { authentication, authorization, cgroupDriver, ...fields } = inForce;
  assert.ok(authentication && authorization && cgroupDriver);
  assert.deepEqual({ ...read(fields).configuration, inForce }, { ...defaults, inForce });
});
