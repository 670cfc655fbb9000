import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import {
  CONFIG_MAPS,
  EVENTS,
  NODES,
  PERSISTENT_VOLUME_CLAIMS,
  PERSISTENT_VOLUMES,
  PODS,
  SECRETS,
} from "../../src/api/generated/resources.ts";
import type { Pod, Volume } from "../../src/api/generated/types/core-v1.ts";
import { type StallingMount, startStallingMount } from "../../src/sys/stalling-mount-fixture.ts";
import { benchNode } from "../../bench/node-bench.ts";
import { BUSYBOX } from "./busybox-image.ts";
import { eventually } from "./eventually.ts";
import { appOf, isRunning, type NodeUnderTest, shell, startNode } from "./node-under-test.ts";

const skip = process.getuid?.() === 0 ? false : "needs root";
let node: NodeUnderTest;
let stalling: StallingMount | undefined;

before(async () => {
  if (!skip) node = await startNode();
});
after(async () => {
  await stalling?.[Symbol.asyncDispose]();
  await node?.[Symbol.asyncDispose]();
});

const isReady = (pod: Pod | undefined) => appOf(pod)?.ready === true;

async function logOf(name: string, previous = false): Promise<string> {
  const target = { namespace: "default", name, container: "app" };
  const stream = await node.agent().streams.logs(target, { previous }, AbortSignal.timeout(5_000));
  return Buffer.concat(await stream.toArray()).toString();
}

async function remove(name: string): Promise<void> {
  await node.client.for(PODS).delete({ namespace: "default", name });
  await node.until(name, (pod) => pod === undefined);
  // The node lets go of its last files a moment after the API did.
  const known = () =>
    node
      .agent()
      .streams.pods()
      .map(({ metadata }) => metadata?.name);
  while (known().includes(name)) await new Promise((done) => setImmediate(done));
}

/** What a command prints inside the container. */
async function inside(name: string, script: string): Promise<string> {
  const pod = await node.client.for(PODS).get({ namespace: "default", name });
  const id = appOf(pod)?.containerID?.replace("nephos://", "") ?? "";
  const { stdout, stderr } = await node.runtime().execSync(id, ["sh", "-c", script], 5_000);
  return stdout + stderr;
}

test("the node becomes ready", { skip }, async () => {
  await node.agent().ready;
  const nodes = node.client.for(NODES);
  const { status } = await nodes.get({ name: "node-1" });
  assert.equal(status?.conditions?.find(({ type }) => type === "Ready")?.status, "True");

  const strategic = { type: "strategic", subresource: "status" } as const;
  const conditions = [
    { type: "Mine", status: "True" },
    { type: "Ready", status: "Unknown", reason: "NodeStatusUnknown" },
  ];
  const capacity = { "example.com/gpu": "4" };
  await nodes.patch({ name: "node-1" }, { status: { conditions, capacity } }, strategic);
  const after = await eventually("the node tells its own state again", async () => {
    const { status: seen } = await nodes.get({ name: "node-1" });
    const ready = seen?.conditions?.find(({ type }) => type === "Ready");
    return ready?.status === "True" ? seen : undefined;
  });
  assert.ok(after.conditions?.some(({ type }) => type === "Mine"));
  assert.equal(after.allocatable?.["example.com/gpu"], "4");
});

const LINES = 3000;

test("a pod that fills its volume beyond the limit is started, for later", { skip }, async () => {
  await node.run("filler", {
    volumes: [{ name: "cache", emptyDir: { sizeLimit: "64Ki" } }],
    containers: [
      shell("busybox head -c 200000 /dev/zero > /cache/file; sleep 1000", {
        volumeMounts: [{ name: "cache", mountPath: "/cache" }],
      }),
    ],
  });
});

test("a pod that talks a lot is started, for later", { skip }, async () => {
  const script = `i=0; while [ $i -lt ${LINES} ]; do echo line $i; i=$((i+1)); done; sleep 1000`;
  await node.run("chatty", { containers: [shell(script)] });
  await node.until("chatty", isRunning);
});

