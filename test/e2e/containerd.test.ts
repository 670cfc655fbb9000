// A node whose pods are run by Debian's containerd: `nephos up --container-runtime-endpoint`.
import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import {
  CONTAINERD_IMAGE,
  type ContainerdUnderTest,
  startContainerd,
  withoutContainerd,
} from "./containerd-under-test.ts";
import { openProcess } from "../../src/sys/process.ts";
import { busyboxArchive } from "./busybox-image.ts";
import { startDockerRegistry, withoutDockerRegistry } from "./docker-registry.ts";
import { eventually } from "./eventually.ts";
import { type InstanceUnderTest, startInstance } from "./instance-under-test.ts";

const skip = withoutContainerd();
const noRegistry = skip || withoutDockerRegistry();

let containerd: ContainerdUnderTest;
let instance: InstanceUnderTest;

before(async () => {
  if (skip) return;
  containerd = await startContainerd();
  instance = await startInstance(
    `--container-runtime-endpoint=${containerd.endpoint}`,
    "--pod-security=privileged",
  );
});
after(async () => {
  await instance?.[Symbol.asyncDispose]();
  if (!containerd) return;
  assert.deepEqual(containerd.leftovers(), []);
  const of = (folder: string) => readdirSync(path.join(containerd.directory, folder));
  assert.deepEqual([of("networks"), of("plugins")], [[], ["loopback"]]);
  await containerd[Symbol.asyncDispose]();
});

const kubectl = (...args: string[]) => instance.ok(...args);
const field = (pod: string, of: string) => kubectl("get", "pod", pod, `--output=jsonpath={${of}}`);

async function create(name: string, spec: object): Promise<void> {
  const pod = { apiVersion: "v1", kind: "Pod", metadata: { name }, spec };
  const { code, stderr } = await instance.kubectlWith(JSON.stringify(pod), "create", "-f", "-");
  assert.equal(code, 0, stderr);
}

/** PIDs of everything that runs for a pod, what holds its sandbox included. */
function processesOf(uid: string): number[] {
  return readdirSync("/proc").flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      return readFileSync(`/proc/${name}/cgroup`, "utf8").includes(`/pod${uid}/`)
        ? [Number(name)]
        : [];
    } catch {
      return []; // it has just ended
    }
  });
}

const container = (name: string, script: string, more: object = {}) => ({
  name,
  image: CONTAINERD_IMAGE,
  command: ["sh", "-c", script],
  ...more,
});

const SERVE = "echo started; echo page > /data/index.html; exec httpd -f -p 8080 -h /data";

test("a pod has its network, volumes, probes and streams", { skip }, async () => {
  const [version, handlers] = await Promise.all([
    kubectl("get", "node", "--output=jsonpath={.items[0].status.nodeInfo.containerRuntimeVersion}"),
    kubectl("get", "node", "--output=jsonpath={.items[0].status.runtimeHandlers[*].name}"),
  ]);
  assert.match(version, /^containerd:\/\/1\.6/);
  assert.match(handlers, /runc/);
  await kubectl("create", "configmap", "settings", "--from-literal=colour=blue");
  const data = { name: "data", mountPath: "/data" };
  await create("web", {
    terminationGracePeriodSeconds: 1,
    initContainers: [container("first", "echo made > /data/init", { volumeMounts: [data] })],
    containers: [
      container("web", SERVE, {
        volumeMounts: [data, { name: "settings", mountPath: "/settings", readOnly: true }],
        env: [{ name: "POD_IP", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } }],
        readinessProbe: { httpGet: { path: "/", port: 8080 }, periodSeconds: 1 },
        livenessProbe: {
          exec: { command: ["test", "!", "-e", "/tmp/broken"] },
          periodSeconds: 1,
          failureThreshold: 1,
        },
        resources: { limits: { memory: "64Mi" } },
      }),
      container("beside", "trap 'exit 0' TERM; while :; do sleep 1; done"),
    ],
    volumes: [
      { name: "data", emptyDir: {} },
      { name: "settings", configMap: { name: "settings" } },
    ],
  });
  await create("of-the-node", {
    hostNetwork: true,
    hostPID: true,
    hostIPC: true,
    terminationGracePeriodSeconds: 0,
    containers: [container("main", "exec sleep 1000", { securityContext: { privileged: true } })],
  });
  await kubectl("wait", "pod", "web", "of-the-node", "--for=condition=Ready", "--timeout=60s");
  const seen = await kubectl("exec", "of-the-node", "--", "sh", "-c", "ip address; ps; hostname");
  for (const words of [/ lan0/, /containerd-shim/, new RegExp(`^${hostname()}$`, "m")]) {
    assert.match(seen, words);
  }
  assert.equal(await kubectl("logs", "web", "-c", "web"), "started\n");
  const inside = (...command: string[]) => kubectl("exec", "web", "-c", "web", "--", ...command);
  assert.equal(await inside("cat", "/data/init", "/settings/colour"), "made\nblue");
  const ip = await field("web", ".status.podIP");
  assert.match(await inside("ip", "address"), new RegExp(`inet ${ip.replaceAll(".", "\\.")}/32`));
  assert.equal(await inside("sh", "-c", "echo $POD_IP"), `${ip}\n`);
  assert.equal(
    await kubectl("exec", "web", "-c", "beside", "--", "wget", "-qO-", `${ip}:8080`),
    "page\n",
  );
  assert.equal(await fetch(`http://${ip}:8080`).then((answer) => answer.text()), "page\n");
  const echoed = await instance.kubectlWith(
    "both ways",
    "exec",
    "-i",
    "web",
    "-c",
    "web",
    "--",
    "cat",
  );
  assert.deepEqual([echoed.code, echoed.stdout], [0, "both ways"]);
  const failed = await instance.kubectl("exec", "web", "-c", "web", "--", "sh", "-c", "exit 7");
  assert.equal(failed.code, 7, failed.stderr);
  await inside("touch", "/tmp/broken");
  await eventually("the liveness probe restarts the container", async () => {
    return (await field("web", ".status.containerStatuses[?(@.name=='web')].restartCount")) === "1";
  });
  const counts = ".status.containerStatuses[?(@.name=='beside')].restartCount";
  assert.equal(await field("web", counts), "0");
});

