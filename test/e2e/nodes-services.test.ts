import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { ServiceSpec } from "../../src/api/generated/types/core-v1.ts";
import { eventually } from "./eventually.ts";
import { askHttp } from "./http-answer.ts";
import type { InstanceUnderTest } from "./instance-under-test.ts";
import { PEER_PORT, type Peers } from "./peers.ts";
import { OUTSIDE, startTwoNodes, type TestNode, type TwoNodes } from "./two-nodes.ts";

const skip = process.getuid?.() === 0 ? false : "needs root";
const DOMAIN = "default.svc.cluster.local";
let cluster: TwoNodes;
let instance: InstanceUnderTest;
let peers: Peers;
let first: TestNode;
let second: TestNode;
/** Addresses of peers: "a" and "a2" on the first node, "b" and "b2" on the second. */
let at: Map<string, string>;

const expose = (name: string, spec: ServiceSpec) => cluster.expose(name, spec);
const address = (name: string) => at.get(name) ?? "";
const http = { port: 80, targetPort: PEER_PORT };
const fetchFrom = (name: string, url: string) => peers.ask(address(name), "get", { url });

/** Waits until the rules of both nodes know the Service. */
async function answers(url: string, wanted: (text: string) => boolean): Promise<void> {
  for (const from of ["a", "b"]) {
    await eventually(`${url} from ${from}`, async () => {
      const text = await fetchFrom(from, url);
      if (!wanted(text)) throw new Error(text);
      return true;
    });
  }
}

before(async () => {
  if (skip) return;
  cluster = await startTwoNodes();
  ({ instance, peers, first, second } = cluster);
  const labelled = (name: string, node: string) =>
    peers.manifest(name, { node, labels: { app: name, all: "yes" } });
  at = await peers.run(
    labelled("a", first.name),
    labelled("a2", first.name),
    labelled("b", second.name),
    labelled("b2", second.name),
  );
});
after(() => cluster?.[Symbol.asyncDispose]());

test("a client sticks to its endpoint when the Service asks for it", { skip }, async () => {
  const selector = { all: "yes" };
  const names = new Set(["a", "a2", "b", "b2"]);
  await expose("any", { selector, ports: [http] });
  await expose("sticky", { selector, ports: [http], sessionAffinity: "ClientIP" });
  const seen = async (from: string, service: string) => {
    await answers(`http://${service}`, (text) => names.has(text));
    const asked = Array.from({ length: 40 }, () => fetchFrom(from, `http://${service}`));
    return new Set(await Promise.all(asked));
  };
  for (const from of ["a", "b"]) {
    assert.deepEqual(await seen(from, "any"), names);
    assert.equal((await seen(from, "sticky")).size, 1);
  }
});

test("a Service that prefers what is close stays in the zone of its client", { skip }, async () => {
  const zone = "topology.kubernetes.io/zone";
  await instance.ok("label", "node", first.name, `${zone}=one`);
  await instance.ok("label", "node", second.name, `${zone}=two`);
  const all = { selector: { all: "yes" }, ports: [http] };
  await expose("close", { ...all, trafficDistribution: "PreferClose" });
  await expose("shared", all);
  await instance.ok("annotate", "service", "shared", "service.kubernetes.io/topology-mode=Auto");
  const seen = async (from: string, service: string) => {
    const asked = Array.from({ length: 12 }, () => fetchFrom(from, `http://${service}`));
    return [...new Set(await Promise.all(asked))].toSorted().join(" ");
  };
  for (const service of ["close", "shared"]) {
    for (const [from, wanted] of [
      ["a", "a a2"],
      ["b", "b b2"],
    ] as const) {
      await eventually(`${service} for ${from}`, async () => {
        const names = await seen(from, service);
        if (names !== wanted) throw new Error(names);
        return true;
      });
    }
  }
  await instance.ok("label", "node", first.name, second.name, `${zone}-`);
  await eventually("who asks everybody", async () => (await seen("a", "close")).length > 4);
});

test("a pod reaches itself through its Service", { skip }, async () => {
  for (const [name, node] of [
    ["a", first],
    ["b", second],
  ] as const) {
    const { ip, port } = await expose(`self-${name}`, {
      type: "NodePort",
      selector: { app: name },
      ports: [http],
    });
    await answers(`http://${ip}`, (text) => text === name);
    assert.equal(await fetchFrom(name, `http://${ip}`), name);
    assert.equal(await fetchFrom(name, `http://${node.ip}:${port}`), name);
  }
});

