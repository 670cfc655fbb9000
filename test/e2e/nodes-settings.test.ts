import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import type { Pod } from "../../src/api/generated/types/core-v1.ts";
import { eventually } from "./eventually.ts";
import { askHttp } from "./http-answer.ts";
import {
  type InstanceUnderTest,
  outcomeOf,
  prepareInstance,
  startInstance,
} from "./instance-under-test.ts";
import { PEER_PORT, type Peers, preparePeers } from "./peers.ts";

const skip = process.getuid?.() === 0 ? false : "needs root";
const NEPHOS = path.resolve(import.meta.dirname, "../../../bin/nephos");

async function nodesOf(instance: InstanceUnderTest): Promise<{ name: string; ip: string }[]> {
  const template = "{range .items[*]}{.metadata.name} {.status.addresses[0].address}\n{end}";
  const lines = await instance.ok("get", "nodes", "-o", `jsonpath=${template}`);
  return lines
    .trim()
    .split("\n")
    .map((line) => {
      const [name = "", ip = ""] = line.split(" ");
      return { name, ip };
    });
}

async function containerOf(instance: InstanceUnderTest, name: string): Promise<string> {
  const pod = JSON.parse(await instance.ok("get", "pod", name, "-o", "json")) as Pod;
  const container = pod.status?.containerStatuses?.[0];
  return `${container?.containerID} ${container?.restartCount}`;
}

/** A NodePort Service of every peer; `port` is the same on each node. */
async function publish(instance: InstanceUnderTest, nodePort: number): Promise<string> {
  const spec = {
    type: "NodePort",
    selector: { peer: "yes" },
    ports: [{ port: 80, targetPort: PEER_PORT, nodePort }],
  };
  const manifest = { apiVersion: "v1", kind: "Service", metadata: { name: "peers" }, spec };
  const { code, stderr } = await instance.kubectlWith(JSON.stringify(manifest), "apply", "-f", "-");
  assert.equal(code, 0, stderr);
  return await instance.ok("get", "service", "peers", "-o", "jsonpath={.spec.clusterIP}");
}

/** The cluster works: a Service by every way to it, its name, the API, exec and logs. */
async function assertWhole(
  instance: InstanceUnderTest,
  of: { peers: Peers; names: readonly string[]; nodePort: number; domain: string },
): Promise<void> {
  const { peers, names, nodePort, domain } = of;
  const isPeer = async (url: string) => names.includes((await askHttp(url)).body);
  for (const { ip } of await nodesOf(instance)) {
    await eventually(`port ${nodePort} of ${ip}`, () => isPeer(`http://${ip}:${nodePort}`));
  }
  for (const name of names) {
    const ip = await peers.address(name);
    const url = `http://peers.default.svc.${domain}`;
    await eventually(url, async () => {
      const text = await peers.ask(ip, "get", { url });
      if (!names.includes(text)) throw new Error(`${name} got ${text}`);
      return true;
    });
    // An answer at all: the certificate names this domain.
    const script = `fetch("https://kubernetes.default.svc.${domain}/healthz").then(
      (r) => console.log(r.status), (e) => console.log(e.cause))`;
    const authority = "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt";
    const command = ["env", `NODE_EXTRA_CA_CERTS=${authority}`, "node", "-e", script];
    assert.equal(await instance.ok("exec", name, "--", ...command), "200\n");
    await instance.ok("logs", name);
  }
}

test("two instances with ranges and ports of their own do not disturb each other", {
  skip,
}, async () => {
  const ranges = ["--cluster-cidr", "10.200.0.0/16", "--service-cidr", "10.201.0.0/20"];
  const other = ["--nodes", "2", "--listen", "127.0.0.1:7443", "--cluster-domain", "other.example"];

  const labels = { peer: "yes" };
  await using second = await startInstance(...other, ...ranges);
  const peersOfSecond = await preparePeers(second);
  const [, further] = await nodesOf(second);
  const addresses = await peersOfSecond.run(
    peersOfSecond.manifest("x", { labels }),
    peersOfSecond.manifest("y", { labels, node: further?.name ?? "" }),
  );
  assert.ok([...addresses.values()].every((ip) => ip.startsWith("10.200.")));
  assert.match(await publish(second, 31_002), /^10\.201\./);
  const whole = {
    peers: peersOfSecond,
    names: ["x", "y"],
    nodePort: 31_002,
    domain: "other.example",
  };
  {
    await using first = await startInstance();
    const peers = await preparePeers(first);
    await peers.run(peers.manifest("a", { labels }));
    assert.match(await publish(first, 31_001), /^10\.96\./);
    const domain = "cluster.local";
    await assertWhole(first, { peers, names: ["a"], nodePort: 31_001, domain });
    await assertWhole(second, whole);
  }
  // The first one is purged by now.
  await assertWhole(second, whole);

  assert.equal((await second.nephos("down")).code, 0);
  const refused = await second.nephos("up", "--detach", "--cluster-cidr", "10.202.0.0/16");
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /Cannot change --cluster-cidr from "10\.200\.0\.0\/16"/);
  const file = path.join(second.dataDirectory, "agents.yaml");
  writeFileSync(file, AGENTS);
  const grace = ["--node-monitor-grace-period", "12s", "--agent-config", file];
  const restarted = await second.nephos("up", "--detach", ...grace);
  assert.equal(restarted.code, 0, restarted.stderr);
  await assertWhole(second, whole);
  await assertSilenceIsSurvived(second, { peers: peersOfSecond, node: further?.name ?? "" });
});