test("a pod runs, logs, and goes away without a trace", { skip }, async () => {
  await node.run("hello", { containers: [shell("echo hello from $(hostname); sleep 1000")] });
  const pod = await node.until("hello", isRunning);
  assert.equal(pod?.status?.phase, "Running");
  assert.match(pod?.status?.podIP ?? "", /^10\.231\.0\./);
  assert.match(await inside("hello", "cat /etc/hosts"), /\thello\n/);
  assert.match(await logOf("hello"), /^hello from hello\n$/);
  await remove("hello");
  for (const folder of ["state/pods", "state/logs", "runtime/containers", "runtime/sandboxes"]) {
    const left = readdirSync(path.join(node.directory, folder));
    assert.ok(left.length <= 2, `${folder}: ${left.join(" ")}`); // of the other pods
  }
});

const FAR_MOUNTS = [
  { name: "far", mountPath: "/far" },
  { name: "far", mountPath: "/part", subPath: "directory" },
];
const farVolumes = (type: "Directory" | "File" = "Directory"): Volume[] => [
  { name: "far", hostPath: { path: path.join(node.directory, "far"), type } },
];

async function failedMounts(name: string): Promise<string[]> {
  const { items } = await node.client.for(EVENTS).list({ namespace: "default" });
  return items
    .filter((one) => one.involvedObject?.name === name && one.reason === "FailedMount")
    .map(({ message = "" }) => message);
}

/** A pod that mounts the file system that may hang, and a path in it. */
function runFar(name: string): Promise<Pod> {
  const container = shell("echo in; sleep 1000", { volumeMounts: FAR_MOUNTS });
  return node.run(name, { containers: [container], volumes: farVolumes() });
}

test("a file system stops to answer while a pod uses it, for later", { skip }, async () => {
  const target = path.join(node.directory, "far");
  mkdirSync(target);
  stalling = await startStallingMount(target);
  await runFar("far-before");
  await node.until("far-before", isRunning);
  assert.match(await inside("far-before", "ls /far /part"), /^\/far:\n\n\/part:\n/);
  const container = shell("true", { volumeMounts: FAR_MOUNTS });
  await node.run("far-wrong", { containers: [container], volumes: farVolumes("File") });
  await eventually("the reason", async () =>
    (await failedMounts("far-wrong")).some((text) => text.endsWith("/far is not a file")),
  );
  await remove("far-wrong");
  await stalling.stall();
  await runFar("far-after");
});

test("a container that ends is restarted and its end is told", { skip }, async () => {
  const script = "echo bye > /dev/termination-log; exit 3";
  await node.run("again", { containers: [shell(`echo crashed; ${script}`)] });
  const pod = await node.until("again", (seen) => (appOf(seen)?.restartCount ?? 0) >= 1);
  const last = appOf(pod)?.lastState?.terminated ?? appOf(pod)?.state?.terminated;
  assert.equal(last?.exitCode, 3);
  assert.equal(last?.message, "bye\n");
  await node.until("again", (seen) => appOf(seen)?.state?.waiting?.reason === "CrashLoopBackOff");
  assert.match(await logOf("again", true), /^crashed\n$/);
  await node.restartAgent();
  assert.match(await logOf("again", true), /^crashed\n$/);
  await remove("again");
});

test("a pod that the node cannot run has failed with a reason", { skip }, async () => {
  const resources = { requests: { cpu: "1000" } };
  await node.run("huge", { containers: [shell("true", { resources })] });
  const sysctls = [{ name: "kernel.msgmax", value: "65536" }];
  await node.run("unsafe", { securityContext: { sysctls }, containers: [shell("true")] });
  const huge = await node.until("huge", (pod) => pod?.status?.phase === "Failed");
  assert.equal(huge?.status?.reason, "OutOfcpu");
  const unsafe = await node.until("unsafe", (pod) => pod?.status?.phase === "Failed");
  assert.equal(unsafe?.status?.reason, "SysctlForbidden");
  await remove("huge");
  await remove("unsafe");
});

test("a pod that runs once succeeds or fails", { skip }, async () => {
  const restartPolicy = "Never";
  await node.run("good", { restartPolicy, containers: [shell("exit 0")] });
  await node.run("bad", { restartPolicy, containers: [shell("exit 1")] });
  await node.until("good", (pod) => pod?.status?.phase === "Succeeded");
  await node.until("bad", (pod) => pod?.status?.phase === "Failed");
  await remove("good");
  await remove("bad");
});

