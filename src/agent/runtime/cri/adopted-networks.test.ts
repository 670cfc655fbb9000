import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { adoptedNetworks } from "./adopted-networks.ts";
import type { CriFacts } from "./cri-endpoint.ts";

function prepare(t: TestContext) {
  const directory = mkdtempSync(path.join(tmpdir(), "nephos-cni-"));
  t.after(() => rmSync(directory, { recursive: true }));
  const [configurations, plugins, stateDirectory] = ["conf", "bin", "state"].map((name) => {
    mkdirSync(path.join(directory, name));
    return path.join(directory, name);
  }) as [string, string, string];
  const facts: CriFacts = {
    name: "containerd",
    version: "1.6.20",
    handlers: [],
    network: { configurations, plugins },
    stateDirectory,
  };
  return { configurations, plugins, stateDirectory, networks: adoptedNetworks(facts) };
}

const NETWORK = { namespacePath: "/proc/self/ns/net", ip: "10.244.0.9" };

test("a network is offered to the plugin until it is taken back, and all goes with the last", (t) => {
  const { configurations, plugins, stateDirectory, networks } = prepare(t);
  assert.throws(() => networks.offer("uid-1", NETWORK), {
    message: /needs the CNI plugin "loopback".*containernetworking-plugins/,
  });
  writeFileSync(path.join(plugins, "loopback"), "");
  networks.offer("uid-1", NETWORK);
  networks.offer("uid-1", NETWORK);
  const offer = path.join(stateDirectory, "nephos-networks/uid-1");
  const { ips } = JSON.parse(readFileSync(path.join(offer, "result"), "utf8")) as {
    ips: { address: string }[];
  };
  assert.equal(ips[0]?.address, "10.244.0.9/32");
  assert.deepEqual(readdirSync(configurations), ["10-nephos.conflist"]);
  networks.uninstall();
  assert.ok(existsSync(offer), "pods use it");
  networks.withdraw("uid-1");
  networks.uninstall();
  networks.uninstall();
  assert.deepEqual([readdirSync(configurations), readdirSync(plugins)], [[], ["loopback"]]);
  assert.throws(() => networks.offer("../uid", NETWORK), RangeError);
});

test("a configuration of somebody else's that comes first is named", (t) => {
  const { configurations, plugins, networks } = prepare(t);
  writeFileSync(path.join(plugins, "loopback"), "");
  writeFileSync(path.join(configurations, "05-cilium.conflist"), "{}");
  assert.throws(() => networks.offer("uid-1", NETWORK), { message: /05-cilium.conflist.*remove/ });
  rmSync(path.join(configurations, "05-cilium.conflist"));
  writeFileSync(path.join(configurations, "99-loopback.conf"), "{}");
  networks.offer("uid-1", NETWORK);
});

test("the plugin refuses pods that no agent offered a network for, in CNI's words", (t) => {
  const { plugins, networks } = prepare(t);
  writeFileSync(path.join(plugins, "loopback"), "");
  networks.offer("uid-1", NETWORK);
  const run = (command: string, args: string) => {
    const env = { ...process.env, CNI_COMMAND: command, CNI_ARGS: args, CNI_NETNS: "" };
    const { status, stdout } = spawnSync(path.join(plugins, "nephos"), {
      env,
      encoding: "utf8",
    });
    return { status, answer: stdout ? (JSON.parse(stdout) as Record<string, unknown>) : {} };
  };
  const unknown = run("ADD", "K8S_POD_NAME=x;K8S_POD_UID=uid-2;IgnoreUnknown=1");
  assert.deepEqual([unknown.status, unknown.answer["code"]], [1, 100]);
  assert.match(String(unknown.answer["msg"]), /no agent of Nephos offers/);
  assert.equal(run("ADD", "K8S_POD_UID=../uid-1").status, 1);
  assert.equal(run("DEL", "K8S_POD_UID=uid-1").status, 0, "without a namespace");
  assert.ok(run("VERSION", "").answer["supportedVersions"]);
});
