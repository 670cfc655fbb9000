// kill -9 of the daemon, at rest and in the middle of work: nothing stops serving, nothing
// acknowledged is lost, and `nephos up` takes over what it finds.
import assert from "node:assert/strict";
import { Resolver } from "node:dns/promises";
import { readFileSync } from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { CONFIG_MAPS } from "../../src/api/generated/resources.ts";
import { createHttpsTransport } from "../../src/client/https-transport.ts";
import { loadKubeconfig } from "../../src/client/kubeconfig.ts";
import { createClient } from "../../src/client/resource-client.ts";
import { containerPids } from "./container-process.ts";
import { importImages } from "./demo-images.ts";
import { eventually } from "./eventually.ts";
import { askHttp } from "./http-answer.ts";
import { type InstanceUnderTest, startInstance } from "./instance-under-test.ts";

const skip = process.getuid?.() === 0 ? false : "needs root";
const MANIFEST = path.resolve(import.meta.dirname, "../../../examples/guestbook/guestbook.yaml");
const GUESTBOOK = "http://127.0.0.1:30080/entries";
const NAMESPACE = ["--namespace", "guestbook"];
const WRITERS = 8;

let instance: InstanceUnderTest;

before(async () => {
  if (skip) return;
  instance = await startInstance();
  await importImages(instance, ["nginx", "redis", "guestbook-api"]);
  await kubectl("apply", "-f", MANIFEST);
  await available();
});
after(async () => {
  await instance?.[Symbol.asyncDispose]();
});

const kubectl = (...args: string[]) => instance.ok(...NAMESPACE, ...args);
const available = () =>
  kubectl("wait", "deployment", "--all", "--for=condition=Available", "--timeout=30s");

async function podNames(): Promise<string[]> {
  const text = await kubectl("get", "pods", "-o=jsonpath={.items[*].metadata.name}");
  return text.split(" ").sort();
}

const pidsOf = (pods: readonly string[]) =>
  containerPids(instance, ...pods.map((name) => `guestbook/${name}`));

/** What must not change: which pods there are, and how often and when their containers started. */
function starts(): Promise<string> {
  const container = "{.restartCount} {.state.running.startedAt} {.ready}";
  const statuses = `{range .status.containerStatuses[*]}${container}{end}`;
  const pod = `{.metadata.name} {.metadata.uid} {.status.podIP} ${statuses}`;
  return kubectl(
    "get",
    "pods",
    "--sort-by=.metadata.name",
    `-o=jsonpath={range .items[*]}${pod}{"\\n"}{end}`,
  );
}

async function killDaemon(): Promise<void> {
  const pid = instance.pid();
  process.kill(pid, "SIGKILL");
  await eventually("the daemon's end", async () => (await instance.kubectl("version")).code !== 0);
}

async function up(): Promise<void> {
  const { code, stderr, stdout } = await instance.nephos("up", "--detach");
  assert.equal(code, 0, `${stderr}${stdout}`);
}

async function serves(): Promise<string[]> {
  const { status, body } = await askHttp(GUESTBOOK);
  assert.equal(status, 200, body);
  return (JSON.parse(body) as { entries: string[] }).entries;
}

async function post(entry: string): Promise<void> {
  const { status, body } = await askHttp(GUESTBOOK, entry);
  assert.equal(status, 201, body);
}

/** Asks the cluster's name server as a pod does. */
async function resolve(name: string): Promise<string[]> {
  const resolver = new Resolver({ timeout: 1_000, tries: 2 });
  resolver.setServers(["10.96.0.10"]);
  return await resolver.resolve4(name);
}

/** Creates ConfigMaps until the API server is gone; `ended` tells which were acknowledged. */
function writeUntilItEnds(prefix: string): { count: () => number; ended: Promise<string[]> } {
  const kubeconfig = readFileSync(path.join(instance.dataDirectory, "kubeconfig"), "utf8");
  const transport = createHttpsTransport(loadKubeconfig(kubeconfig));
  const maps = createClient(transport).for(CONFIG_MAPS);
  const acknowledged: string[] = [];
  const write = async (writer: number) => {
    for (let at = 0; ; at++) {
      const name = `${prefix}-${writer}-${at}`;
      try {
        await maps.create({ metadata: { name, namespace: "default" }, data: { name } });
      } catch {
        return;
      }
      acknowledged.push(name);
    }
  };
  const ended = Promise.all(Array.from({ length: WRITERS }, (_, writer) => write(writer))).then(
    () => {
      transport[Symbol.dispose]();
      return acknowledged;
    },
  );
  return { count: () => acknowledged.length, ended };
}

