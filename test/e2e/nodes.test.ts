import assert from "node:assert/strict";
import { once } from "node:events";
import path from "node:path";
import { after, before, test } from "node:test";
import type { Node, Pod } from "../../src/api/generated/types/core-v1.ts";
import { eventually } from "./eventually.ts";
import { askHttp } from "./http-answer.ts";
import { type InstanceUnderTest, outcomeOf, startInstance } from "./instance-under-test.ts";
import { PEER_IMAGE, PEER_PORT, type Peers, preparePeers } from "./peers.ts";

const skip = process.getuid?.() === 0 ? false : "needs root";
let instance: InstanceUnderTest;
let peers: Peers;
/** Node names and addresses, the daemon's own first. */
let nodes: { name: string; ip: string }[];
/** Addresses of the peers "a" on the first node and "b" on the second. */
let a: string;
let b: string;

async function json<T>(...args: string[]): Promise<T> {
  return JSON.parse(await instance.ok(...args, "-o", "json")) as T;
}

async function apply(...items: object[]): Promise<void> {
  const text = JSON.stringify({ apiVersion: "v1", kind: "List", items });
  const { code, stderr } = await instance.kubectlWith(text, "apply", "-f", "-");
  assert.equal(code, 0, stderr);
}

function service(name: string, spec: object): object {
  return { apiVersion: "v1", kind: "Service", metadata: { name }, spec };
}

const isReady = ({ status }: Node) =>
  status?.conditions?.some(({ type, status: value }) => type === "Ready" && value === "True");

before(async () => {
  if (skip) return;
  instance = await startInstance("--nodes", "2", "--listen", "127.0.0.1:6443");
  peers = await preparePeers(instance);
  const { items } = await json<{ items: Node[] }>("get", "nodes");
  nodes = items.map(({ metadata, status }) => ({
    name: metadata?.name ?? "",
    ip: status?.addresses?.find(({ type }) => type === "InternalIP")?.address ?? "",
  }));
  assert.ok(items.every(isReady));
  const addresses = await peers.run(
    peers.manifest("a", { node: nodes[0]?.name ?? "" }),
    peers.manifest("b", { node: nodes[1]?.name ?? "" }),
  );
  a = addresses.get("a") ?? "";
  b = addresses.get("b") ?? "";
});
after(async () => {
  await instance?.[Symbol.asyncDispose]();
});

test("pods of two nodes reach each other under their own addresses", { skip }, async () => {
  for (const [from, to] of [
    [a, b],
    [b, a],
  ] as const) {
    assert.equal(await peers.ask(from, "get", { url: `http://${to}:${PEER_PORT}/client` }), from);
  }
});

test("Services answer on ClusterIP, name and every node's port, from both nodes", {
  skip,
}, async () => {
  for (const target of ["a", "b"]) {
    await apply(
      service(`to-${target}`, {
        type: "NodePort",
        selector: { app: target },
        ports: [{ port: 80, targetPort: PEER_PORT }],
      }),
    );
    const { spec } = await json<{ spec: { clusterIP: string; ports: { nodePort: number }[] } }>(
      "get",
      "service",
      `to-${target}`,
    );
    const port = spec.ports[0]?.nodePort ?? 0;
    const urls = [
      `http://${spec.clusterIP}`,
      `http://to-${target}`,
      `http://to-${target}.default.svc.cluster.local`,
      ...nodes.map(({ ip }) => `http://${ip}:${port}`),
    ];
    for (const from of [a, b]) {
      for (const url of urls) {
        await eventually(`${url} from ${from}`, async () => {
          const text = await peers.ask(from, "get", { url });
          if (text !== target) throw new Error(text);
          return true;
        });
      }
    }
    for (const { ip } of nodes) {
      assert.equal((await askHttp(`http://${ip}:${port}`)).body, target, `${ip} from the host`);
    }
    assert.equal((await askHttp(`http://127.0.0.1:${port}`)).body, target);
    assert.equal((await askHttp(`http://${spec.clusterIP}`)).body, target);
  }
});

test("the cluster DNS answers on both nodes", { skip }, async () => {
  for (const from of [a, b]) {
    const name = "kubernetes.default.svc.cluster.local";
    assert.equal(await peers.ask(from, "dns", { name }), '["10.96.0.1"]');
  }
});

