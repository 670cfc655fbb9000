import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import path from "node:path";
import type { Service, ServiceSpec } from "../../src/api/generated/types/core-v1.ts";
import { Cleanup } from "../../src/lib/cleanup.ts";
import { eventually } from "./eventually.ts";
import { askHttp } from "./http-answer.ts";
import { type InstanceUnderTest, startInstance } from "./instance-under-test.ts";
import { PEER_PORT, type Peers, preparePeers } from "./peers.ts";

/** Address of a peer beyond the gateway of the test's network. */
export const OUTSIDE = "192.0.2.1";

/** A node of a test's cluster. */
export interface TestNode {
  name: string;
  ip: string;
}

/** A cluster of two nodes, and a peer that is not of it. */
export interface TwoNodes extends AsyncDisposable {
  instance: InstanceUnderTest;
  peers: Peers;
  first: TestNode;
  second: TestNode;
  /** Makes a Service; its address, and its first port on the nodes. */
  expose(name: string, spec: ServiceSpec): Promise<{ ip: string; port: number }>;
}

/** Starts them; pods of the namespace `default` may use the nodes' ports and network. */
export async function startTwoNodes(): Promise<TwoNodes> {
  await using cleanup = new Cleanup();
  const instance = cleanup.use(await startInstance("--nodes", "2"));
  const peers = await preparePeers(instance);
  const level = "pod-security.kubernetes.io/enforce=privileged";
  await instance.ok("label", "namespace", "default", level);
  const lines = await instance.ok(
    "get",
    "nodes",
    "-o",
    "jsonpath={range .items[*]}{.metadata.name} {.status.addresses[0].address}\n{end}",
  );
  const nodes = lines.trim().split("\n");
  const [first = { name: "", ip: "" }, second = { name: "", ip: "" }] = nodes.map((line) => {
    const [name = "", ip = ""] = line.split(" ");
    return { name, ip };
  });
  cleanup.use(await startOutside(first, second));
  const owned = cleanup.move();
  return {
    instance,
    peers,
    first,
    second,
    expose: (name, spec) => expose(instance, name, spec),
    [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose](),
  };
}

/** A peer that knows the nodes and none of the pods. */
async function startOutside(first: TestNode, second: TestNode): Promise<Disposable> {
  const app = path.join(import.meta.dirname, "peer-app.js");
  const child = spawn("unshare", ["--net", process.execPath, app], { stdio: "inherit" });
  const inside = (...args: string[]) =>
    execFileSync("nsenter", [`--net=/proc/${child.pid}/ns/net`, "ip", ...args]);
  const own = execFileSync("readlink", ["/proc/self/ns/net"], { encoding: "utf8" });
  await eventually("the outside", () => {
    const theirs = execFileSync("readlink", [`/proc/${child.pid}/ns/net`], { encoding: "utf8" });
    return theirs !== own;
  });
  execFileSync("ip", ["link", "set", "lan1", "netns", `${child.pid}`]);
  inside("address", "add", `${OUTSIDE}/24`, "dev", "lan1");
  inside("link", "set", "lan1", "up");
  inside("link", "set", "lo", "up");
  inside("route", "add", `${second.ip}/32`, "via", first.ip);
  await eventually("an answer from outside", () => askHttp(`http://${OUTSIDE}:${PEER_PORT}`));
  return { [Symbol.dispose]: () => child.kill("SIGKILL") };
}

async function expose(
  instance: InstanceUnderTest,
  name: string,
  spec: ServiceSpec,
): Promise<{ ip: string; port: number }> {
  const manifest: Service = { apiVersion: "v1", kind: "Service", metadata: { name }, spec };
  const { code, stderr } = await instance.kubectlWith(JSON.stringify(manifest), "apply", "-f", "-");
  assert.equal(code, 0, stderr);
  const made = JSON.parse(await instance.ok("get", "service", name, "-o", "json")) as Service;
  return { ip: made.spec?.clusterIP ?? "", port: made.spec?.ports?.[0]?.nodePort ?? 0 };
}