test("a load balancer answers on the addresses of the nodes, each port once", {
  skip,
}, async () => {
  const ports = [{ port: 8088, targetPort: PEER_PORT }];
  const spec = { type: "LoadBalancer" as const, selector: { app: "a" }, ports };
  await expose("balanced", spec);
  const jsonpath = "-o=jsonpath={.status.loadBalancer.ingress[*].ip}";
  const ips = (name: string) => instance.ok("get", "service", name, jsonpath);
  const both = [first.ip, second.ip].toSorted().join(" ");
  await eventually("its addresses", async () => {
    assert.equal(await ips("balanced"), both);
    return true;
  });
  for (const { ip } of [first, second]) {
    await answers(`http://${ip}:8088`, (text) => text === "a");
    assert.equal((await askHttp(`http://${ip}:8088`)).body, "a");
  }
  const ranges = JSON.stringify({ spec: { loadBalancerSourceRanges: [`${OUTSIDE}/32`] } });
  await instance.ok("patch", "service", "balanced", "-p", ranges);
  const url = `http://${first.ip}:8088`;
  await eventually("silence for strangers", () =>
    askHttp(url).then(
      () => false,
      () => true,
    ),
  );
  assert.equal(await peers.ask(OUTSIDE, "get", { url }), "a");
  await expose("late", spec);
  await eventually("its refusal", async () => {
    const reason = "--field-selector=reason=SyncLoadBalancerFailed";
    const told = await instance.ok("get", "events", reason, "-o=jsonpath={.items[*].message}");
    assert.match(told, /port TCP\/8088 of the nodes already belongs to service default\/balanced/);
    return true;
  });
  assert.equal(await ips("late"), "");
});

test("a Service without endpoints refuses at once", { skip }, async () => {
  const { ip, port } = await expose("nobody", {
    type: "NodePort",
    selector: { app: "nobody" },
    ports: [http],
  });
  for (const url of [`http://${ip}`, `http://${first.ip}:${port}`, `http://${second.ip}:${port}`]) {
    await answers(url, (text) => text === "502 ECONNREFUSED");
    await assert.rejects(askHttp(url), { code: "ECONNREFUSED" });
  }
});

test("an ExternalName is an alias", { skip }, async () => {
  await expose("alias", { type: "ExternalName", externalName: `kubernetes.${DOMAIN}` });
  for (const from of [address("a"), address("b")]) {
    const name = `alias.${DOMAIN}`;
    await eventually("the alias", async () => {
      const target = await peers.ask(from, "dns", { name, type: "CNAME" });
      return target === `["kubernetes.${DOMAIN}"]`;
    });
    assert.equal(await peers.ask(from, "dns", { name }), '["10.96.0.1"]');
  }
});

test("a headless Service names every pod", { skip }, async () => {
  const port = { name: "web", port: PEER_PORT };
  await expose("set", { clusterIP: "None", selector: { in: "set" }, ports: [port] });
  const member = (name: string, node: string) =>
    peers.manifest(name, {
      labels: { in: "set" },
      spec: { nodeName: node, hostname: name, subdomain: "set" },
    });
  const addresses = await peers.run(member("set-0", first.name), member("set-1", second.name));
  const wanted = new Set<unknown>(addresses.values());
  for (const from of [address("a"), address("b")]) {
    const records = async (type: string, name: string) => {
      const text = await peers.ask(from, "dns", { name, type });
      return text.startsWith("[") ? (JSON.parse(text) as unknown[]) : [];
    };
    await eventually("both addresses", async () => {
      return (await records("A", `set.${DOMAIN}`)).length === 2;
    });
    assert.deepEqual(new Set(await records("A", `set.${DOMAIN}`)), wanted);
    for (const [name, ip] of addresses) {
      assert.deepEqual(await records("A", `${name}.set.${DOMAIN}`), [ip]);
    }
    const found = (await records("SRV", `_web._tcp.set.${DOMAIN}`)) as {
      name: string;
      port: number;
    }[];
    const targets = found.map(({ name, port: number }) => `${name}:${number}`).sort();
    assert.deepEqual(
      targets,
      ["set-0", "set-1"].map((name) => `${name}.set.${DOMAIN}:${PEER_PORT}`),
    );
  }
});

test("a host port answers on its own node only", { skip }, async () => {
  const hostPort = 18_090;
  const container = { ports: [{ containerPort: PEER_PORT, hostPort }] };
  await peers.run(
    peers.manifest("ported", { node: second.name, container }),
    peers.manifest("ported-1", {
      node: first.name,
      container: { ports: [{ containerPort: PEER_PORT, hostPort: hostPort + 1 }] },
    }),
  );
  for (const [ip, port, name] of [
    [second.ip, hostPort, "ported"],
    [first.ip, hostPort + 1, "ported-1"],
  ] as const) {
    await answers(`http://${ip}:${port}`, (text) => text === name);
    assert.equal((await askHttp(`http://${ip}:${port}`)).body, name);
    const url = `http://${ip}:${port}`;
    assert.equal(await peers.ask(await peers.address(name), "get", { url }), name);
    assert.equal(await peers.ask(OUTSIDE, "get", { url }), name);
  }
  await assert.rejects(askHttp(`http://${first.ip}:${hostPort}`), { code: "ECONNREFUSED" });
});