test("init containers run first and share volumes with the others", { skip }, async () => {
  const volumeMounts = [{ name: "shared", mountPath: "/shared" }];
  const init = shell("echo prepared > /shared/file", { name: "init", volumeMounts });
  const { image } = { image: "docker.io/library/busybox:test" };
  await node.run("staged", {
    volumes: [{ name: "shared", emptyDir: { medium: "Memory", sizeLimit: "1Mi" } }],
    initContainers: [{ image, ...init }],
    containers: [shell("cat /shared/file; sleep 1000", { volumeMounts })],
  });
  const pod = await node.until("staged", isRunning);
  assert.equal(pod?.status?.initContainerStatuses?.[0]?.state?.terminated?.reason, "Completed");
  assert.equal(await inside("staged", "cat /shared/file"), "prepared\n");
  await remove("staged");
});

test("settings reach the container as variables and files, and follow changes", {
  skip,
}, async () => {
  const { client } = node;
  const metadata = { name: "settings", namespace: "default" };
  await node.run("set", {
    volumes: [
      { name: "map", configMap: { name: "settings" } },
      { name: "secret", secret: { secretName: "settings", defaultMode: 0o400 } },
    ],
    containers: [
      shell("sleep 1000", {
        env: [{ name: "NODE", valueFrom: { fieldRef: { fieldPath: "spec.nodeName" } } }],
        envFrom: [{ configMapRef: { name: "settings" } }],
        volumeMounts: [
          { name: "map", mountPath: "/map" },
          { name: "secret", mountPath: "/secret" },
        ],
      }),
    ],
  });
  await client.for(SECRETS).create({ metadata, data: { key: "aHVzaA==" } });
  await client.for(CONFIG_MAPS).create({ metadata, data: { COLOR: "blue" } });
  await node.until("set", isRunning);
  assert.equal(await inside("set", "echo $NODE $COLOR"), "node-1 blue\n");
  assert.equal(await inside("set", "cat /map/COLOR /secret/key"), "bluehush");
  await client.for(CONFIG_MAPS).patch(metadata, { data: { COLOR: "red" } });
  let seen = "";
  for (let i = 0; i < 100 && seen !== "red"; i++) seen = await inside("set", "cat /map/COLOR");
  assert.equal(seen, "red");
  await remove("set");
});

test("a claimed volume outlives its pod, and its data goes with its claim", { skip }, async () => {
  const claims = node.client.for(PERSISTENT_VOLUME_CLAIMS);
  const volumes = node.client.for(PERSISTENT_VOLUMES);
  const spec = { accessModes: ["ReadWriteOnce" as const], storageClassName: "nephos-local" };
  const status = { subresource: "status" } as const;
  const claim = await claims.create({
    metadata: { name: "data", namespace: "default" },
    spec: { ...spec, resources: { requests: { storage: "1Mi" } } },
  });
  const volumeMounts = [{ name: "data", mountPath: "/data" }];
  const pod = (script: string) => ({
    securityContext: { fsGroup: 2000, runAsUser: 1000 },
    volumes: [{ name: "data", persistentVolumeClaim: { claimName: "data" } }],
    containers: [shell(script, { volumeMounts })],
  });
  await node.run("claims", pod("echo kept > /data/file; ls -ln /data; sleep 1000"));
  const { uid = "" } = claim.metadata ?? {};
  await volumes.create({
    metadata: { name: "vol" },
    spec: {
      ...spec,
      capacity: { storage: "1Mi" },
      persistentVolumeReclaimPolicy: "Delete",
      csi: { driver: "local.nephos.dev", volumeHandle: "vol" },
      claimRef: { name: "data", namespace: "default", uid },
    },
  });
  await claims.patch({ namespace: "default", name: "data" }, { spec: { volumeName: "vol" } });
  const bound = { status: { phase: "Bound" } };
  await claims.patch({ namespace: "default", name: "data" }, bound, status);
  await node.until("claims", isRunning); // without a wait for its back-off
  await remove("claims");
  await node.run("claims", pod("cat /data/file; ls -ln /data; sleep 1000"));
  await node.until("claims", isRunning);
  assert.match(await inside("claims", "cat /data/file; ls -ln /data"), /^kept\n[^]* 1000 +2000 /);
  await remove("claims");
  const directory = path.join(node.directory, "state/volumes/vol");
  assert.ok(existsSync(path.join(directory, "file")));
  await volumes.delete({ name: "vol" });
  await eventually("the data is gone", () => !existsSync(directory));
  await eventually("the volume is gone", async () => (await volumes.list()).items.length === 0);
  await claims.delete({ namespace: "default", name: "data" });
});

