import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import path from "node:path";
import { after, before, test } from "node:test";
import type { Service, ServiceSpec } from "../../src/api/generated/types/core-v1.ts";
import { eventually } from "./eventually.ts";
import { askHttp } from "./http-answer.ts";
import { type InstanceUnderTest, startInstance } from "./instance-under-test.ts";
import { PEER_IMAGE, PEER_PORT, type Peers, preparePeers } from "./peers.ts";
import { askByTls, makeCertificate } from "./tls-answer.ts";

const skip = process.getuid?.() === 0 ? false : "needs root";
const OUTSIDE = "192.0.2.1";
const DOMAIN = "default.svc.cluster.local";
let instance: InstanceUnderTest;
let peers: Peers;
/** Names and addresses of the two nodes. */
let first: { name: string; ip: string };
let second: { name: string; ip: string };
/** Addresses of peers: "a" and "a2" on the first node, "b" and "b2" on the second. */
let at: Map<string, string>;
let outside: Disposable;

/** Beyond the gateway of the test's network: a peer that knows the nodes and none of the pods. */
async function startOutside(): Promise<Disposable> {
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

async function expose(name: string, spec: ServiceSpec): Promise<{ ip: string; port: number }> {
  const manifest: Service = { apiVersion: "v1", kind: "Service", metadata: { name }, spec };
  const { code, stderr } = await instance.kubectlWith(JSON.stringify(manifest), "apply", "-f", "-");
  assert.equal(code, 0, stderr);
  const made = JSON.parse(await instance.ok("get", "service", name, "-o", "json")) as Service;
  return { ip: made.spec?.clusterIP ?? "", port: made.spec?.ports?.[0]?.nodePort ?? 0 };
}

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
  instance = await startInstance("--nodes", "2");
  peers = await preparePeers(instance);
  // Host ports and the host's network are not for everybody.
  const level = "pod-security.kubernetes.io/enforce=privileged";
  await instance.ok("label", "namespace", "default", level);
  const lines = await instance.ok(
    "get",
    "nodes",
    "-o",
    "jsonpath={range .items[*]}{.metadata.name} {.status.addresses[0].address}\n{end}",
  );
  const nodes = lines.trim().split("\n");
  [first = { name: "", ip: "" }, second = { name: "", ip: "" }] = nodes.map((line) => {
    const [name = "", ip = ""] = line.split(" ");
    return { name, ip };
  });
  const labelled = (name: string, node: string) =>
    peers.manifest(name, { node, labels: { app: name, all: "yes" } });
  at = await peers.run(
    labelled("a", first.name),
    labelled("a2", first.name),
    labelled("b", second.name),
    labelled("b2", second.name),
  );
  outside = await startOutside();
});
after(async () => {
  outside?.[Symbol.dispose]();
  await instance?.[Symbol.asyncDispose]();
});

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

test("an Ingress leads to a server outside by its name, and never to the node itself", {
  skip,
}, async () => {
  for (const [name, externalName] of [
    ["away", OUTSIDE],
    ["inward", "127.0.0.1"],
  ] as const) {
    await expose(name, { type: "ExternalName", externalName });
    const backend = { service: { name, port: { number: PEER_PORT } } };
    const paths = [{ path: `/${name}`, pathType: "Prefix", backend }];
    const ingress = {
      apiVersion: "networking.k8s.io/v1",
      kind: "Ingress",
      metadata: { name },
      spec: { ingressClassName: "nephos", rules: [{ http: { paths } }] },
    };
    const made = await instance.kubectlWith(JSON.stringify(ingress), "apply", "-f", "-");
    assert.equal(made.code, 0, made.stderr);
  }
  for (const { ip } of [first, second]) {
    await eventually(`the server outside by ${ip}`, async () => {
      const direct = await askHttp(`http://${OUTSIDE}:${PEER_PORT}/away`);
      assert.equal(direct.status, 200);
      assert.deepEqual(await askHttp(`http://${ip}/away`), direct);
      return true;
    });
    await eventually(`no way inward by ${ip}`, async () => {
      assert.equal((await askHttp(`http://${ip}/inward`)).status, 503);
      return true;
    });
  }
});