test("what cannot be had is said in the pod's words", { skip }, async () => {
  const events = (pod: string) =>
    kubectl(
      "get",
      "events",
      `--field-selector=involvedObject.name=${pod}`,
      "--output=jsonpath={.items[*].message}",
    );
  const one = container("main", "sleep 1000");
  await create("absent", { containers: [{ ...one, image: "127.0.0.1:1/absent:1" }] });
  await create("own-users", { containers: [one], hostUsers: false });
  const kata = {
    apiVersion: "node.k8s.io/v1",
    kind: "RuntimeClass",
    metadata: { name: "kata" },
    handler: "kata",
  };
  await instance.kubectlWith(JSON.stringify(kata), "create", "-f", "-");
  await create("virtual", { containers: [one], runtimeClassName: "kata" });
  const says = (pod: string, words: RegExp) =>
    eventually(`${pod} says ${words}`, async () => words.test(await events(pod)));
  await says("absent", /127\.0\.0\.1:1\/absent.*"nephos image import"/);
  await says("own-users", /containerd 1\.6\S* has no user namespaces/);
  await says("virtual", /no runtime for "kata" is configured in containerd: .* runc/);
  await kubectl("delete", "pod", "absent", "own-users", "virtual", "--now");
});

test("a kill of the agent, and one of containerd, ends no container", { skip }, async () => {
  const log = "i=0; while :; do echo $i; i=$((i+1)); sleep 0.1; done";
  await create("steady", { containers: [container("main", log)] });
  const ends = "until [ -e /data/end ]; do sleep 0.1; done; exit 3";
  const [data] = [{ name: "data", mountPath: "/data" }];
  const onNode = path.join(containerd.directory, "shared");
  await create("ending", {
    containers: [container("main", ends, { volumeMounts: [data] })],
    volumes: [{ name: "data", hostPath: { path: onNode, type: "DirectoryOrCreate" } }],
    restartPolicy: "Never",
  });
  await kubectl("wait", "pod", "steady", "ending", "--for=condition=Ready", "--timeout=60s");
  const before = await field("steady", ".status.containerStatuses[0].containerID");
  process.kill(instance.pid(), "SIGKILL");
  writeFileSync(path.join(onNode, "end"), "");
  await containerd.restart();
  const { code, stderr } = await instance.nephos("up", "--detach");
  assert.equal(code, 0, stderr);
  await eventually("the exit that nobody saw is known", async () => {
    const state = ".status.containerStatuses[0].state.terminated.exitCode";
    return (await field("ending", state)) === "3";
  });
  assert.equal(await field("steady", ".status.containerStatuses[0].containerID"), before);
  assert.equal(await field("steady", ".status.containerStatuses[0].restartCount"), "0");
  const lines = (await kubectl("logs", "steady")).trimEnd().split("\n").map(Number);
  assert.deepEqual(lines, Array.from(lines.keys()));
  const alive = await kubectl("exec", "steady", "--", "echo", "alive");
  assert.equal(alive, "alive\n");
});

test("a sandbox that has died is followed by another one, as after a reboot", {
  skip,
}, async () => {
  const uid = await field("steady", ".metadata.uid");
  const ip = await field("steady", ".status.podIP");
  for (const pid of processesOf(uid)) {
    using running = openProcess(pid);
    running?.signal("SIGKILL");
  }
  await eventually("the container runs again", async () => {
    return (await field("steady", ".status.containerStatuses[0].restartCount")) === "1";
  });
  await kubectl("wait", "pod", "steady", "--for=condition=Ready", "--timeout=60s");
  const address = await kubectl("exec", "steady", "--", "ip", "address");
  assert.ok(address.includes(`inet ${ip}/32`), address);
});

test("containerd pulls images, with the secrets of the pod", { skip: noRegistry }, async () => {
  await using registry = await startDockerRegistry({ port: 5003, user: "me" });
  const archive = path.join(containerd.directory, "pulled.tar");
  writeFileSync(archive, busyboxArchive({ name: "pulled:1", entries: [] }));
  await registry.push(archive, "pulled:1");
  const login = ["--docker-username=me", "--docker-password=secret"];
  const server = `--docker-server=${registry.host}`;
  await kubectl("create", "secret", "docker-registry", "registry", server, ...login);
  const image = `${registry.host}/pulled:1`;
  await create("pulled", {
    terminationGracePeriodSeconds: 0,
    containers: [{ name: "main", image }],
    imagePullSecrets: [{ name: "registry" }],
  });
  await kubectl("wait", "pod", "pulled", "--for=condition=Ready", "--timeout=60s");
  assert.match(await field("pulled", ".status.containerStatuses[0].imageID"), /pulled@sha256:/);
});

test("pods that are deleted leave nothing", { skip }, async () => {
  await kubectl("delete", "pod", "--all", "--grace-period=1", "--timeout=60s");
  await eventually("nothing is left", () => {
    assert.deepEqual(containerd.leftovers(), []);
    return true;
  });
  const mounts = readFileSync("/proc/self/mounts", "utf8").split("\n");
  assert.deepEqual(
    mounts.filter(
      (line) => line.includes("/netns/cni-") || line.includes(`${containerd.directory}/state/`),
    ),
    [],
  );
});
