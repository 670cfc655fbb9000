import assert from "node:assert/strict";
import { once } from "node:events";
import https from "node:https";
import type { IncomingMessage } from "node:http";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { type HttpsFixture, startHttpsServer } from "../api-server-fixture.ts";

const MAPS = "/api/v1/namespaces/default/configmaps";
const COLUMNS = ["Name", "Data", "Age"];

interface Frame {
  type: string;
  object: {
    kind: string;
    apiVersion: string;
    columnDefinitions: { name: string }[] | null;
    rows: { cells: unknown[]; object: { kind: string; metadata?: { name: string } } | null }[];
  };
}

function accept(version: string): string {
  return `application/json;as=Table;v=${version};g=meta.k8s.io, application/json`;
}

/** The frames of a watch, one after another. */
async function framesOf(
  { port, client, ca }: HttpsFixture,
  { query, version }: { query: string; version: string },
): Promise<{ next(): Promise<Frame>; stop(): void }> {
  const agent = new https.Agent({ ca: ca.pem.certPem, cert: client.certPem, key: client.keyPem });
  const headers = { accept: accept(version) };
  const path = `${MAPS}?watch=1${query}`;
  const request = https.get({ host: "127.0.0.1", port, path, agent, headers });
  const [response] = (await once(request, "response")) as [IncomingMessage];
  const lines = createInterface({ input: response })[Symbol.asyncIterator]();
  return {
    next: async () => JSON.parse((await lines.next()).value as string) as Frame,
    stop: () => {
      request.destroy();
      agent.destroy();
    },
  };
}

for (const version of ["v1", "v1beta1"]) {
  test(`a watch for tables of ${version} names the columns once`, async () => {
    await using api = await startHttpsServer(Date.now());
    await api.ask("POST", MAPS, { metadata: { name: "a" }, data: { x: "1" } });
    const frames = await framesOf(api, { query: "", version });
    const first = await frames.next();
    assert.deepEqual(
      [first.type, first.object.kind, first.object.apiVersion],
      ["ADDED", "Table", `meta.k8s.io/${version}`],
    );
    assert.deepEqual(
      first.object.columnDefinitions?.map(({ name }) => name),
      COLUMNS,
    );
    const [row] = first.object.rows;
    assert.deepEqual(row?.cells.slice(0, 2), ["a", 1]);
    assert.equal(row?.object?.kind, "PartialObjectMetadata");
    await api.ask("POST", MAPS, { metadata: { name: "b" } });
    const second = await frames.next();
    assert.equal(second.object.columnDefinitions ?? null, null);
    assert.equal(second.object.rows[0]?.cells[0], "b");
    frames.stop();
  });
}

test("rows carry whole objects or none when a watch asks for that", async () => {
  await using api = await startHttpsServer(Date.now());
  await api.ask("POST", MAPS, { metadata: { name: "a" }, data: { x: "1" } });
  const rowOf = async (query: string) => {
    const frames = await framesOf(api, { query, version: "v1" });
    const { object } = await frames.next();
    frames.stop();
    return object.rows[0]?.object;
  };
  assert.equal((await rowOf("&includeObject=Object"))?.kind, "ConfigMap");
  assert.equal((await rowOf("&includeObject=None")) ?? null, null);
});

test("what has no rows is no table, unless something else will do", async () => {
  await using api = await startHttpsServer(Date.now());
  const review = {
    method: "POST",
    body: JSON.stringify({ spec: { resourceAttributes: { verb: "get", resource: "pods" } } }),
  };
  const path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
  const ask = (acceptable: string) =>
    api.http(path, {
      ...review,
      headers: { accept: acceptable, "content-type": "application/json" },
    });
  const both = await ask(accept("v1"));
  assert.equal(both.status, 201);
  const alone = await ask("application/json;as=Table;v=v1;g=meta.k8s.io");
  assert.equal(alone.status, 406);
});
