import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { get } from "node:http";
import { connect } from "node:net";
import path from "node:path";
import { after, before, test } from "node:test";
import { BUSYBOX, importBusybox } from "./busybox-image.ts";
import { type InstanceUnderTest, type Outcome, startInstance } from "./instance-under-test.ts";

const skip = process.getuid?.() === 0 ? false : "needs root";
const BIG = randomBytes(8 << 20);
const BIG_SUM = sumOf(BIG);
let instance: InstanceUnderTest;

const APP = [
  "echo served > /tmp/index.html",
  "busybox httpd -h /tmp -p 80",
  "busybox nc -ll -p 7 -e cat &",
  "while true; do busybox nc -l -p 9 -e sh -c 'busybox wc -c > /tmp/got; echo thanks'; done",
];
const podOf = (name: string): object => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name },
  spec: {
    terminationGracePeriodSeconds: 0,
    containers: [
      { name: "app", image: BUSYBOX, command: ["sh", "-c", APP.join("; ").replace("&;", "&")] },
      {
        name: "reader",
        image: BUSYBOX,
        stdin: true,
        stdinOnce: true,
        command: ["sh", "-c", "while read line; do echo got $line; done"],
      },
    ],
  },
});

/** What kubectl 1.32 uses first, and what it and older clients fall back to. */
const podName = (transport: string): string => `over-${transport.toLowerCase()}`;
const TRANSPORTS = { WebSocket: "true", SPDY: "false" };

before(async () => {
  if (skip) return;
  instance = await startInstance();
  await importBusybox(instance);
  const items = Object.keys(TRANSPORTS).map((transport) => podOf(podName(transport)));
  const text = JSON.stringify({ apiVersion: "v1", kind: "List", items });
  const { code, stderr } = await instance.kubectlWith(text, "apply", "-f", "-");
  assert.equal(code, 0, stderr);
  await instance.ok("wait", "--for=condition=Ready", "pods", "--all", "--timeout=20s");
});
after(async () => {
  await instance?.[Symbol.asyncDispose]();
});

function sumOf(bytes: Uint8Array): string {
  return createHash("md5").update(bytes).digest("hex");
}

function start(webSockets: string, command: readonly string[]): ChildProcess {
  const [file = "", ...args] = command;
  const env = {
    ...process.env,
    KUBECONFIG: path.join(instance.dataDirectory, "kubeconfig"),
    HOME: instance.dataDirectory,
    KUBECTL_REMOTE_COMMAND_WEBSOCKETS: webSockets,
    KUBECTL_PORT_FORWARD_WEBSOCKETS: webSockets,
  };
  return spawn(file, args, { env, timeout: 60_000, killSignal: "SIGKILL" });
}

/** Runs a command to its end; never throws. */
async function outcome(child: ChildProcess, input?: Uint8Array): Promise<Outcome> {
  const output = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name]?.setEncoding("latin1").on("data", (text: string) => (output[name] += text));
  }
  child.stdin?.on("error", () => {});
  child.stdin?.end(input);
  const [code] = (await once(child, "close")) as [number | null];
  return { code: code ?? 255, ...output };
}

interface Forwarded {
  child: ChildProcess;
  /** Local port for a port of the pod. */
  local(port: number): number;
}

async function forward(
  webSockets: string,
  { pod, ports }: { pod: string; ports: readonly number[] },
): Promise<Forwarded> {
  const child = start(webSockets, [
    "kubectl",
    "port-forward",
    `pod/${pod}`,
    ...ports.map((p) => `:${p}`),
  ]);
  let told = "";
  const local = (port: number) =>
    Number(new RegExp(`127.0.0.1:(\\d+) -> ${port}\\n`).exec(told)?.[1]);
  child.stdout?.setEncoding("utf8");
  while (!ports.every(local)) {
    const [text] = (await once(child.stdout ?? child, "data")) as [string];
    told += text;
  }
  return { child, local };
}

/** Sends everything, ends its direction, and returns what comes back until the other one ends. */
async function exchange(port: number, bytes: Uint8Array): Promise<Buffer> {
  const socket = connect({ host: "127.0.0.1", port, allowHalfOpen: true });
  const parts: Buffer[] = [];
  socket.on("data", (part) => parts.push(part));
  socket.end(bytes);
  await once(socket, "end");
  return Buffer.concat(parts);
}

