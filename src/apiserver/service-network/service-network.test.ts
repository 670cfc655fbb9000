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
