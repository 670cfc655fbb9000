// The demo as its user meets it: a three-tier application and the kubectl of every day.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { containerPids } from "./container-process.ts";
import { importImages } from "./demo-images.ts";
import { eventually } from "./eventually.ts";
import { askHttp } from "./http-answer.ts";
import { type InstanceUnderTest, outcomeOf, startInstance } from "./instance-under-test.ts";
import { followCommand } from "./running-command.ts";

const skip = process.getuid?.() === 0 ? false : "needs root";
const MANIFEST = path.resolve(import.meta.dirname, "../../../examples/guestbook/guestbook.yaml");
const LOOPBACK = "http://127.0.0.1:30080";
const NAMESPACE = ["--namespace", "guestbook"];

let instance: InstanceUnderTest;

before(async () => {
  if (skip) return;
  instance = await startInstance();
  await importImages(instance, ["nginx", "redis", "guestbook-api"]);
});
after(async () => {
  await instance?.[Symbol.asyncDispose]();
});

/** kubectl in the guestbook's namespace. */
const kubectl = (...args: string[]) => instance.ok(...NAMESPACE, ...args);
const fails = async (...args: string[]) => {
  const outcome = await instance.kubectl(...NAMESPACE, ...args);
  assert.notEqual(outcome.code, 0, outcome.stdout);
  return outcome;
};

async function names(tier: string): Promise<string[]> {
  const template = "--output=jsonpath={.items[*].metadata.name}";
  return (await kubectl("get", "pods", `--selector=tier=${tier}`, template)).split(" ").sort();
}

async function nameOf(tier: string): Promise<string> {
  return (await names(tier))[0] ?? assert.fail(`no pod of ${tier}`);
}

/** As a crash would: kill -9 of its first process. */
async function killContainer(pod: string): Promise<void> {
  for (const pid of await containerPids(instance, `guestbook/${pod}`)) process.kill(pid, "SIGKILL");
}

interface Page {
  entries: string[];
  servedBy: string;
}

async function read(address = LOOPBACK): Promise<Page> {
  const { status, body } = await askHttp(`${address}/entries`);
  assert.equal(status, 200, body);
  return JSON.parse(body) as Page;
}

async function write(entry: string): Promise<void> {
  const { status, body } = await askHttp(`${LOOPBACK}/entries`, entry);
  assert.equal(status, 201, body);
}

/** Names of the backends that answer now, once all of `wanted` did. */
const servedByAll = (wanted: readonly string[]) => {
  const seen = new Set<string>();
  return eventually(`answers of ${wanted.join(" and ")}`, async () => {
    seen.add((await read()).servedBy);
    return wanted.every((name) => seen.has(name));
  });
};

/** Posts entries one after another until it is told to stop. */
function keepWriting(prefix: string): { stop: () => Promise<{ written: string[]; lost: number }> } {
  const written: string[] = [];
  let lost = 0;
  let going = true;
  const loop = (async () => {
    for (let at = 0; going; at++) {
      await write(`${prefix}-${at}`).then(
        () => written.push(`${prefix}-${at}`),
        () => lost++,
      );
    }
  })();
  return {
    async stop() {
      going = false;
      await loop;
      return { written, lost };
    },
  };
}

test("the guestbook serves at the node's address and at loopback", { skip }, async (t) => {
  const startedMs = Date.now();
  await instance.ok("apply", "-f", MANIFEST);
  await kubectl("wait", "deployment", "--all", "--for=condition=Available", "--timeout=30s");
  t.diagnostic(`available ${Date.now() - startedMs} ms after apply`);
  const template = '-o=jsonpath={.items[0].status.addresses[?(@.type=="InternalIP")].address}';
  const nodeIp = await instance.ok("get", "nodes", template);
  for (const address of [LOOPBACK, `http://${nodeIp}:30080`]) {
    await eventually(`an answer at ${address}`, () => read(address));
  }
  assert.match(await instance.ok("apply", "-f", MANIFEST), /^deployment.*\/web unchanged$/m);
});

test("entries come back through both backends", { skip }, async () => {
  for (const entry of ["hello", "grüße", "with\nlines & <marks>"]) await write(entry);
  const backends = await names("api");
  assert.equal(backends.length, 2);
  const seen = new Set<string>();
  await eventually("answers of both backends", async () => {
    const page = await read();
    assert.deepEqual(page.entries, ["hello", "grüße", "with\nlines & <marks>"]);
    seen.add(page.servedBy);
    return backends.every((name) => seen.has(name));
  });
});

test("an Ingress leads to it from the node's own port", { skip }, async () => {
  await kubectl("create", "ingress", "book", "--rule=/*=web:http");
  const address = "-o=jsonpath={.status.loadBalancer.ingress[0].ip}";
  const ip = await eventually("the address of the Ingress", async () => {
    return (await kubectl("get", "ingress", "book", address)) || undefined;
  });
  for (const host of [ip, "127.0.0.1"]) {
    await eventually(`an answer at ${host}`, () => read(`http://${host}`));
  }
  assert.equal(
    await kubectl("get", "ingress", "book", "-o=jsonpath={.spec.ingressClassName}"),
    "nephos",
  );
  await kubectl("delete", "ingress", "book");
  const isRefused = (error: NodeJS.ErrnoException) => error.code === "ECONNREFUSED";
  await eventually("a free port", () => askHttp("http://127.0.0.1/").then(() => false, isRefused));
});

