// Pods of other runtime classes, and pods that share processes, on one node in this process.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { EVENTS, NODES, RUNTIME_CLASSES } from "../../src/api/generated/resources.ts";
import type { Pod } from "../../src/api/generated/types/core-v1.ts";
import { eventually } from "./eventually.ts";
import { type NodeUnderTest, startNode } from "./node-under-test.ts";
import { removePod, runInside, scripted, statusOf } from "./pod-containers.ts";

const isRoot = process.getuid?.() === 0;
const skip = isRoot ? false : "needs root";
const withoutGvisor = !isRoot
  ? "needs root"
  : existsSync("/usr/bin/runsc")
    ? false
    : "needs the package runsc";
let node: NodeUnderTest;

before(async () => {
  if (!isRoot) return;
  node = await startNode();
  for (const handler of ["runc", "runsc", "kata"]) {
    await node.client.for(RUNTIME_CLASSES).create({ metadata: { name: handler }, handler });
  }
});
after(async () => {
  await node?.[Symbol.asyncDispose]();
});

const allReady = (pod: Pod | undefined) =>
  pod?.status?.containerStatuses?.every(({ ready }) => ready) === true;

const inside = (pod: string, container: string, script: string) =>
  runInside(node, { pod, container }, script);
const remove = (name: string) => removePod(node, name);

/** What a test runner says of its failures, whichever of its formats it chose. */
function failuresOf(output: string): string {
  const at = output.search(/^(?:not ok|✖ failing tests:)/m);
  return (at < 0 ? output.slice(-8000) : output.slice(at)).slice(0, 8000);
}

test("gVisor passes the conformance suite of runtimes", { skip: withoutGvisor }, async () => {
  const suite = fileURLToPath(
    new URL("../../src/agent/runtime/crun-runtime.suite.js", import.meta.url),
  );
  const env = { ...process.env };
  delete env["NODE_TEST_CONTEXT"];
  const child = spawn(process.execPath, [suite, "runsc"], { env });
  let output = "";
  child.stdout.on("data", (chunk) => (output += String(chunk)));
  child.stderr.on("data", (chunk) => (output += String(chunk)));
  const code = await new Promise((resolve) => child.once("close", resolve));
  assert.equal(code, 0, failuresOf(output));
});

test("two containers of a gVisor pod share a kernel and a network, which the node reaches", {
  skip: withoutGvisor,
}, async () => {
  const readinessProbe = { httpGet: { path: "/", port: 8080 }, periodSeconds: 1 };
  await node.run("guarded", {
    runtimeClassName: "runsc",
    volumes: [{ name: "shared", emptyDir: {} }],
    containers: [
      scripted("web", "echo hello > /data/index.html; httpd -f -p 8080 -h /data", {
        readinessProbe,
        volumeMounts: [{ name: "shared", mountPath: "/data" }],
      }),
      scripted("client", "exec sleep 1000", {
        resources: { limits: { memory: "64Mi" } },
        volumeMounts: [{ name: "shared", mountPath: "/data" }],
      }),
      scripted("screen", "test -t 1 && echo terminal; exec sleep 1000", { tty: true }),
    ],
  });
  const pod = await node.until("guarded", allReady);
  await eventually("a word about limits", async () => {
    const { items } = await node.client.for(EVENTS).list({ namespace: "default" });
    return items.some(({ reason }) => reason === "LimitsOfPodOnly");
  });
  assert.match(await inside("guarded", "client", "uname -r"), /^4\.4\.0/);
  assert.equal(await inside("guarded", "client", "wget -qO- http://127.0.0.1:8080/"), "hello\n");
  assert.equal(await inside("guarded", "client", "cat /data/index.html"), "hello\n");
  const own = await inside("guarded", "client", "ps; hostname");
  assert.doesNotMatch(own, /httpd/);
  assert.match(own, /guarded/);
  const screen = { namespace: "default", name: "guarded", container: "screen" };
  await eventually("output on a terminal", async () => {
    const log = await node.agent().streams.logs(screen, {}, AbortSignal.timeout(5_000));
    return Buffer.concat(await log.toArray())
      .toString()
      .includes("terminal");
  });
  const tunnel = await node.agent().streams.portForward(screen, 8080);
  tunnel.end("GET / HTTP/1.0\r\n\r\n");
  assert.match(Buffer.concat(await tunnel.toArray()).toString(), /hello/);
  await node.run("caller", { containers: [scripted("app", "exec sleep 1000")] });
  await node.until("caller", allReady);
  const url = `http://${pod?.status?.podIP}:8080/`;
  assert.equal(await inside("caller", "app", `wget -qO- ${url}`), "hello\n");
  await remove("caller");
  await remove("guarded");
});

