import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import {
  createNetworkNamespace,
  removeNetworkNamespace,
  withinNetworkNamespace,
} from "../sys/network-namespace.ts";
import { openNftables } from "../sys/nft/nftables.ts";
import { hostRules } from "./host-rules.ts";

const skip = process.getuid?.() === 0 ? false : "needs root";
const OPTIONS = {
  table: "probe",
  podCidr: "10.244.0.0/24",
  clusterCidr: "10.244.0.0/16",
  linkPrefix: "cabc",
  gateway: "10.244.0.1",
};

test("nftables takes the rules, and again with other ports", { skip }, () => {
  const directory = mkdtempSync(path.join(tmpdir(), "nephos-nft-"));
  const namespace = path.join(directory, "net");
  createNetworkNamespace(namespace);
  try {
    withinNetworkNamespace(namespace, () => {
      using nft = openNftables();
      const port = { hostPort: 53, containerPort: 5353, podIp: "10.244.0.7" } as const;
      const here = { ...port, hostIp: "127.0.0.1", protocol: "UDP" } as const;
      nft.apply(hostRules(OPTIONS, [{ ...port, protocol: "TCP" }, here]));
      const rules = nft.query("list chain ip probe ports");
      assert.match(rules, /tcp dport 53 dnat to 10\.244\.0\.7:5353/);
      assert.match(rules, /ip daddr 127\.0\.0\.1 udp dport 53 dnat to 10\.244\.0\.7:5353/);
      nft.apply(hostRules(OPTIONS, []));
      assert.doesNotMatch(nft.query("list chain ip probe ports"), /dnat/);
    });
  } finally {
    removeNetworkNamespace(namespace);
    rmSync(directory, { recursive: true });
  }
});