/** Answers by TLS alone, with what is in the Secret "backend" when it starts. */
const SECURE = `const { readFileSync: read } = require("fs");
require("https")
  .createServer({ cert: read("/tls/tls.crt"), key: read("/tls/tls.key") }, (asked, answer) =>
    answer.end("secure " + asked.headers["x-forwarded-proto"]))
  .listen(8443);`;

test("an Ingress speaks TLS to both sides, and follows its Secrets", { skip }, async () => {
  const apply = async (...items: object[]) => {
    const list = JSON.stringify({ apiVersion: "v1", kind: "List", items });
    const { code, stderr } = await instance.kubectlWith(list, "apply", "-f", "-");
    assert.equal(code, 0, stderr);
  };
  const secret = (name: string, stringData: Record<string, string>) => ({
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name },
    type: "kubernetes.io/tls",
    stringData,
  });
  const own = makeCertificate("secure.default.svc");
  const fronts = [makeCertificate("front.example"), makeCertificate("front.example")] as const;
  const keys = ({ certificate, key }: typeof own) => ({ "tls.crt": certificate, "tls.key": key });
  const authority = (of: typeof own) =>
    secret("authority", { ...keys(own), "ca.crt": of.certificate });
  const container = {
    name: "secure",
    image: PEER_IMAGE,
    command: ["node", "-e", SECURE],
    readinessProbe: { tcpSocket: { port: 8443 }, periodSeconds: 1 },
    volumeMounts: [{ name: "tls", mountPath: "/tls" }],
  };
  const volumes = [{ name: "tls", secret: { secretName: "backend" } }];
  const ingress = (name: string, service: string, annotations: Record<string, string>) => ({
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    metadata: { name, annotations },
    spec: {
      ingressClassName: "nephos",
      tls: [{ hosts: [`${name}.example`], secretName: "front" }],
      rules: [
        {
          host: `${name}.example`,
          http: {
            paths: [
              {
                path: "/",
                pathType: "Prefix",
                backend: { service: { name: service, port: { number: 443 } } },
              },
            ],
          },
        },
      ],
    },
  });
  const port = { port: 443, targetPort: 8443 };
  await expose("secure", { selector: { app: "secure" }, ports: [port] });
  const named = { ...port, appProtocol: "https" };
  await expose("secure-named", { selector: { app: "secure" }, ports: [named] });
  const verified = { "backend-tls-verify": "on", "backend-tls-secret": "authority" };
  const prefixed = Object.entries({ "backend-protocol": "HTTPS", ...verified }).map(
    ([key, value]) => [`nephos.dev/${key}`, value] as const,
  );
  await apply(
    secret("backend", keys(own)),
    secret("front", keys(fronts[0])),
    authority(own),
    {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "secure", labels: { app: "secure" } },
      spec: { terminationGracePeriodSeconds: 0, containers: [container], volumes },
    },
    ingress("front", "secure", Object.fromEntries(prefixed)),
    ingress("named", "secure-named", {}),
    ingress("wrong", "secure", {}),
  );
  await instance.ok("wait", "--for=condition=Ready", "pod/secure", "--timeout=30s");
  const becomes = (host: string, wanted: { status: number; fingerprint?: string }) =>
    eventually(`${host} ${wanted.status} ${wanted.fingerprint ?? ""}`, async () => {
      for (const { ip } of [first, second]) {
        const answer = await askByTls({ ip, host: `${host}.example` });
        const { status, fingerprint, body } = answer;
        assert.deepEqual({ status, fingerprint }, { fingerprint, ...wanted }, body);
        if (status === 200) assert.equal(body, "secure https");
      }
      return true;
    });
  const [old, next] = fronts;
  await becomes("front", { status: 200, fingerprint: old.fingerprint });
  await becomes("named", { status: 200 });
  await becomes("wrong", { status: 502 });
  const plain = await askHttp(`http://${first.ip}/`, undefined, { host: "front.example" });
  assert.equal(plain.status, 308);

  await apply(secret("front", keys(next)));
  await becomes("front", { status: 200, fingerprint: next.fingerprint });
  await apply(authority(next));
  await becomes("front", { status: 502 });
  await apply(authority(own));
  await becomes("front", { status: 200 });
});
