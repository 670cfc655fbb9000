import assert from "node:assert/strict";
import { test } from "node:test";
import { startServer } from "../api-server-fixture.ts";

const PATH = "/api/v1/componentstatuses";

test("each component is asked when its status is read", async () => {
  let problem: string | undefined;
  const components = [{ name: "scheduler", check: () => problem }];
  await using api = await startServer({ components });
  const { items } = await api.ask("GET", PATH);
  const names = (items as { metadata: { name: string } }[]).map(({ metadata }) => metadata.name);
  assert.deepEqual(names, ["scheduler", "etcd-0"]);
  const healthy = { type: "Healthy", status: "True", message: "ok" };
  assert.deepEqual((await api.ask("GET", `${PATH}/etcd-0`))["conditions"], [healthy]);
  problem = "it sleeps";
  assert.deepEqual((await api.ask("GET", `${PATH}/scheduler`))["conditions"], [
    { type: "Healthy", status: "False", message: problem, error: problem },
  ]);
  await assert.rejects(api.ask("GET", `${PATH}/other`), { reason: "NotFound" });
  await assert.rejects(api.ask("POST", PATH, { metadata: { name: "x" } }), {
    reason: "MethodNotAllowed",
  });
});
