import assert from "node:assert/strict";
import { test } from "node:test";
import type { Node, Service } from "../../api/generated/types/core-v1.ts";
import { parseCidr } from "../../lib/ipv4.ts";
import {
  assignAddresses,
  balancerConditions,
  type Claim,
  isOurs,
  portKeys,
} from "./load-balancer-plan.ts";

function service(spec: Service["spec"] = {}, ip?: string): Service {
  return {
    metadata: { name: "web", namespace: "default" },
    spec: { type: "LoadBalancer", ports: [{ port: 80 }, { port: 53, protocol: "UDP" }], ...spec },
    ...(ip ? { status: { loadBalancer: { ingress: [{ ip }] } } } : {}),
  };
}

function node(
  address: string,
  more: { ready?: boolean; labels?: Record<string, string> } = {},
): Node {
  const { ready = true, labels = {} } = more;
  return {
    metadata: { name: address, labels },
    status: {
      addresses: [
        { type: "InternalIP", address },
        { type: "Hostname", address: "n" },
      ],
      conditions: [{ type: "Ready", status: ready ? "True" : "False" }],
    },
  };
}

const NODES_SOURCE = { from: "nodes" } as const;
const POOL = { from: "pool", range: parseCidr("198.51.100.0/30") } as const;
const held = (addresses: string[], ports: string[] = []): Claim => ({
  holder: "service default/other",
  addresses,
  ports,
});

test("ports are told apart by protocol; classes name another implementation", () => {
  assert.deepEqual(portKeys(service()), ["TCP/80", "UDP/53"]);
  assert.equal(isOurs(service()), true);
  assert.equal(isOurs(service({ loadBalancerClass: "example.com/other" })), false);
  assert.equal(isOurs(service({ type: "NodePort" })), false);
});

test("a service gets the addresses of the nodes that are ready", () => {
  const label = "node.kubernetes.io/exclude-from-external-load-balancers";
  const nodes = [
    node("192.0.2.3"),
    node("192.0.2.2"),
    node("192.0.2.4", { ready: false }),
    node("192.0.2.5", { labels: { [label]: "" } }),
  ];
  const of = { source: NODES_SOURCE, nodes, others: [] };
  assert.deepEqual(assignAddresses(service(), of), { addresses: ["192.0.2.2", "192.0.2.3"] });
  const ready = nodes.slice(2);
  assert.deepEqual(assignAddresses(service(), { ...of, nodes: ready }), {
    problem: "no node is ready to carry it",
  });
});

test("a port of the nodes belongs to one service, and the agents keep theirs", () => {
  const nodes = [node("192.0.2.2")];
  const others = [held(["192.0.2.2"], ["TCP/443", "UDP/53"])];
  const found = assignAddresses(service(), { source: NODES_SOURCE, nodes, others });
  assert.deepEqual(found, {
    problem: "port UDP/53 of the nodes already belongs to service default/other",
    ofPorts: true,
  });
  const agents = service({ ports: [{ port: 10_250 }] });
  assert.deepEqual(assignAddresses(agents, { source: NODES_SOURCE, nodes, others }), {
    problem: "port 10250 of the nodes belongs to their agents",
    ofPorts: true,
  });
});

test("a pool gives the first free address, keeps a held one and honours a wish", () => {
  const ask = (of: Service, others: Claim[] = []) =>
    assignAddresses(of, { source: POOL, nodes: [], others });
  assert.deepEqual(ask(service(), [held(["198.51.100.0"])]), { addresses: ["198.51.100.1"] });
  assert.deepEqual(ask(service({}, "198.51.100.2")), { addresses: ["198.51.100.2"] });
  assert.deepEqual(ask(service({}, "203.0.113.1")), { addresses: ["198.51.100.0"] });
  const wish = service({ loadBalancerIP: "198.51.100.3" });
  assert.deepEqual(ask(wish), { addresses: ["198.51.100.3"] });
  assert.deepEqual(ask(wish, [held(["198.51.100.3"])]), {
    problem: "address 198.51.100.3 belongs to another service",
  });
  assert.deepEqual(ask(service({ loadBalancerIP: "192.0.2.9" })), {
    problem: "address 192.0.2.9 is not in the pool",
  });
  const all = ["198.51.100.0", "198.51.100.1", "198.51.100.2", "198.51.100.3"];
  assert.deepEqual(ask(service(), [held(all)]), { problem: "every address of the pool is in use" });
});

test("a port that somebody else has is a condition, until it is free; others' stay", () => {
  const nodes = [node("192.0.2.2")];
  const others = [held([], ["TCP/80"])];
  const foreign = {
    type: "example.test/Checked",
    status: "True",
    reason: "Checked",
    message: "",
    lastTransitionTime: "2030-01-01T00:00:00Z",
  };
  const wanted = { ...service(), status: { conditions: [foreign] } };
  const nowMs = Date.parse("2030-01-01T01:00:00Z");
  const taken = assignAddresses(wanted, { source: NODES_SOURCE, nodes, others });
  const conditions = balancerConditions(wanted, { assignment: taken, nowMs });
  assert.deepEqual(conditions, [
    foreign,
    {
      type: "LoadBalancerPortsError",
      status: "True",
      reason: "PortsTaken",
      message: "port TCP/80 of the nodes already belongs to service default/other",
      lastTransitionTime: "2030-01-01T01:00:00Z",
    },
  ]);
  const free = assignAddresses(wanted, { source: NODES_SOURCE, nodes, others: [] });
  const told = { ...wanted, status: { conditions } };
  assert.deepEqual(balancerConditions(told, { assignment: free, nowMs }), [foreign]);
});
