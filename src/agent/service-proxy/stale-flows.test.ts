import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import type { Flow, FlowTuple } from "../../format/netlink/conntrack-message.ts";
import {
  createNetworkNamespace,
  removeNetworkNamespace,
  withinNetworkNamespace,
} from "../../sys/network-namespace.ts";
import { openNftables } from "../../sys/nft/nftables.ts";
import { removeStaleFlows, staleFlows } from "./stale-flows.ts";

const skip = process.getuid?.() === 0 ? false : "needs root";
const target = {
  virtualIps: ["10.96.0.7"],
  port: 53,
  nodePort: 30_053,
  endpoints: [{ ip: "10.244.0.2", port: 5353 }],
};

function flow(to: string, from: string, protocol = 17): Flow {
  const tuple = (text: string, other: string): FlowTuple => {
    const [destination = "", port] = text.split(":");
    return { source: other, destination, protocol, sourcePort: 9, destinationPort: Number(port) };
  };
  const [source = "", port] = from.split(":");
  const reply = { ...tuple("10.244.0.9:9", source), sourcePort: Number(port) };
  return { original: tuple(to, "10.244.0.9"), reply, identity: new Uint8Array() };
}

test("a UDP flow is stale when it leads to no endpoint of its port", () => {
  const table: readonly [string, Flow, boolean][] = [
    ["to its endpoint", flow("10.96.0.7:53", "10.244.0.2:5353"), false],
    ["to one that is gone", flow("10.96.0.7:53", "10.244.0.3:5353"), true],
    ["to another port of it", flow("10.96.0.7:53", "10.244.0.2:5354"), true],
    ["not translated", flow("10.96.0.7:53", "10.96.0.7:53"), true],
    ["another port", flow("10.96.0.7:54", "10.244.0.3:5353"), false],
    ["another address", flow("10.96.0.8:53", "10.244.0.3:5353"), false],
    ["a node port", flow("192.0.2.2:30053", "10.244.0.3:5353"), true],
    ["a node port to its endpoint", flow("192.0.2.2:30053", "10.244.0.2:5353"), false],
    ["TCP", flow("10.96.0.7:53", "10.244.0.3:5353", 6), false],
  ];
  for (const [what, one, stale] of table) {
    assert.equal(staleFlows([one], [target]).length === 1, stale, what);
  }
});

test("the kernel forgets a stale flow, and only that", { skip }, () => {
  const directory = mkdtempSync(path.join(tmpdir(), "nephos-flows-"));
  const namespace = path.join(directory, "net");
  createNetworkNamespace(namespace);
  try {
    withinNetworkNamespace(namespace, () => {
      spawnSync("ip", ["link", "set", "lo", "up"]);
      using nft = openNftables();
      nft.apply(`table ip t { chain c { type nat hook output priority -100;
        udp dport 53 dnat to 127.0.0.1:1053; udp dport 54 dnat to 127.0.0.1:1054; }; }`);
      assert.equal(spawnSync("bash", ["-c", "echo > /dev/udp/127.0.0.9/53"]).status, 0);
      assert.equal(spawnSync("bash", ["-c", "echo > /dev/udp/127.0.0.9/54"]).status, 0);
    });
    const tracked = () =>
      withinNetworkNamespace(namespace, () => {
        const listed = spawnSync("cat", ["/proc/net/nf_conntrack"], { encoding: "utf8" });
        return listed.stdout.match(/dport=5[34]\b/g) ?? [];
      });
    assert.deepEqual(tracked().sort(), ["dport=53", "dport=54"]);
    const virtualIps = ["127.0.0.9"];
    withinNetworkNamespace(namespace, () =>
      removeStaleFlows([
        { virtualIps, port: 53, endpoints: [] },
        { virtualIps, port: 54, endpoints: [{ ip: "127.0.0.1", port: 1054 }] },
      ]),
    );
    assert.deepEqual(tracked(), ["dport=54"]);
  } finally {
    removeNetworkNamespace(namespace);
    rmSync(directory, { recursive: true });
  }
});