test("probes decide on readiness and restart what hangs", { skip }, async () => {
  const probe = (file: string) => ({ exec: { command: ["test", "-e", file] }, periodSeconds: 1 });
  const container = shell("touch /tmp/alive; sleep 1000", {
    readinessProbe: probe("/tmp/ready"),
    livenessProbe: { ...probe("/tmp/alive"), failureThreshold: 1, initialDelaySeconds: 1 },
  });
  await node.run("probed", { containers: [container] });
  assert.equal(appOf(await node.until("probed", isRunning))?.ready, false);
  await inside("probed", "touch /tmp/ready");
  await node.until("probed", isReady);
  await inside("probed", "busybox rm /tmp/alive");
  const pod = await node.until("probed", (seen) => appOf(seen)?.restartCount === 1);
  assert.equal(appOf(pod)?.ready, false);
  await remove("probed");
});

test("a command that is not in the image, and an image that is nowhere, are named", {
  skip,
}, async () => {
  await node.run("nocommand", { containers: [{ name: "app", command: ["/no/such"] }] });
  await node.run("noimage", {
    containers: [{ name: "app", image: "nowhere:1", imagePullPolicy: "IfNotPresent" }],
  });
  const lost = await node.until("nocommand", (pod) => !!appOf(pod)?.lastState?.terminated);
  assert.equal(appOf(lost)?.lastState?.terminated?.reason, "ContainerCannotRun");
  await node.until("noimage", (pod) => appOf(pod)?.state?.waiting?.reason === "ErrImagePull");
  await remove("nocommand");
  await remove("noimage");
});

test("a new agent adopts a running container and learns how another one ended", {
  skip,
}, async () => {
  await node.run("kept", { containers: [shell("sleep 1000")] });
  await node.run("ends", { restartPolicy: "Never", containers: [shell("sleep 0.3; exit 7")] });
  const before = await node.until("kept", isRunning);
  await node.until("ends", isRunning);
  const pidOf = () => node.runtime().containers(before?.metadata?.uid)[0]?.pid;
  const pid = pidOf();
  await node.restartAgent();
  const ended = await node.until("ends", (pod) => pod?.status?.phase === "Failed");
  assert.equal(appOf(ended)?.state?.terminated?.exitCode, 7);
  assert.equal(pidOf(), pid);
  const kept = await node.client.for(PODS).get({ namespace: "default", name: "kept" });
  assert.deepEqual(kept.status, before?.status);
  assert.ok(existsSync(`/proc/${pid}`));
  await remove("kept");
  await remove("ends");
});

test("a static pod runs as its file says, and is only shown in the API", { skip }, async () => {
  const file = path.join(node.directory, "manifests/fixed.yaml");
  const manifest = (text: string) =>
    `{apiVersion: v1, kind: Pod, metadata: {name: fixed}, spec: {terminationGracePeriodSeconds: 0,
      containers: [{name: app, image: "${BUSYBOX}", command: [sh, -c, "echo ${text}; sleep 1000"]}]}}`;
  writeFileSync(file, manifest("first"));
  const name = "fixed-node-1";
  const first = await node.until(name, isRunning);
  await node.client.for(PODS).delete({ namespace: "default", name });
  const again = await node.until(
    name,
    (pod) => isRunning(pod) && pod?.metadata?.uid !== first?.metadata?.uid,
  );
  assert.equal(appOf(again)?.containerID, appOf(first)?.containerID);
  await node.restartAgent();
  assert.match(await logOf(name), /^first\n$/);
  writeFileSync(file, manifest("second"));
  await eventually("the changed pod", async () => (await logOf(name)) === "second\n");
  rmSync(file);
  await node.until(name, (pod) => pod === undefined);
});

