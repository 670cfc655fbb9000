import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FLOW_SCHEMAS, PRIORITY_LEVEL_CONFIGURATIONS } from "../../api/generated/resources.ts";
import type {
  FlowSchema,
  PriorityLevelConfiguration,
} from "../../api/generated/types/flowcontrol-v1.ts";
import { settle, VirtualClock } from "../../lib/virtual-clock.ts";
import { startHttpsServer } from "../api-server-fixture.ts";
import { memoryReader } from "../authorization/memory-reader.ts";
import { flowObjects } from "../bootstrap/flow-objects.ts";
import type { ObjectReader } from "../contract.ts";
import { parseTarget } from "../request/target.ts";
import { FlowControl, type Seat } from "./flow-control.ts";
import { dealHand } from "./shuffle-shard.ts";

/** Like the server's: the same array until something changes. */
function stable(reader: ReturnType<typeof memoryReader>): ObjectReader {
  const lists = new Map<string, readonly unknown[]>();
  return {
    get: (resource, at) => reader.get(resource, at),
    list: <T>(resource: Parameters<typeof reader.list<T>>[0]) => {
      const known = lists.get(resource.plural) ?? reader.list(resource);
      lists.set(resource.plural, known);
      return known as readonly T[];
    },
  };
}

function bootstrapped(): ObjectReader {
  const reader = memoryReader();
  for (const { resource, object } of flowObjects()) {
    const { name } = object.metadata;
    reader.put(resource, { ...object, metadata: { ...object.metadata, uid: `uid-of-${name}` } });
  }
  return stable(reader);
}

function request(name: string, groups: string[], of: { verb?: string; path?: string } = {}) {
  const { verb = "get", path = "/api/v1/namespaces/a/pods" } = of;
  const everybody = [...groups, "system:authenticated"];
  return { user: { name, groups: everybody }, verb, path, target: parseTarget(path) };
}

test("bootstrap schemas sort requests as upstream's do", () => {
  const flows = new FlowControl({ reader: bootstrapped(), clock: new VirtualClock() });
  const lease = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/n";
  const cases: [ReturnType<typeof request>, string, string][] = [
    [request("admin", ["system:masters"]), "exempt", "exempt"],
    [request("jane", [], { path: "/readyz" }), "probes", "exempt"],
    [request("jane", [], { path: "/version" }), "global-default", "global-default"],
    [request("system:node:n", ["system:nodes"]), "system-nodes", "system"],
    [
      request("system:node:n", ["system:nodes"], { verb: "update", path: lease }),
      "system-node-high",
      "node-high",
    ],
    [request("system:kube-scheduler", []), "kube-scheduler", "workload-high"],
    [
      request("system:serviceaccount:kube-system:x", [
        "system:serviceaccounts",
        "system:serviceaccounts:kube-system",
      ]),
      "kube-system-service-accounts",
      "workload-high",
    ],
    [
      request("system:serviceaccount:a:x", ["system:serviceaccounts"]),
      "service-accounts",
      "workload-low",
    ],
    [request("jane", ["dev"]), "global-default", "global-default"],
  ];
  for (const [asked, schema, level] of cases) {
    const { headers } = flows.visit(asked);
    assert.deepEqual(headers, [
      "X-Kubernetes-PF-FlowSchema-UID",
      `uid-of-${schema}`,
      "X-Kubernetes-PF-PriorityLevel-UID",
      `uid-of-${level}`,
    ]);
  }
});

const EVERYBODY: NonNullable<NonNullable<FlowSchema["spec"]>["rules"]> = [
  {
    subjects: [{ kind: "Group", group: { name: "*" } }],
    resourceRules: [
      { verbs: ["*"], apiGroups: ["*"], resources: ["*"], clusterScope: true, namespaces: ["*"] },
    ],
  },
];

/** One level with one seat. */
function narrow(
  limitResponse: NonNullable<
    NonNullable<PriorityLevelConfiguration["spec"]>["limited"]
  >["limitResponse"],
) {
  const reader = memoryReader();
  const clock = new VirtualClock();
  reader.put(PRIORITY_LEVEL_CONFIGURATIONS, {
    metadata: { name: "one", uid: "1" },
    spec: {
      type: "Limited",
      limited: { nominalConcurrencyShares: 1, ...(limitResponse ? { limitResponse } : {}) },
    },
  });
  reader.put(FLOW_SCHEMAS, {
    metadata: { name: "all", uid: "2" },
    spec: {
      priorityLevelConfiguration: { name: "one" },
      distinguisherMethod: { type: "ByUser" },
      rules: EVERYBODY,
    },
  });
  return { clock, flows: new FlowControl({ reader: stable(reader), clock, seats: 1 }) };
}

test("a level that rejects does so when its seats are taken", async () => {
  const { flows } = narrow({ type: "Reject" });
  const seat = flows.enter(request("jane", []));
  assert.ok(!(seat instanceof Promise));
  await assert.rejects(Promise.resolve(flows.enter(request("jane", []))), {
    code: 429,
    message: "too many requests, please try again later",
  });
  seat.release();
  assert.ok(!(flows.enter(request("jane", [])) instanceof Promise));
});