test("pods reach the API with their token from both nodes", { skip }, async () => {
  const script = `
    const { readFileSync } = require("fs"), dir = "/var/run/secrets/kubernetes.io/serviceaccount/";
    const headers = { authorization: "Bearer " + readFileSync(dir + "token", "utf8") };
    for (const host of ["kubernetes.default.svc", "10.96.0.1"]) {
      require("https").get({ host, path: "/api/v1/namespaces/default/pods", headers, agent: false,
        ca: readFileSync(dir + "ca.crt") }, (r) => console.log(host, r.statusCode));
    }`;
  for (const pod of ["a", "b"]) {
    const lines = await instance.ok("exec", pod, "--", "node", "-e", script);
    // 403: known, but without a role.
    const wanted = ["10.96.0.1 403", "kubernetes.default.svc 403"];
    assert.deepEqual(lines.trim().split("\n").sort(), wanted);
  }
});

test("exec, logs and port-forward reach pods of both nodes", { skip }, async () => {
  for (const [at, name] of ["a", "b"].entries()) {
    assert.equal(await instance.ok("exec", name, "--", "hostname"), `${name}\n`);
    await instance.ok("exec", name, "--", "sh", "-c", `echo seen-${name} > /proc/1/fd/1`);
    await eventually(`the log of ${name}`, async () =>
      (await instance.ok("logs", name)).includes(`seen-${name}`),
    );
    const local = 18_080 + at;
    const forward = instance.start("port-forward", name, `${local}:${PEER_PORT}`);
    try {
      if (forward.stdout) await once(forward.stdout, "data");
      assert.equal((await askHttp(`http://127.0.0.1:${local}`)).body, name);
    } finally {
      forward.kill();
    }
  }
});

test("claims get a volume on the node of their pod, which outlives it but not them", {
  skip,
}, async () => {
  const claimOf = (name: string) => ({
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: { name },
    spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Mi" } } },
  });
  const podOf = (name: string, script: string) => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name },
    spec: {
      nodeSelector: { "kubernetes.io/hostname": nodes[Number(name.at(-1))]?.name },
      restartPolicy: "Never",
      terminationGracePeriodSeconds: 0,
      volumes: [{ name: "data", persistentVolumeClaim: { claimName: name } }],
      containers: [
        {
          name: "main",
          image: PEER_IMAGE,
          command: ["sh", "-c", script],
          volumeMounts: [{ name: "data", mountPath: "/data" }],
        },
      ],
    },
  });
  const names = ["data-0", "data-1"];
  const pods = names.map((name) => `pod/${name}`);
  const finished = ["--for=jsonpath={.status.phase}=Succeeded", "--timeout=30s"];
  await apply(...names.map(claimOf), ...names.map((name) => podOf(name, `echo ${name} > /data/f`)));
  await instance.ok("wait", ...pods, ...finished);
  await instance.ok("delete", ...pods, "--now");
  await apply(...names.map((name) => podOf(name, "cat /data/f")));
  await instance.ok("wait", ...pods, ...finished);
  for (const name of names) assert.equal(await instance.ok("logs", name), `${name}\n`);
  await instance.ok("delete", ...pods, "--now");
  await instance.ok("delete", "pvc", ...names, "--timeout=20s");
  await instance.ok("wait", "--for=delete", "pv", "--all", "--timeout=20s");
});

test("a drained node is emptied and takes pods again after uncordon", { skip }, async () => {
  const second = nodes[1]?.name ?? "";
  const labels = { app: "spread" };
  const { spec } = peers.manifest("spread", { labels });
  await apply({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "spread" },
    spec: {
      replicas: 4,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec },
    },
  });
  await instance.ok("rollout", "status", "deployment/spread", "--timeout=30s");
  const placement = async () => {
    const { items } = await json<{ items: Pod[] }>("get", "pods", "-l", "app=spread");
    const kept = items.filter(({ metadata }) => !metadata?.deletionTimestamp);
    return kept.filter((pod) => pod.spec?.nodeName === second).length;
  };
  assert.equal(await placement(), 2);

  await instance.ok("drain", second, "--ignore-daemonsets", "--force", "--timeout=30s");
  assert.equal(await placement(), 0);
  await instance.ok("rollout", "status", "deployment/spread", "--timeout=30s");
  const cordoned = await json<Node>("get", "node", second);
  assert.equal(cordoned.spec?.unschedulable, true);

  await instance.ok("uncordon", second);
  await instance.ok("delete", "pods", "-l", "app=spread", "--wait=false");
  await eventually("pods on both nodes again", async () => (await placement()) === 2);
  await instance.ok("delete", "deployment", "spread", "--wait=false");
  const restored = await peers.run(peers.manifest("b", { node: second }));
  b = restored.get("b") ?? "";
});

