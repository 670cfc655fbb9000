import assert from "node:assert/strict";
import { test } from "node:test";
import { startHttpsServer } from "../api-server-fixture.ts";

const SERVICES = "/api/v1/namespaces/default/services";

test("a NodePort Service becomes an ExternalName by naming the type alone", async () => {
  await using api = await startHttpsServer(Date.now());
  const metadata = { name: "web" };
  const ports = [{ port: 80 }];
  await api.ask("POST", SERVICES, { metadata, spec: { type: "NodePort", ports } });
  const before = (await api.http(`${SERVICES}/web`)).text;
  const service = JSON.parse(before) as { spec: object };
  const spec = { ...service.spec, type: "ExternalName", externalName: "example.org" };
  const path = `${SERVICES}/web`;
  const answer = await api.http(path, {
    method: "PUT",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ ...service, spec }),
  });
  assert.equal(answer.status, 200, answer.text);
  const after = JSON.parse(answer.text) as { spec: object };
  assert.doesNotMatch(JSON.stringify(after.spec), /clusterIP|externalTrafficPolicy|nodePort/);
});

test("addresses that are named twice must be the same", async () => {
  await using api = await startHttpsServer(Date.now());
  const service = (clusterIP: string, clusterIPs: string[]) => ({
    metadata: { name: "web" },
    spec: { clusterIP, clusterIPs, ports: [{ port: 80 }] },
  });
  for (const [one, list] of [
    ["None", ["x"]],
    ["10.96.7.7", ["10.96.7.8"]],
    ["None", ["None", "10.96.7.7"]],
  ] as const) {
    const asked = api.ask("POST", SERVICES, service(one, [...list]));
    await assert.rejects(asked, { reason: "Invalid", message: /spec\.clusterIPs/ });
  }
  await api.ask("POST", SERVICES, service("10.96.7.7", ["10.96.7.7"]));
});

test("what is said of families is judged before an address is taken", async () => {
  await using api = await startHttpsServer(Date.now());
  const one = '[]string{"10.96.7.7", "2001:db8::1"}';
  const both = { clusterIP: "10.96.7.7", clusterIPs: ["10.96.7.7", "2001:db8::1"] };
  const rows: [spec: object, ...wanted: string[]][] = [
    [{ ipFamilies: ["IPv4", "IPv4"] }, 'spec.ipFamilies[1]: Duplicate value: "IPv4"'],
    [
      { ipFamilies: ["IPv4", "IPv6"] },
      "spec.ipFamilyPolicy: Invalid value: \"SingleStack\": must be 'RequireDualStack' or 'PreferDualStack' when multiple IP families are specified",
    ],
    [
      { ...both },
      "spec.ipFamilyPolicy: Invalid value: \"SingleStack\": must be 'RequireDualStack' or 'PreferDualStack' when multiple cluster IPs are specified",
      `spec.clusterIPs[1]: Invalid value: ${one}: IPv6 is not configured on this cluster`,
    ],
    [
      { ipFamilyPolicy: "RequireDualStack", ipFamilies: ["IPv6"] },
      'spec.ipFamilyPolicy: Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services',
      'spec.ipFamilies[0]: Invalid value: "IPv6": not configured on this cluster',
    ],
    [
      { clusterIP: "192.0.2.1" },
      'spec.clusterIPs: Invalid value: []string{"192.0.2.1"}: failed to allocate IP 192.0.2.1: the provided IP (192.0.2.1) is not in the valid range. The range of valid IPs is 10.96.0.0/16',
    ],
    [
      { type: "ClusterIP", ports: [{ port: 80, nodePort: 80 }] },
      "spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'",
    ],
  ];
  for (const [spec, ...wanted] of rows) {
    const service = { metadata: { name: "web" }, spec: { ports: [{ port: 80 }], ...spec } };
    await assert.rejects(api.ask("POST", SERVICES, service), ({ message }: Error) => {
      for (const text of wanted) assert.ok(message.includes(text), `${message} has no ${text}`);
      return true;
    });
  }
});

test("an address stays, and the policy of families that is left out", async () => {
  await using api = await startHttpsServer(Date.now());
  const ports = [{ port: 80 }];
  const selector = { app: "web" };
  const headless = { clusterIP: "None", ports, selector };
  const made = await api.ask("POST", SERVICES, { metadata: { name: "web" }, spec: { ports } });
  const spec = { ports, clusterIP: "10.96.9.9", clusterIPs: ["10.96.9.9"] };
  const moved = api.ask("PUT", `${SERVICES}/web`, { ...made, spec });
  await assert.rejects(moved, { reason: "Invalid", message: /may not change once set/ });
  const same = { ...(made["spec"] as object), clusterIP: "" };
  const kept = await api.ask("PUT", `${SERVICES}/web`, { ...made, spec: same });
  assert.deepEqual(kept["spec"], made["spec"]);
  await api.ask("POST", SERVICES, { metadata: { name: "db" }, spec: headless });
  const open = { clusterIP: "None", ports };
  const changed = await api.ask("PUT", `${SERVICES}/db`, { metadata: { name: "db" }, spec: open });
  const { ipFamilyPolicy, ipFamilies } = changed["spec"] as Record<string, unknown>;
  assert.deepEqual([ipFamilyPolicy, ipFamilies], ["SingleStack", ["IPv4"]]);
});

