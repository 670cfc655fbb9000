import assert from "node:assert/strict";
import { test } from "node:test";
import { splitPath } from "../request/query.ts";
import { type HealthCheck, healthPage } from "./health-pages.ts";

const CHECKS: readonly HealthCheck[] = [
  { name: "ping", check: () => undefined },
  { name: "etcd", check: async () => "the disk is gone" },
];

async function ask(url: string, checks: readonly HealthCheck[] = CHECKS) {
  const { path, query } = splitPath(url);
  const [, name = "", only] = path.split("/");
  const page = await healthPage(checks, { name, only, query });
  return page && [page.status, Buffer.from(page.bytes).toString()];
}

test("a failed check is listed without what is wrong, and told below its name", async () => {
  const list = "[+]ping ok\n[-]etcd failed: reason withheld\nreadyz check failed\n";
  assert.deepEqual(await ask("/readyz"), [500, list]);
  const told = "internal server error: the disk is gone\n";
  assert.deepEqual(await ask("/readyz/etcd"), [500, told]);
  assert.deepEqual(await ask("/readyz/ping"), [200, "ok"]);
  assert.equal(await ask("/readyz/nothing"), undefined);
});

test("checks can be excluded, those that there are", async () => {
  assert.deepEqual(await ask("/livez?exclude=etcd"), [200, "ok"]);
  const list = [
    "[+]ping ok",
    "[+]etcd excluded: ok",
    'warn: some health checks cannot be excluded: no matches for "a","b"',
    "livez check passed",
    "",
  ];
  const url = "/livez?verbose&exclude=b&exclude=etcd&exclude=a";
  assert.deepEqual(await ask(url), [200, list.join("\n")]);
});
