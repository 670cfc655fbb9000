import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import {
  createNetworkNamespace,
  removeNetworkNamespace,
  withinNetworkNamespace,
} from "../../sys/network-namespace.ts";
import { openNftables } from "../../sys/nft/nftables.ts";
import type { ServicePort } from "./contract.ts";
import { planRules, type RuleSet } from "./rule-plan.ts";
import { baseRules, renderHostPort, renderServicePort } from "./rules.ts";

const skip = process.getuid?.() === 0 ? false : "needs root";
const options = {
  table: "nephos-test",
  podCidr: "10.244.0.0/24",
  clusterCidr: "10.244.0.0/16",
  serviceCidr: "10.96.0.0/16",
  linkPrefix: "nph",
  nodeAddress: "10.244.0.1",
  localAddresses: ["10.96.0.10"],
};

const endpoint = fc.record({
  ip: fc.integer({ min: 2, max: 9 }).map((last) => `10.244.0.${last}`),
  port: fc.constantFrom(80, 8080),
});
const endpoints = fc.uniqueArray(endpoint, {
  maxLength: 4,
  selector: ({ ip, port }) => `${ip}:${port}`,
});
const servicePort = (index: number) =>
  fc
    .record(
      {
        endpoints,
        nodePort: fc.constant(30_000 + index),
        affinitySeconds: fc.constant(60),
        localExternalEndpoints: endpoints,
        externalIps: fc.constant([`192.0.2.${index}`]),
        balancedIps: fc.constant([`198.51.100.${index}`]),
        sourceRanges: fc.constantFrom([], ["203.0.113.0/24", "10.0.0.0/8"]),
        protocol: fc.constantFrom("TCP" as const, "UDP" as const),
      },
      { requiredKeys: ["endpoints", "protocol"] },
    )
    .map((port): ServicePort => {
      return { id: `default/s${index}:http`, port: 80, virtualIps: [`10.96.1.${index}`], ...port };
    });
const ruleSet = fc
  .tuple(fc.option(servicePort(1)), fc.option(servicePort(2)), fc.option(servicePort(3)))
  .map((ports) => ports.filter((port) => port !== null))
  .map((ports): RuleSet => new Map(ports.map((port) => [port.id, renderServicePort(port)])));

test("the kernel accepts every sequence of changes, and ends where a fresh table would", {
  skip,
}, () => {
  const directory = mkdtempSync(path.join(tmpdir(), "nephos-rules-"));
  const namespace = path.join(directory, "net");
  createNetworkNamespace(namespace);
  try {
    withinNetworkNamespace(namespace, () => {
      using nft = openNftables();
      const listing = () =>
        nft.query(`list table ip ${options.table}`).split("\n").sort().join("\n");
      fc.assert(
        fc.property(fc.array(ruleSet, { minLength: 1, maxLength: 4 }), (states) => {
          nft.apply(baseRules(options));
          let before: RuleSet = new Map();
          for (const after of states) {
            nft.apply(planRules(options.table, before, after));
            before = after;
          }
          const reached = listing();
          nft.apply(baseRules(options) + planRules(options.table, new Map(), before));
          assert.equal(reached, listing());
        }),
        { numRuns: 40 },
      );
    });
  } finally {
    removeNetworkNamespace(namespace);
    rmSync(directory, { recursive: true });
  }
});

test("no change makes no transaction", () => {
  fc.assert(fc.property(ruleSet, (state) => planRules("t", state, state) === ""));
});

test("an address that serves itself is not translated, but leads from a node's port", () => {
  const ip = "10.96.0.1";
  const port = { id: "default/kubernetes:https", protocol: "TCP", port: 443 } as const;
  const itself = { ...port, virtualIps: [ip], endpoints: [{ ip, port: 443 }], nodePort: 30443 };
  assert.deepEqual([...renderServicePort(itself).elements.keys()], ["nodeports tcp . 30443"]);
  const elsewhere = { ...itself, endpoints: [{ ip, port: 6443 }] };
  assert.ok(renderServicePort(elsewhere).elements.has(`services ${ip} . tcp . 443`));
});

test("only the named networks reach a balanced address", () => {
  const port: ServicePort = {
    id: "default/web:http",
    protocol: "TCP",
    port: 80,
    virtualIps: ["10.96.0.7"],
    endpoints: [{ ip: "10.244.0.2", port: 8080 }],
    balancedIps: ["192.0.2.7"],
    sourceRanges: ["203.0.113.0/24"],
  };
  const { chains, elements } = renderServicePort(port);
  const chain = elements.get("services 192.0.2.7 . tcp . 80")?.replace("goto ", "") ?? "";
  const rules = chains.get(chain) ?? [];
  assert.equal(rules[0], "ip saddr != { 203.0.113.0/24 } drop");
  assert.equal(rules.at(-1), "drop");
  assert.notEqual(elements.get("services 10.96.0.7 . tcp . 80"), `goto ${chain}`);
});

test("a host port on one address does not answer on the others", () => {
  const rule = { hostPort: 80, protocol: "TCP", podIp: "10.244.0.2", containerPort: 8080 };
  assert.ok(renderHostPort(rule).elements.has("nodeports tcp . 80"));
  const bound = renderHostPort({ ...rule, hostIp: "192.0.2.7" });
  assert.ok(bound.elements.has("services 192.0.2.7 . tcp . 80"));
});