test("a dry run keeps neither an address nor a port", async () => {
  await using api = await startHttpsServer(Date.now());
  const service = (name: string) => ({
    metadata: { name },
    spec: { type: "NodePort", clusterIP: "10.96.7.7", ports: [{ port: 80, nodePort: 30_777 }] },
  });
  const tried = await api.ask("POST", `${SERVICES}?dryRun=All`, service("tried"));
  assert.equal((tried["spec"] as { clusterIP: string }).clusterIP, "10.96.7.7");
  await api.ask("POST", SERVICES, service("kept"));
  await assert.rejects(api.ask("POST", SERVICES, service("late")), { reason: "Invalid" });
  await api.ask("DELETE", `${SERVICES}/kept?dryRun=All`);
  await assert.rejects(api.ask("POST", SERVICES, service("late")), { reason: "Invalid" });
});

test("what a type has goes with it, and ports keep their node ports by their names", async () => {
  await using api = await startHttpsServer(Date.now());
  const metadata = { name: "web" };
  const balanced = { type: "LoadBalancer", externalTrafficPolicy: "Local" };
  const ports = [
    { name: "a", port: 80 },
    { name: "b", port: 81 },
  ];
  type Made = { spec: { ports: { nodePort?: number }[]; healthCheckNodePort?: number } };
  const path = `${SERVICES}/web`;
  const put = async (spec: object) =>
    (await api.ask("PUT", path, { metadata, spec })) as unknown as Made & Record<string, unknown>;
  const nodePorts = ({ spec }: Made) => spec.ports.map(({ nodePort }) => nodePort);
  const made = await api.ask("POST", SERVICES, { metadata, spec: { ...balanced, ports } });
  const before = made as unknown as Made;
  assert.ok(before.spec.healthCheckNodePort);
  const ingress = [{ ip: "192.0.2.1" }];
  await api.ask("PUT", `${path}/status`, { metadata, status: { loadBalancer: { ingress } } });
  const moved = await put({ ...balanced, ports: [ports[1], { name: "a", port: 90 }] });
  assert.deepEqual(nodePorts(moved), nodePorts(before).toReversed());
  const local = { type: "NodePort", externalTrafficPolicy: "Local" };
  const { healthCheckNodePort } = before.spec;
  const node = await put({ ...local, healthCheckNodePort, ports });
  assert.deepEqual(nodePorts(node), nodePorts(before));
  assert.equal(node.spec.healthCheckNodePort, undefined);
  assert.deepEqual(node["status"], { loadBalancer: {} });
  const refused = api.ask("PUT", `${path}/status`, {
    metadata,
    status: { loadBalancer: { ingress } },
  });
  await assert.rejects(refused, {
    message: /may only be used when `spec\.type` is 'LoadBalancer'/,
  });
  const without = { type: "LoadBalancer", allocateLoadBalancerNodePorts: false };
  assert.deepEqual(nodePorts(await put({ ...without, ports })), [undefined, undefined]);
});

test("an ExternalName has no address, be it None", async () => {
  await using api = await startHttpsServer(Date.now());
  const spec = { type: "ExternalName", externalName: "example.org", clusterIP: "None" };
  const asked = api.ask("POST", SERVICES, { metadata: { name: "web" }, spec });
  await assert.rejects(asked, { message: /spec\.clusterIPs: Forbidden/ });
});

test("an ExternalName has no policy for the cluster's traffic, and none that is unknown", async () => {
  await using api = await startHttpsServer(Date.now());
  const spec = { type: "ExternalName", externalName: "example.org" };
  const asked = (internalTrafficPolicy: string) => ({
    metadata: { name: "web" },
    spec: { ...spec, internalTrafficPolicy },
  });
  const made = await api.ask("POST", SERVICES, asked("Cluster"));
  assert.equal("internalTrafficPolicy" in (made["spec"] as object), false);
  const refused = api.ask("POST", SERVICES, asked("Other"));
  await assert.rejects(refused, { message: /spec\.internalTrafficPolicy: Unsupported value/ });
});