const AGENTS = `apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
nodeLeaseDurationSeconds: 8
`;

/** An agent that is stopped without being killed: its pods leave, and it comes back. */
async function assertSilenceIsSurvived(
  instance: InstanceUnderTest,
  { peers, node }: { peers: Peers; node: string },
): Promise<void> {
  const { processes } = JSON.parse((await instance.nephos("status", "-o", "json")).stdout) as {
    processes: { role: string; node?: string; pid: number }[];
  };
  const agent = processes.find((one) => one.role === "agent" && one.node === node)?.pid ?? 0;
  assert.ok(agent > 0);
  const key = "node.kubernetes.io/unreachable";
  const toleration = {
    key,
    operator: "Exists",
    effect: "NoExecute",
    tolerationSeconds: 1,
  } as const;
  const hasty = peers.manifest("hasty", { node });
  await peers.run({ ...hasty, spec: { containers: [], ...hasty.spec, tolerations: [toleration] } });
  const nodeIs = (jsonpath: string) =>
    instance.ok("get", "node", node, "-o", `jsonpath=${jsonpath}`);
  const ready = () => nodeIs('{.status.conditions[?(@.type=="Ready")].status}');
  const taints = () => nodeIs("{.spec.taints[*].key} {.spec.taints[*].effect}");
  const leaving = (name: string) =>
    instance.ok("get", "pod", name, "-o", "jsonpath={.metadata.deletionTimestamp}");
  process.kill(agent, "SIGSTOP");
  try {
    await eventually("a node that nobody hears of", async () => (await ready()) === "Unknown");
    await eventually("its taints", async () => (await taints()) === LOST_TAINTS);
    await eventually("a pod that leaves", () => leaving("hasty"));
    assert.equal(await leaving("y"), "", "who is patient stays");
    const isReady = 'jsonpath={.status.conditions[?(@.type=="Ready")].status}';
    assert.equal(await instance.ok("get", "pod", "y", "-o", isReady), "False");
  } finally {
    process.kill(agent, "SIGCONT");
  }
  await eventually("the node again", async () => (await ready()) === "True");
  await eventually("no taints", async () => (await taints()) === " ");
  await instance.ok("wait", "--for=delete", "pod/hasty", "--timeout=30s");
  await instance.ok("wait", "--for=condition=Ready", "pod/y", "--timeout=30s");
}

const LOST = "node.kubernetes.io/unreachable";
const LOST_TAINTS = `${LOST} ${LOST} NoSchedule NoExecute`;

test("a machine that gets another address keeps its pods and is reached at the new one", {
  skip,
}, async () => {
  const ip = (...args: string[]) => execFileSync("ip", args);
  const labels = { peer: "yes" };
  await using instance = await startInstance("--nodes", "2");
  const peers = await preparePeers(instance);
  const [first, second] = await nodesOf(instance);
  await peers.run(
    peers.manifest("a", { labels, node: first?.name ?? "" }),
    peers.manifest("b", { labels, node: second?.name ?? "" }),
  );
  await publish(instance, 31_003);
  const whole = { peers, names: ["a", "b"], nodePort: 31_003, domain: "cluster.local" };
  await assertWhole(instance, whole);
  const before = [await containerOf(instance, "a"), await containerOf(instance, "b")];

  assert.equal((await instance.nephos("down")).code, 0);
  try {
    ip("address", "del", "192.0.2.2/24", "dev", "lan0");
    ip("address", "add", "192.0.2.77/24", "dev", "lan0");
    ip("route", "replace", "default", "via", "192.0.2.1", "dev", "lan0");
    const restarted = await instance.nephos("up", "--detach");
    assert.equal(restarted.code, 0, restarted.stderr);
    assert.deepEqual(await nodesOf(instance), [{ ...first, ip: "192.0.2.77" }, second]);
    await assertWhole(instance, whole);
    assert.deepEqual([await containerOf(instance, "a"), await containerOf(instance, "b")], before);
  } finally {
    ip("address", "flush", "dev", "lan0");
    ip("address", "add", "192.0.2.2/24", "dev", "lan0");
    ip("route", "replace", "default", "via", "192.0.2.1", "dev", "lan0");
  }
});

test("a node has a valid name whatever the machine is called, and keeps it", { skip }, async () => {
  await using instance = prepareInstance();
  const { dataDirectory } = instance;
  const up = (hostname: string) => {
    const script = 'printf %s "$0" > /proc/sys/kernel/hostname && exec "$@"';
    const command = [NEPHOS, "up", "--detach", "--data-dir", dataDirectory];
    return outcomeOf("unshare", ["--uts", "sh", "-c", script, hostname, ...command]);
  };
  const started = await up("My_Höst..-");
  assert.equal(started.code, 0, started.stderr);
  const [node] = await nodesOf(instance);
  assert.match(node?.name ?? "", /^my-h-+st$/);
  const peers = await preparePeers(instance);
  await peers.run(peers.manifest("a"));
  assert.equal(await instance.ok("exec", "a", "--", "hostname"), "a\n");

  assert.equal((await instance.nephos("down")).code, 0);
  assert.equal((await up("renamed")).code, 0);
  assert.deepEqual(await nodesOf(instance), [node]);
});