test("a backend that is deleted by force is replaced, and no entry is lost", {
  skip,
}, async (t) => {
  const [victim = "", other = ""] = await names("api");
  const writer = keepWriting("deleted");
  await kubectl("delete", "pod", victim, "--grace-period=0", "--force");
  const deletedMs = Date.now();
  const replaced = await eventually("a new backend", async () =>
    (await names("api")).find((name) => name !== victim && name !== other),
  );
  await servedByAll([replaced]);
  t.diagnostic(`a new backend served ${Date.now() - deletedMs} ms after the deletion`);
  const { written, lost } = await writer.stop();
  t.diagnostic(`${written.length} entries acknowledged meanwhile, ${lost} refused`);
  const { entries } = await read();
  assert.deepEqual(
    written.filter((entry) => !entries.includes(entry)),
    [],
  );
});

test("a backend whose process is killed is restarted, and no entry is lost", {
  skip,
}, async (t) => {
  const victim = await nameOf("api");
  const writer = keepWriting("killed");
  const killedMs = Date.now();
  await killContainer(victim);
  const template = "-o=jsonpath={.status.containerStatuses[0].restartCount}";
  await eventually(
    "a restart",
    async () => (await kubectl("get", "pod", victim, template)) === "1",
  );
  await servedByAll([victim]);
  t.diagnostic(`it served again ${Date.now() - killedMs} ms after the kill`);
  const { written, lost } = await writer.stop();
  t.diagnostic(`${written.length} entries acknowledged meanwhile, ${lost} refused`);
  const { entries } = await read();
  assert.deepEqual(
    written.filter((entry) => !entries.includes(entry)),
    [],
  );
  const reason = "-o=jsonpath={.status.containerStatuses[0].lastState.terminated}";
  const last = JSON.parse(await kubectl("get", "pod", victim, reason)) as object;
  assert.deepEqual({ exitCode: 137, reason: "Error", ...last }, last);
});

test("a rollout restarts, is followed, is undone and loses nothing", { skip }, async () => {
  const before = await names("api");
  const images = "-o=jsonpath={.spec.template.spec.containers[0].env[?(@.name=='MARK')].value}";
  await kubectl("rollout", "restart", "deployment/api");
  assert.match(await kubectl("rollout", "status", "deployment/api"), /successfully rolled out/);
  await eventually("other pods", async () => {
    const now = await names("api");
    return now.length === 2 && now.every((name) => !before.includes(name));
  });
  await kubectl("set", "env", "deployment/api", "MARK=new");
  await kubectl("rollout", "status", "deployment/api");
  assert.equal(await kubectl("get", "deployment/api", images), "new");
  assert.match(await kubectl("rollout", "history", "deployment/api"), /^3 /m);
  await kubectl("rollout", "undo", "deployment/api");
  await kubectl("rollout", "status", "deployment/api");
  assert.equal(await kubectl("get", "deployment/api", images), "");
  assert.ok((await read()).entries.includes("hello"));
});

test("a deployment scales up and down", { skip }, async () => {
  await kubectl("scale", "deployment/api", "--replicas=4");
  await kubectl("wait", "deployment/api", "--for=jsonpath={.status.readyReplicas}=4");
  await kubectl("scale", "deployment/api", "--replicas=2", "--current-replicas=4");
  await kubectl("wait", "deployment/api", "--for=jsonpath={.status.replicas}=2");
  const { stderr } = await fails("scale", "deployment/api", "--replicas=9", "--current-replicas=4");
  assert.match(stderr, /Expected replicas to be 4, was 2/);
});

test("logs are followed, cut by time and kept of the previous container", { skip }, async () => {
  const web = await nameOf("web");
  await using following = followCommand(instance.start("logs", "-f", web, ...NAMESPACE));
  await askHttp(`${LOOPBACK}/one-of-a-kind`);
  await eventually("the line", () => following.stdout().includes("/one-of-a-kind"));
  assert.match(
    await kubectl("logs", web, "--since=1h", "--timestamps"),
    /^20\S+Z .*one-of-a-kind/m,
  );
  assert.equal((await kubectl("logs", web, "--tail=1")).trim().split("\n").length, 1);
  await eventually(
    "the line being older than a second",
    async () => !(await kubectl("logs", web, "--since=1s")).includes("one-of-a-kind"),
  );
  assert.match((await fails("logs", web, "--previous")).stderr, /previous terminated container/);
  await killContainer(web);
  await eventually("the log of the container before", async () =>
    (await kubectl("logs", web, "--previous")).includes("one-of-a-kind"),
  );
  await eventually("an answer", () => read());
});

