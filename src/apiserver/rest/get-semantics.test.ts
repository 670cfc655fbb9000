import assert from "node:assert/strict";
import { test } from "node:test";
import { StatusError } from "../../api/errors.ts";
import { settle } from "../../lib/virtual-clock.ts";
import { startServer } from "../api-server-fixture.ts";

const MAPS = "/api/v1/namespaces/default/configmaps";

test("an object is read in its newest state, whatever older version is asked for", async () => {
  await using api = await startServer();
  const made = await api.ask("POST", MAPS, { metadata: { name: "a" }, data: { x: "1" } });
  const changed = await api.ask("PUT", `${MAPS}/a`, { metadata: { name: "a" }, data: { x: "2" } });
  const { resourceVersion } = made.metadata as Record<string, string>;
  for (const query of ["", "?resourceVersion=0", `?resourceVersion=${resourceVersion}`]) {
    const read = await api.ask("GET", `${MAPS}/a${query}`);
    assert.equal(read.metadata["resourceVersion"], changed.metadata["resourceVersion"], query);
  }
  await assert.rejects(api.ask("GET", `${MAPS}/a?resourceVersion=x`), { code: 400 });
});

test("an export is refused, as upstream no longer makes any", async () => {
  await using api = await startServer();
  await api.ask("POST", MAPS, { metadata: { name: "a" } });
  await assert.rejects(api.ask("GET", `${MAPS}/a?export=true`), { code: 400, message: /export/ });
  assert.equal((await api.ask("GET", `${MAPS}/a?export=false`)).metadata["name"], "a");
});

test("an escaped slash in a name or namespace parts segments, as upstream reads paths", async () => {
  await using api = await startServer();
  await api.ask("POST", MAPS, { metadata: { name: "a" } });
  const unknown = "the server could not find the requested resource";
  for (const path of [`${MAPS}/a%2Fb`, "/api/v1/namespaces/a%2fb/configmaps"]) {
    await assert.rejects(api.ask("GET", path), { code: 404, message: unknown }, path);
  }
  assert.equal(
    (await api.ask("GET", "/api/v1/namespaces/default%2Fconfigmaps/a")).kind,
    "ConfigMap",
  );
});

test("a version of an object that is not reached is waited for, three seconds long", async () => {
  await using api = await startServer();
  await api.ask("POST", MAPS, { metadata: { name: "a" } });
  const now = await api.store.revision();
  const soon = api.ask("GET", `${MAPS}/a?resourceVersion=${now + 1}`);
  await settle();
  await api.ask("POST", MAPS, { metadata: { name: "b" } });
  assert.equal((await soon).metadata["name"], "a");
  const never = api.ask("GET", `${MAPS}/a?resourceVersion=9999`).catch((error: unknown) => error);
  await settle();
  await api.clock.advance(3_000);
  const refused = await never;
  assert.ok(refused instanceof StatusError);
  assert.equal(refused.code, 504);
  assert.equal(refused.status.details?.causes?.[0]?.reason, "ResourceVersionTooLarge");
});
