import assert from "node:assert/strict";
import { test } from "node:test";
import type { StatusError } from "../../api/errors.ts";
import {
  type AnyObject,
  type ServerFixture,
  startHttpsServer,
  startServer,
} from "../api-server-fixture.ts";

const MAPS = "/api/v1/namespaces/default/configmaps";
const JOBS = "/apis/batch/v1/namespaces/default/jobs";
const REVISIONS = "/apis/apps/v1/namespaces/default/controllerrevisions";

function refusal(asked: Promise<unknown>): Promise<StatusError["status"]> {
  return asked.then(
    () => assert.fail("the request was not refused"),
    ({ status }: StatusError) => status,
  );
}

async function namesIn(api: ServerFixture): Promise<string> {
  const { items } = await api.ask("GET", MAPS);
  return (items as AnyObject[]).map(({ metadata }) => metadata["name"]).join("");
}

test("a collection is deleted page by page when the request says so", async () => {
  await using api = await startServer();
  for (const name of ["a", "b", "c", "d"]) await api.ask("POST", MAPS, { metadata: { name } });
  const page = await api.ask("DELETE", `${MAPS}?limit=2`);
  assert.equal((page["items"] as unknown[]).length, 2);
  assert.equal(await namesIn(api), "cd");
  const more = page.metadata["continue"] as string;
  await api.ask("DELETE", `${MAPS}?continue=${more}&limit=1`);
  assert.equal(await namesIn(api), "d");
  const refused = await refusal(api.ask("DELETE", `${MAPS}?continue=nonsense`));
  assert.equal(refused.reason, "BadRequest");
  assert.equal(await namesIn(api), "d");
});

test("only what a kind offers can be asked of it", async () => {
  await using api = await startServer();
  const answers: readonly (readonly [string, string, number])[] = [
    ["DELETE", "/api/v1/namespaces", 405],
    ["GET", "/api/v1/namespaces/default/bindings", 405],
    ["GET", "/api/v1/namespaces/default/finalize", 405],
    ["POST", "/api/v1/configmaps", 405],
    ["GET", "/api/v1/configmaps/a", 404],
    ["PUT", MAPS, 405],
    ["POST", "/apis/authorization.k8s.io/v1/localsubjectaccessreviews", 404],
  ];
  for (const [method, path, code] of answers) {
    const body = method === "GET" || method === "DELETE" ? undefined : {};
    assert.equal((await refusal(api.ask(method, path, body))).code, code, `${method} ${path}`);
  }
});

test("objects larger than what a store takes are refused as such", async () => {
  await using api = await startServer();
  const revision = (bytes: number) => ({
    metadata: { name: "large" },
    revision: 1,
    data: { text: "x".repeat(bytes) },
  });
  const refused = await refusal(api.ask("POST", REVISIONS, revision(1_600_000)));
  assert.equal(refused.reason, "RequestEntityTooLarge");
  await api.ask("POST", REVISIONS, revision(1_500_000));
  const annotations = { more: "y".repeat(100_000) };
  const grown = api.patch(`${REVISIONS}/large`, {
    body: { metadata: { annotations } },
    type: "merge-patch+json",
  });
  assert.equal((await refusal(grown)).code, 413);
});

test("who deletes a job without a word on its pods is told that they stay", async () => {
  await using api = await startHttpsServer(Date.now());
  const spec = {
    suspend: true,
    template: { spec: { restartPolicy: "Never", containers: [{ name: "a", image: "b" }] } },
  };
  await api.ask("POST", JOBS, { metadata: { name: "j" }, spec });
  const warningOf = async (query: string) => {
    const answer = await api.http(`${JOBS}/j?dryRun=All${query}`, { method: "DELETE" });
    assert.equal(answer.status, 200);
    return answer.headers["warning"];
  };
  assert.match((await warningOf("")) ?? "", /^299 - "child pods are preserved by default when/);
  assert.equal(await warningOf("&propagationPolicy=Orphan"), undefined);
  assert.equal(await warningOf("&orphanDependents=true"), undefined);
});

test("a status brings what clients may change of metadata: of pods not their owners", async () => {
  await using api = await startServer();
  const owner = { apiVersion: "v1", kind: "ConfigMap", name: "o", uid: "u" };
  const metadata = { name: "a", finalizers: ["example.com/a"], ownerReferences: [owner] };
  const claim = { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } };
  const pod = { containers: [{ name: "c", image: "i" }] };
  for (const [plural, spec, owners] of [
    ["persistentvolumeclaims", claim, undefined],
    ["pods", pod, [owner]],
  ] as const) {
    const path = `/api/v1/namespaces/default/${plural}`;
    const made = await api.ask("POST", path, { metadata, spec });
    const { finalizers: _, ownerReferences: __, ...kept } = made.metadata;
    const after = await api.ask("PUT", `${path}/a/status`, { ...made, metadata: kept });
    assert.equal(after.metadata["finalizers"], undefined);
    assert.deepEqual(after.metadata["ownerReferences"], owners);
  }
});