test("pods on the host's network have the node's address and the cluster's DNS", {
  skip,
}, async () => {
  const port = 18_100;
  const env = { LISTEN_HTTP: `${port}`, LISTEN_UDP: `${port + 1}` };
  const spec = { hostNetwork: true, dnsPolicy: "ClusterFirstWithHostNet" as const };
  const host = (name: string, nodeName: string) =>
    peers.manifest(name, { env, spec: { ...spec, nodeName } });
  const found = await peers.run(host("host-1", first.name), host("host-2", second.name));
  assert.deepEqual([...found.values()], [first.ip, second.ip]);
  for (const { ip } of [first, second]) {
    for (const from of ["a", "b"]) {
      assert.match(await fetchFrom(from, `http://${ip}:${port}/`), /./);
    }
    const name = `kubernetes.${DOMAIN}`;
    const { body } = await askHttp(`http://${ip}:${port}/dns?name=${name}`);
    assert.equal(body, '["10.96.0.1"]');
    for (const pod of ["a", "b"]) {
      const url = encodeURIComponent(`http://${address(pod)}:${PEER_PORT}/`);
      assert.equal((await askHttp(`http://${ip}:${port}/get?url=${url}`)).body, pod);
    }
  }
});

test("a UDP client is led to the new endpoint from the same port", { skip }, async () => {
  const backend = (name: string) =>
    peers.manifest(name, { node: second.name, labels: { app: "udp" } });
  await peers.run(backend("udp-1"));
  const { ip, port } = await expose("udp", {
    type: "NodePort",
    selector: { app: "udp" },
    ports: [{ protocol: "UDP", port: 53, targetPort: PEER_PORT + 1 }],
  });
  const targets = [
    { host: ip, port: "53", from: "20001" },
    { host: first.ip, port: `${port}`, from: "20002" },
    { host: second.ip, port: `${port}`, from: "20003" },
  ];
  const led = (name: string) =>
    Promise.all(
      targets.flatMap((target) =>
        ["a", "b"].map((from) =>
          eventually(`${name} at ${target.host} from ${from}`, async () => {
            const text = await peers.ask(address(from), "udp", target);
            if (text !== name) throw new Error(text);
            return true;
          }),
        ),
      ),
    );
  await led("udp-1");
  await peers.run(backend("udp-2"));
  await instance.ok("delete", "pod", "udp-1");
  await led("udp-2");
});

test("pods of both nodes reach the world behind the machine's address", { skip }, async () => {
  for (const from of ["a", "b"]) {
    assert.equal(await fetchFrom(from, `http://${OUTSIDE}:${PEER_PORT}/client`), first.ip);
  }
});

test("a Local Service keeps the client's address and asks its own pods alone", {
  skip,
}, async () => {
  const spec = { type: "NodePort" as const, selector: { app: "b" }, ports: [http] };
  const local = await expose("local", { ...spec, externalTrafficPolicy: "Local" });
  const cluster = await expose("cluster", spec);
  const world = (ip: string, port: number) =>
    peers.ask(OUTSIDE, "get", { url: `http://${ip}:${port}/client` });
  const settled = (url: string) => answers(url, (text) => text === "b");
  await settled(`http://${cluster.ip}`);
  await settled(`http://${local.ip}`);
  assert.match(await world(first.ip, cluster.port), /^10\.244\./);
  assert.equal(await world(second.ip, local.port), OUTSIDE);
  assert.equal(await world(first.ip, local.port), "502 ECONNREFUSED");
  // What comes from inside the cluster does not care where the endpoint is.
  for (const { ip } of [first, second]) await settled(`http://${ip}:${local.port}`);
  assert.equal((await askHttp(`http://${first.ip}:${local.port}`)).body, "b");
  const healthPort = 31_123;
  const balanced = { type: "LoadBalancer" as const, selector: { app: "b" } };
  await expose("local-balanced", {
    ...balanced,
    ports: [{ port: 8099, targetPort: PEER_PORT }],
    externalTrafficPolicy: "Local",
    healthCheckNodePort: healthPort,
  });
  for (const [{ ip }, status, count] of [
    [first, 503, 0],
    [second, 200, 1],
  ] as const) {
    await eventually(`health at ${ip}`, async () => {
      const answer = await askHttp(`http://${ip}:${healthPort}`);
      assert.equal(answer.status, status);
      assert.match(answer.body, new RegExp(`"localEndpoints":${count}\\b`));
      return true;
    });
  }
});
