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