async function fetchText(port: number): Promise<string> {
  return await new Promise((resolve, reject) => {
    const outgoing = get({ host: "127.0.0.1", port, agent: false }, (answer) => {
      answer.toArray().then((parts) => resolve(Buffer.concat(parts).toString()), reject);
    });
    outgoing.on("error", reject);
  });
}

for (const [transport, webSockets] of Object.entries(TRANSPORTS)) {
  const pod = podName(transport);
  const kubectl = (...args: string[]) => outcome(start(webSockets, ["kubectl", ...args]));
  const feed = (input: Uint8Array, ...args: string[]) =>
    outcome(start(webSockets, ["kubectl", ...args]), input);
  const inApp = (...command: string[]) => ["exec", "-i", pod, "-c", "app", "--", ...command];

  test(`exec over ${transport}: output, errors and exit code`, { skip }, async () => {
    const script = "echo out; echo err >&2; exit 7";
    const told = await kubectl("exec", pod, "-c", "app", "--", "sh", "-c", script);
    assert.equal(told.stdout, "out\n");
    assert.equal(told.stderr, "err\ncommand terminated with exit code 7\n");
    assert.equal(told.code, 7);
    assert.match((await kubectl("exec", "none", "--", "ls")).stderr, /pods "none" not found/);
    const absent = await kubectl("exec", pod, "-c", "app", "--", "absent-command");
    assert.match(absent.stderr, /absent-command/);
    assert.equal(absent.code, 127);
  });

  test(`exec over ${transport}: megabytes in and out`, { skip }, async () => {
    const sum = await feed(BIG, ...inApp("busybox", "md5sum"));
    assert.equal(sum.stdout, `${BIG_SUM}  -\n`);
    const echoed = await feed(BIG, ...inApp("cat"));
    assert.equal(sumOf(Buffer.from(echoed.stdout, "latin1")), BIG_SUM);
  });

  test(`exec over ${transport}: a terminal of the client's size`, { skip }, async () => {
    // The size follows the start, as a change of the window would.
    const size =
      "until busybox stty size 2>&1 | busybox grep -q '^33 77'; do :; done; busybox stty size";
    const inside = `stty rows 33 cols 77; kubectl exec -it ${pod} -c app -- sh -c "${size}; exit 3"`;
    const told = await outcome(start(webSockets, ["script", "-qec", inside, "/dev/null"]));
    assert.match(told.stdout, /33 77\r\n/);
    assert.equal(told.code, 3);
  });

  test(`cp over ${transport}, both ways`, { skip }, async () => {
    const [near, far] = ["near", "far"].map((name) => path.join(instance.dataDirectory, name));
    writeFileSync(near ?? "", BIG);
    const there = await kubectl("cp", "-c", "app", near ?? "", `${pod}:/tmp/copied`);
    assert.equal(there.code, 0, there.stderr);
    const back = await kubectl("cp", "-c", "app", `${pod}:/tmp/copied`, far ?? "");
    assert.equal(back.code, 0, back.stderr);
    assert.equal(sumOf(readFileSync(far ?? "")), BIG_SUM);
  });

  test(`port-forward over ${transport}: many connections, each way on its own`, {
    skip,
  }, async () => {
    const { child, local } = await forward(webSockets, { pod, ports: [80, 7, 9] });
    const pages = await Promise.all(Array.from({ length: 20 }, () => fetchText(local(80))));
    assert.deepEqual(new Set(pages), new Set(["served\n"]));
    assert.equal(sumOf(await exchange(local(7), BIG)), BIG_SUM);
    assert.equal((await exchange(local(9), Buffer.alloc(100_000))).toString(), "thanks\n");
    assert.equal((await kubectl(...inApp("cat", "/tmp/got"))).stdout, "100000\n");
    child.kill("SIGINT");
    await once(child, "close");
  });

  test(`port-forward over ${transport}: nobody listens`, { skip }, async () => {
    const { child, local } = await forward(webSockets, { pod, ports: [81] });
    const ended = outcome(child);
    await fetchText(local(81)).catch(() => "");
    assert.match(
      (await ended).stderr,
      /error forwarding port 81 to pod default\/over-.*ECONNREFUSED/,
    );
  });

  test(`attach over ${transport}: the process reads what the client types`, { skip }, async () => {
    const told = await feed(Buffer.from("one\ntwo\n"), "attach", "-i", pod, "-c", "reader");
    assert.match(told.stdout, /got one\ngot two\n/);
    assert.equal(told.code, 0);
    await instance.ok("delete", "pod", pod, "--now");
  });
}