/** Contents of the ConfigMaps whose names begin with `prefix`. */
async function readMaps(prefix: string): Promise<string[]> {
  const text = await instance.ok("get", "configmaps", "-o=jsonpath={.items[*].data.name}");
  return text.split(" ").filter((name) => name.startsWith(prefix));
}

test("containers serve on, names resolve, and up adopts every container", { skip }, async (t) => {
  const pods = await podNames();
  const pids = await pidsOf(pods);
  const before = await starts();
  await post("before");
  await killDaemon();
  assert.notEqual((await instance.nephos("status")).code, 0);
  for (let round = 0; round < 20; round++) {
    await post(`orphaned-${round}`);
    assert.equal((await serves()).length, round + 2);
    assert.equal((await resolve("redis.guestbook.svc.cluster.local")).length, 1);
  }
  const startedMs = Date.now();
  await up();
  t.diagnostic(`up again after ${Date.now() - startedMs} ms`);
  assert.equal((await serves()).length, 21);
  assert.deepEqual(await pidsOf(pods), pids);
  assert.equal(await starts(), before);
  assert.equal((await resolve("redis.guestbook.svc.cluster.local")).length, 1);
  for (const pod of pods) {
    assert.equal(await kubectl("exec", pod, "--", "hostname"), `${pod}\n`);
  }
});

test("no acknowledged write is lost", { skip }, async (t) => {
  for (const [round, wanted] of [100, 500, 1_000].entries()) {
    const prefix = `written-${round}`;
    const writing = writeUntilItEnds(prefix);
    await eventually(`${wanted} writes`, () => writing.count() >= wanted);
    await killDaemon();
    const acknowledged = await writing.ended;
    await up();
    const kept = new Set(await readMaps(prefix));
    const lost = acknowledged.filter((name) => !kept.has(name));
    assert.deepEqual(lost, []);
    t.diagnostic(`${acknowledged.length} acknowledged, ${kept.size} kept, none lost`);
  }
});

test("what died meanwhile is started again, and only that", { skip }, async () => {
  const pods = await podNames();
  const victim = pods.find((name) => name.startsWith("api-")) ?? "";
  const others = pods.filter((name) => name !== victim);
  const pids = await pidsOf(others);
  const [pid = 0] = await pidsOf([victim]);
  await killDaemon();
  process.kill(pid, "SIGKILL");
  await up();
  const template = "-o=jsonpath={.status.containerStatuses[0].restartCount}";
  await eventually(
    "its restart",
    async () => (await kubectl("get", "pod", victim, template)) === "1",
  );
  await kubectl("wait", "pod", "--all", "--for=condition=Ready", "--timeout=30s");
  assert.deepEqual(await pidsOf(others), pids);
});

test("a change that a crash interrupts is carried out afterwards", { skip }, async () => {
  await kubectl("scale", "deployment/api", "--replicas=8");
  await killDaemon();
  await up();
  await kubectl(
    "wait",
    "deployment/api",
    "--for=jsonpath={.status.readyReplicas}=8",
    "--timeout=30s",
  );
  assert.equal((await podNames()).filter((name) => name.startsWith("api-")).length, 8);
  await kubectl("scale", "deployment/api", "--replicas=1");
  await killDaemon();
  await up();
  await eventually("one backend", async () => {
    return (await podNames()).filter((name) => name.startsWith("api-")).length === 1;
  });
  assert.ok((await serves()).includes("before"));
});

test("down and up again find the containers too", { skip }, async () => {
  const pods = await podNames();
  const pids = await pidsOf(pods);
  const before = await starts();
  const { code, stderr } = await instance.nephos("down");
  assert.equal(code, 0, stderr);
  assert.ok((await askHttp("http://127.0.0.1:30080/healthz")).status === 200);
  await up();
  assert.deepEqual(await pidsOf(pods), pids);
  assert.equal(await starts(), before);
  assert.ok((await serves()).includes("before"));
});

test("a namespace whose deletion a crash interrupts goes away", { skip }, async () => {
  await kubectl("delete", "namespace", "guestbook", "--wait=false");
  await killDaemon();
  await up();
  await instance.ok("wait", "namespace/guestbook", "--for=delete", "--timeout=30s");
  await assert.rejects(serves());
});