test("many pods at once all run", { skip }, async () => {
  const names = Array.from({ length: 20 }, (_, at) => `many-${at}`);
  await Promise.all(names.map((name) => node.run(name, { containers: [shell("sleep 1000")] })));
  await Promise.all(names.map((name) => node.until(name, isRunning)));
  await Promise.all(names.map(remove));
  assert.ok(readdirSync(path.join(node.directory, "runtime/containers")).length <= 2);
});

test("the benchmark of a node still runs", { skip }, async () => {
  const figures = await benchNode({
    client: node.client,
    image: BUSYBOX,
    nodeName: "node-1",
    pods: 3,
    removals: 2,
    failures: 1,
    idleSeconds: 0,
    pid: undefined,
    patienceMs: 30_000,
  });
  for (const name of ["allRunningMs", "goneP50Ms"] as const) assert.ok(figures[name] > 0, name);
  assert.ok(figures.livenessRestartMs >= 0);
});

test("what hangs is told, held up nothing else, and is used when it answers", {
  skip,
}, async () => {
  const expected = /"far" : the file system that is mounted at "\S+\/far" .* does not answer: /;
  await eventually("the reason", async () =>
    (await failedMounts("far-after")).some((text) => expected.test(text)),
  );
  await remove("far-before");
  await runFar("far-never");
  await remove("far-never");
  await stalling?.answer();
  await node.until("far-after", isRunning);
  await stalling?.stall();
  await remove("far-after");
  await stalling?.[Symbol.asyncDispose]();
});

test("what was beyond its limit was evicted meanwhile", { skip }, async () => {
  const pod = await node.until("filler", (seen) => seen?.status?.phase === "Failed");
  assert.equal(pod?.status?.reason, "Evicted");
  assert.match(pod.status.message ?? "", /EmptyDir volume "cache" exceeds the limit "64Ki"/);
  // It is the pod that is at fault.
  assert.ok(!pod.status.conditions?.some(({ type }) => type === "DisruptionTarget"));
  await remove("filler");
});

test("a long log was rotated meanwhile, and reads as one", { skip }, async () => {
  const { metadata } = await node.client.for(PODS).get({ namespace: "default", name: "chatty" });
  const folder = path.join(node.directory, "state/logs", `default_chatty_${metadata?.uid}`, "app");
  await eventually("the log is rotated", () => readdirSync(folder).length === 2);
  await inside("chatty", "echo after > /proc/1/fd/1");
  const whole = [...Array.from({ length: LINES }, (_, at) => `line ${at}`), "after", ""];
  await eventually("the new line is in the log", async () =>
    (await logOf("chatty")).endsWith("after\n"),
  );
  assert.deepEqual((await logOf("chatty")).split("\n"), whole);
  const stop = new AbortController();
  const target = { namespace: "default", name: "chatty", container: "app" };
  const options = { follow: true, tailLines: 1 };
  const following = await node.agent().streams.logs(target, options, stop.signal);
  let followed = "";
  following.on("data", (text) => (followed += String(text)));
  const before = readdirSync(folder);
  await inside("chatty", "for i in $(seq 2000); do echo more $i; done > /proc/1/fd/1");
  await eventually("the log is rotated again", () =>
    readdirSync(folder).some((name) => !before.includes(name)),
  );
  await inside("chatty", "echo end > /proc/1/fd/1");
  await eventually("the end is followed", () => followed.endsWith("end\n"));
  const more = Array.from({ length: 2000 }, (_, at) => `more ${at + 1}`);
  assert.deepEqual(followed.split("\n"), ["after", ...more, "end", ""]);
  stop.abort();
  await remove("chatty");
  for (const left of ["state/pods", "state/logs", "runtime/containers", "runtime/sandboxes"]) {
    assert.deepEqual(readdirSync(path.join(node.directory, left)), [], left);
  }
});
