import assert from "node:assert/strict";
import { test } from "node:test";
import { startServer } from "../api-server-fixture.ts";

const PODS = "/api/v1/namespaces/default/pods";

test("an int64 that a number cannot hold survives every kind of write", async () => {
  await using api = await startServer();
  const { store, transport } = api;
  const send = (method: "POST" | "PATCH", path: string, body: string, type = "json") =>
    transport.request({
      method,
      path,
      body: Buffer.from(body),
      contentType: `application/${type}`,
    });
  const storedSeconds = async () => {
    const stored = await store.get("core/pods", "default/p");
    return /"tolerationSeconds":(\d+)/.exec(Buffer.from(stored?.bytes ?? []).toString())?.[1];
  };
  await send(
    "POST",
    PODS,
    '{"metadata":{"name":"p"},"spec":{"tolerations":[{"operator":"Exists","effect":"NoExecute",' +
      '"tolerationSeconds":9007199254740993}],"containers":[{"name":"c","image":"i"}]}}',
  );
  assert.equal(await storedSeconds(), "9007199254740993");
  const labels = '{"metadata":{"labels":{"a":"b"}}}';
  const writes: [type: string, body: string][] = [
    ["merge-patch+json", labels],
    ["strategic-merge-patch+json", labels.replace("b", "c")],
    ["json-patch+json", '[{"op":"replace","path":"/metadata/labels/a","value":"d"}]'],
  ];
  for (const [type, body] of writes) {
    await send("PATCH", `${PODS}/p`, body, type);
    assert.equal(await storedSeconds(), "9007199254740993", type);
  }
});

test("what leaves a selection is told digit for digit as it was", async () => {
  await using api = await startServer();
  const { transport } = api;
  const body = Buffer.from(
    '{"metadata":{"name":"p","labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"i"}]}}',
  );
  await transport.request({ method: "POST", path: PODS, body, contentType: "application/json" });
  const seen: unknown[] = [];
  using _watch = await transport.watch(
    { method: "GET", path: `${PODS}?labelSelector=a%3Db` },
    { event: (type, object) => seen.push([type, object]), closed: () => {} },
  );
  const left = await api.patch(`${PODS}/p`, {
    body: { metadata: { labels: null } },
    type: "merge-patch+json",
  });
  const [[, added], [type, gone]] = seen as [string, { metadata: object }][] as [
    [string, { metadata: object }],
    [string, { metadata: object }],
  ];
  assert.equal(type, "DELETED");
  const { resourceVersion } = left.metadata;
  assert.deepEqual(gone, { ...added, metadata: { ...added.metadata, resourceVersion } });
});