test("a gVisor pod whose kernel ran out of memory says so, and comes back to its network", {
  skip: withoutGvisor,
}, async () => {
  await node.run("hungry", {
    runtimeClassName: "runsc",
    terminationGracePeriodSeconds: 0,
    containers: [
      scripted("app", "echo hello > /tmp/index.html; exec httpd -f -p 80 -h /tmp", {
        resources: { limits: { memory: "128Mi" } },
      }),
    ],
  });
  await node.until("hungry", allReady);
  await inside("hungry", "app", "x=a; while :; do x=$x$x$x$x; done");
  const pod = await node.until("hungry", (seen) => {
    const { restartCount = 0, state } = statusOf(seen, "app") ?? {};
    return restartCount > 0 && state?.running !== undefined;
  });
  assert.equal(statusOf(pod, "app")?.lastState?.terminated?.reason, "OOMKilled");
  await node.run("caller", { containers: [scripted("app", "exec sleep 1000")] });
  await node.until("caller", allReady);
  await eventually("its network", async () => {
    const get = `timeout 2 wget -qO- http://${pod?.status?.podIP}/`;
    return (await inside("caller", "app", get)) === "hello\n";
  });
  await remove("caller");
  await remove("hungry");
});

test("runc runs the pods of its class; the node says what it has", { skip }, async () => {
  await node.run("ran", { runtimeClassName: "runc", containers: [scripted("app", "sleep 1000")] });
  await node.until("ran", allReady);
  assert.match(await inside("ran", "app", "grep Seccomp: /proc/1/status"), /2$/m);
  await remove("ran");
  const { status } = await node.client.for(NODES).get({ name: "node-1" });
  const names = status?.runtimeHandlers?.map(({ name }) => name);
  assert.deepEqual(names?.slice(0, 3), ["", "crun", "runc"]);
});

test("a class that nothing here can run says so, and what is there", { skip }, async () => {
  await node.run("vm", { runtimeClassName: "kata", containers: [scripted("app", "true")] });
  const message = await eventually("the event", async () => {
    const { items } = await node.client.for(EVENTS).list({ namespace: "default" });
    const event = items.find(({ reason }) => reason === "FailedCreatePodSandBox");
    return event?.message;
  });
  assert.match(message, /no runtime for "kata" is configured/);
  assert.match(message, /crun, runc, runsc/);
  await node.until("vm", (pod) => {
    return statusOf(pod, "app")?.state?.waiting?.reason === "ContainerCreating";
  });
  await remove("vm");
});

test("containers that share processes see and signal each other", { skip }, async () => {
  await node.run("shared", {
    shareProcessNamespace: true,
    containers: [
      scripted("main", "trap 'exit 7' USR1; while true; do sleep 0.05; done"),
      scripted("other", "exec sleep 1000"),
    ],
  });
  await node.until("shared", allReady);
  assert.match(await inside("shared", "other", "ps"), /1 \S+ +(\/init|init)$/m);
  const main = 'grep -q "trap .*0[.]05" $p/cmdline 2>/dev/null && kill -USR1 ${p#/proc/}';
  await inside("shared", "other", `for p in /proc/[0-9]*; do ${main}; done`);
  const pod = await node.until("shared", (seen) => {
    return (statusOf(seen, "main")?.restartCount ?? 0) > 0;
  });
  assert.equal(statusOf(pod, "main")?.lastState?.terminated?.exitCode, 7);
  assert.equal(statusOf(pod, "other")?.restartCount, 0);
  await remove("shared");
});