test("exec passes input, output, exit code and a terminal", { skip }, async () => {
  const redis = await nameOf("redis");
  const script = "echo out; echo err >&2; exit 3";
  const { code, stdout, stderr } = await fails("exec", redis, "--", "sh", "-c", script);
  assert.deepEqual({ code, stdout }, { code: 3, stdout: "out\n" });
  assert.match(stderr, /^err\n/);
  const input = randomBytes(200_000).toString("hex");
  const echoed = await instance.kubectlWith(input, ...NAMESPACE, "exec", "-i", redis, "--", "cat");
  assert.ok(echoed.stdout === input, `${echoed.stdout.length} of ${input.length} came back`);
  // The size follows the terminal's start in a message of its own.
  const sized = 'tty; until [ "$(stty size 2>&1)" = "33 111" ]; do :; done; exit 4';
  const command = `kubectl exec -it ${redis} -n guestbook -- sh -c '${sized}'`;
  const terminal = await outcomeOf(
    "script",
    ["--quiet", "--return", "--command", `stty rows 33 cols 111; ${command}`, "/dev/null"],
    { env: { KUBECONFIG: path.join(instance.dataDirectory, "kubeconfig") } },
  );
  assert.equal(terminal.code, 4, terminal.stdout);
  assert.match(terminal.stdout, /\/dev\/pts\/\d+\r\n/);
  assert.match((await fails("exec", redis, "--", "no-such-program")).stderr, /no-such-program/);
});

test("files are copied both ways", { skip }, async () => {
  const redis = await nameOf("redis");
  const folder = path.join(instance.dataDirectory, "copied");
  mkdirSync(path.join(folder, "below"), { recursive: true });
  const bytes = randomBytes(3 << 20);
  writeFileSync(path.join(folder, "below/bytes"), bytes);
  writeFileSync(path.join(folder, "text"), "text\n");
  await kubectl("cp", folder, `${redis}:/tmp/copied`);
  assert.equal(await kubectl("exec", redis, "--", "cat", "/tmp/copied/text"), "text\n");
  const back = path.join(instance.dataDirectory, "back");
  await kubectl("cp", `${redis}:/tmp/copied`, back);
  assert.ok(readFileSync(path.join(back, "below/bytes")).equals(bytes));
});

test("a port is forwarded to a pod and to a service", { skip }, async () => {
  for (const target of [`pod/${await nameOf("web")}`, "service/web"]) {
    const port = target.startsWith("pod") ? ":8080" : ":80";
    const args = ["port-forward", target, port, ...NAMESPACE];
    await using forward = followCommand(instance.start(...args));
    const [, local] = await eventually("the local port", () =>
      /127\.0\.0\.1:(\d+)/.exec(forward.stdout()),
    );
    for (let round = 0; round < 3; round++) {
      const { entries } = await read(`http://127.0.0.1:${local}`);
      assert.ok(entries.includes("hello"));
    }
  }
});

test("describe, events, wait and watch tell what happens", { skip }, async () => {
  const redis = await nameOf("redis");
  const described = await kubectl("describe", "pod", redis);
  assert.match(described, /^Status:\s+Running$/m);
  assert.match(described, /Started\s+\S+\s+kubelet\s+Started container redis/);
  assert.match(await kubectl("describe", "service", "web"), /NodePort:\s+http\s+30080\/TCP/);
  assert.match(await kubectl("describe", "deployment", "api"), /ScalingReplicaSet/);
  assert.match(await instance.ok("describe", "node"), /redis-.*128Mi/);
  assert.match(await kubectl("events", `--for=pod/${redis}`), /Scheduled/);
  await using watching = followCommand(
    instance.start("get", "configmaps", "--watch", "--output-watch-events", ...NAMESPACE),
  );
  await eventually("the first rows", () => watching.stdout().includes("ADDED"));
  await kubectl("create", "configmap", "seen", "--from-literal=key=value");
  await kubectl("label", "configmap", "seen", "colour=blue");
  await kubectl("delete", "configmap", "seen");
  await eventually("its three events", () =>
    /ADDED\s+seen[^]*MODIFIED\s+seen[^]*DELETED\s+seen/.test(watching.stdout()),
  );
  assert.match(
    (await fails("wait", "pod", redis, "--for=delete", "--timeout=100ms")).stderr,
    /timed out/,
  );
  await eventually("what the pods use", async () =>
    /^redis-\S+\s+\d+m\s+\d+Mi/m.test(await kubectl("top", "pods")),
  );
});

test("the namespace is deleted with everything in it", { skip }, async (t) => {
  const startedMs = Date.now();
  await instance.ok("delete", "namespace", "guestbook", "--timeout=30s");
  t.diagnostic(`gone after ${Date.now() - startedMs} ms`);
  assert.equal(await kubectl("get", "all,configmaps,secrets,endpointslices,events"), "");
  await assert.rejects(read());
});