interface Status {
  running: boolean;
  nodes: { name: string; ip: string }[];
  processes: { role: string; node?: string; pid: number; alive: boolean; pssBytes?: number }[];
}

async function status(): Promise<Status> {
  return JSON.parse((await instance.nephos("status", "-o", "json")).stdout) as Status;
}

/** PID of the process of that role on the node with this index, once it is another than `not`. */
function pidOf(role: string, { index, not = 0 }: { index: number; not?: number }): Promise<number> {
  return eventually(`a ${role} on node ${index}`, async () => {
    const { processes } = await status();
    const found = processes.find(
      (process) => process.role === role && process.node === nodes[index]?.name && process.alive,
    );
    return found && found.pid !== not ? found.pid : undefined;
  });
}

/** Containers as the API has them: another ID or a restart means that one was not kept. */
async function containers(): Promise<string[]> {
  const { items } = await json<{ items: Pod[] }>("get", "pods", "a", "b");
  return items.map(({ status: seen }) => {
    const container = seen?.containerStatuses?.[0];
    return `${container?.containerID} ${container?.restartCount}`;
  });
}

/** Both peers answer, reach each other, and are the same as before. */
async function assertKept(before: readonly string[]): Promise<void> {
  for (const [from, to] of [
    [a, b],
    [b, a],
  ] as const) {
    assert.equal(await peers.ask(from, "get", { url: `http://${to}:${PEER_PORT}/client` }), from);
  }
  for (const name of ["a", "b"]) {
    assert.equal(await instance.ok("exec", name, "--", "hostname"), `${name}\n`);
  }
  assert.deepEqual(await containers(), before);
}

test("a node's own credentials show it nothing of the other node", { skip }, async () => {
  const kubeconfig = path.join(instance.dataDirectory, "nodes", "1", "kubeconfig");
  const as = (...args: string[]) => instance.kubectl(`--kubeconfig=${kubeconfig}`, ...args);
  const [first, second] = nodes.map(({ name }) => name);
  assert.equal((await as("get", "node", `${second}`, "-o", "name")).stdout, `node/${second}\n`);
  assert.match((await as("get", "node", `${first}`)).stderr, /only its own Node object/);
  assert.match((await as("get", "nodes")).stderr, /cannot read all nodes/);
  assert.match((await as("get", "pod", "a")).stderr, /no relationship found/);
  assert.match((await as("get", "endpointslices", "-A")).stderr, /Forbidden/i);
});

test("a ServiceAccount scrapes every node, and does no more than its role allows", {
  skip,
}, async () => {
  await instance.ok("create", "serviceaccount", "scraper");
  await instance.ok("create", "serviceaccount", "nobody");
  await instance.ok("create", "clusterrole", "scrape", "--verb=get", "--resource=nodes/metrics");
  const binding = ["clusterrolebinding", "scrape", "--clusterrole=scrape"];
  await instance.ok("create", ...binding, "--serviceaccount=default:scraper");
  const tokenOf = async (name: string) => (await instance.ok("create", "token", name)).trim();
  const [scraper, nobody] = [await tokenOf("scraper"), await tokenOf("nobody")];
  const { items } = await json<{ items: Node[] }>("get", "nodes");
  for (const { metadata, status } of items) {
    const ip = status?.addresses?.find(({ type }) => type === "InternalIP")?.address;
    const url = `https://${ip}:${status?.daemonEndpoints?.kubeletEndpoint?.Port}`;
    const ask = async (page: string, token?: string) => {
      const as = token ? ["-H", `Authorization: Bearer ${token}`] : [];
      const flags = ["-sk", "-m", "10", "-w", "\n%{http_code}", ...as];
      return (await outcomeOf("curl", [...flags, url + page])).stdout;
    };
    assert.match(await ask("/metrics/cadvisor", scraper), /^container_cpu_usage.*\n200$/ms);
    assert.match(await ask("/metrics/cadvisor"), /Unauthorized.*\n401$/s, metadata?.name);
    assert.match(await ask("/metrics", `${scraper}x`), /\n401$/);
    const words = "user=system:serviceaccount:default:nobody, verb=get, resource=nodes";
    const refused = await ask("/stats/summary", nobody);
    assert.match(refused, /\n403$/);
    assert.ok(refused.includes(`Forbidden (${words}, subresource=stats)`), refused);
    assert.match(await ask("/pods", scraper), /subresource=proxy.*\n403$/s);
  }
});