test("those who wait are served in turns, however many of one flow there are", async () => {
  const queuing = { queues: 16, handSize: 1, queueLengthLimit: 10 };
  const { flows } = narrow({ type: "Queue", queuing });
  const first = flows.enter(request("first", [])) as Seat;
  const order: string[] = [];
  const wait = (name: string) =>
    Promise.resolve(flows.enter(request(name, []))).then((seat) => {
      order.push(name);
      return seat;
    });
  const waiting = [wait("loud"), wait("loud"), wait("loud"), wait("quiet")];
  first.release();
  for (let served = 0; served < waiting.length; served++) {
    await settle();
    assert.equal(order.length, served + 1, "one seat, one request");
    const seats = await Promise.race(waiting.map((each) => each));
    seats.release();
  }
  assert.ok(order.indexOf("quiet") <= 1, order.join());
});

test("a level that is full borrows from those that are idle, and gives back what they need", async () => {
  const clock = new VirtualClock();
  const flows = new FlowControl({ reader: bootstrapped(), clock, seats: 245 });
  const ofWork = request("system:serviceaccount:a:x", ["system:serviceaccounts"]);
  const ofSystem = request("system:node:n", ["system:nodes"]);
  const seats: Seat[] = [];
  const takeAll = () => {
    const before = seats.length;
    for (;;) {
      const seat = flows.enter(ofWork);
      if (seat instanceof Promise) {
        seat.catch(() => {});
        return seats.length - before;
      }
      seats.push(seat);
    }
  };
  await clock.advance(1_000);
  const taken = takeAll();
  // 100 of its own, and 90 percent of workload-low's are its to lend, not to borrow.
  assert.ok(taken > 120, `${taken} seats`);
  let admitted = 0;
  const ask = () => {
    for (let asked = 0; asked < 15; asked++) {
      const seat = flows.enter(ofSystem);
      if (seat instanceof Promise) seat.then(() => admitted++).catch(() => {});
      else admitted++;
    }
  };
  for (let second = 0; second < 3; second++) {
    await clock.advance(1_000);
    ask();
  }
  await settle();
  assert.ok(admitted >= 30, `${admitted} admitted`);
  await clock.advance(20_000);
});

test("a full queue refuses at once, a long wait in the end", async () => {
  const queuing = { queues: 1, handSize: 1, queueLengthLimit: 1 };
  const { flows, clock } = narrow({ type: "Queue", queuing });
  assert.ok(!(flows.enter(request("a", [])) instanceof Promise));
  const second = Promise.resolve(flows.enter(request("b", [])));
  const third = Promise.resolve(flows.enter(request("c", [])));
  await assert.rejects(third, { code: 429 });
  const refused = assert.rejects(second, { code: 429 });
  await clock.advance(15_000);
  await refused;
  assert.equal(clock.pendingTimers, 0);
});

test("a hand has as many different queues as it should, the same for the same flow", () => {
  fc.assert(
    fc.property(fc.string(), fc.integer({ min: 1, max: 128 }), (flow, queues) => {
      const handSize = Math.min(8, queues);
      const hand = dealHand(flow, { queues, handSize });
      assert.equal(new Set(hand).size, handSize);
      assert.ok(hand.every((card) => card >= 0 && card < queues));
      assert.deepEqual(dealHand(flow, { queues, handSize }), hand);
    }),
  );
});

test("answers say which schema and level decided, schemas whether their level exists", async () => {
  await using api = await startHttpsServer(Date.now(), { flowControl: true });
  const base = "/apis/flowcontrol.apiserver.k8s.io/v1";
  const limited = { nominalConcurrencyShares: 1, limitResponse: { type: "Reject" } };
  const level = { metadata: { name: "one" }, spec: { type: "Limited", limited } };
  const spec = { priorityLevelConfiguration: { name: "one" }, rules: EVERYBODY };
  const schema = await api.ask("POST", `${base}/flowschemas`, { metadata: { name: "all" }, spec });
  const dangling = async (status: string) => {
    for (let turn = 0; turn < 10_000; turn++) {
      const { status: is } = await api.ask("GET", `${base}/flowschemas/all`);
      const { conditions = [] } = is as { conditions?: { status: string }[] };
      if (conditions[0]?.status === status) return;
      await settle();
    }
    throw new assert.AssertionError({ message: `Dangling never became ${status}` });
  };
  await dangling("True");
  const made = await api.ask("POST", `${base}/prioritylevelconfigurations`, level);
  await dangling("False");
  for (const path of ["/api/v1/pods", "/api/v1/namespaces/a/pods/none"]) {
    const { headers } = await api.http(path);
    assert.equal(headers["x-kubernetes-pf-flowschema-uid"], schema.metadata["uid"]);
    assert.equal(headers["x-kubernetes-pf-prioritylevel-uid"], made.metadata["uid"]);
  }
});