test("status tells of every process and node", { skip }, async () => {
  const report = await status();
  assert.equal(report.running, true);
  assert.deepEqual(report.nodes, nodes);
  const roles = report.processes.map(({ role, node = "" }) => `${role} ${node}`).sort();
  const [first, second] = nodes.map(({ name }) => name);
  assert.deepEqual(roles, [`agent ${second}`, "nephos ", `proxy ${first}`, `proxy ${second}`]);
  assert.ok(report.processes.every(({ alive, pssBytes = 0 }) => alive && pssBytes > 1_000_000));
});

test("an agent that is killed is started again and keeps its pods", { skip }, async () => {
  const before = await containers();
  const old = await pidOf("agent", { index: 1 });
  process.kill(old, "SIGKILL");
  await pidOf("agent", { index: 1, not: old });
  await eventually("exec in b", () => instance.ok("exec", "b", "--", "hostname"));
  await assertKept(before);
  assert.equal((await peers.run(peers.manifest("c", { node: nodes[1]?.name ?? "" }))).size, 1);
  await instance.ok("delete", "pod", "c");
});

test("a proxy that is killed is started again", { skip }, async () => {
  for (const [index, from] of [a, b].entries()) {
    const old = await pidOf("proxy", { index });
    process.kill(old, "SIGKILL");
    await pidOf("proxy", { index, not: old });
    await eventually("an answer of the cluster DNS", async () => {
      const name = "kubernetes.default.svc.cluster.local";
      return (await peers.ask(from, "dns", { name })) === '["10.96.0.1"]';
    });
  }
});

test("a daemon that is killed finds everything again", { skip }, async () => {
  const before = await containers();
  const others = async () =>
    (await status()).processes
      .filter(({ role }) => role !== "nephos")
      .map(({ role, node, pid }) => `${role} ${node} ${pid}`)
      .sort();
  const kept = await others();
  process.kill(instance.pid(), "SIGKILL");
  await eventually("the end of the daemon", async () => !(await status()).running);
  const restarted = await instance.nephos("up", "--detach", "--nodes", "2");
  assert.equal(restarted.code, 0, restarted.stderr);
  assert.deepEqual(await others(), kept);
  await assertKept(before);

  // They are not the children of this daemon, and yet it must notice.
  const agent = await pidOf("agent", { index: 1 });
  process.kill(agent, "SIGKILL");
  await pidOf("agent", { index: 1, not: agent });
  await eventually("exec in b", () => instance.ok("exec", "b", "--", "hostname"));
  await assertKept(before);
});

test("down and up keep the pods of all nodes running", { skip }, async () => {
  const before = await containers();
  assert.equal((await instance.nephos("down")).code, 0);
  const stopped = await status();
  assert.deepEqual(
    stopped.processes.filter(({ alive }) => alive),
    [],
  );
  assert.equal(await peers.ask(a, "get", { url: `http://${b}:${PEER_PORT}/client` }), a);
  const restarted = await instance.nephos("up", "--detach", "--nodes", "2");
  assert.equal(restarted.code, 0, restarted.stderr);
  await assertKept(before);

  const running = instance.pid();
  const again = await instance.nephos("up", "--detach", "--nodes", "2");
  assert.match(again.stdout, /already runs/);
  assert.equal(instance.pid(), running);
});
