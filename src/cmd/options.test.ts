import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { writeInstance } from "./instance.ts";
import { parseUpOptions, settingsToRecord } from "./options.ts";

test("up falls back on what the data directory was started with", () => {
  const directory = mkdtempSync(path.join(tmpdir(), "nephos-options-"));
  const parse = (...args: string[]) => parseUpOptions(["--data-dir", directory, ...args]);
  try {
    assert.equal(parse().nodes, 1);
    const started = parse(
      "--nodes",
      "3",
      "--listen",
      "127.0.0.1:7443",
      "--cluster-cidr",
      "10.8.0.0/16",
    );
    const settings = settingsToRecord(started);
    const record = { version: "", server: "", startedAtMs: 0, processes: [], nodes: [], settings };
    writeInstance(path.join(directory, "instance.json"), record);
    assert.deepEqual(parse(), started);
    assert.equal(parse("--nodes", "2").nodes, 2);
    assert.equal(parse("--cluster-cidr", "10.8.0.0/16").clusterCidr, "10.8.0.0/16");
    assert.throws(() => parse("--cluster-cidr", "10.9.0.0/16"), {
      message: /^Cannot change --cluster-cidr from "10.8.0.0\/16" to "10.9.0.0\/16": /,
    });
    assert.throws(
      () => parse("--cluster-domain", "other.example"),
      /Cannot change --cluster-domain/,
    );
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test("paths are meant from where up was called", () => {
  const options = parseUpOptions(["--data-dir", "some/where", "--audit-policy", "policy.yaml"]);
  assert.equal(options.dataDirectory, path.resolve("some/where"));
  assert.equal(options.auditPolicy, path.resolve("policy.yaml"));
  assert.equal(options.schedulerConfig, undefined);
});

test("a node is silent for a time that can be told", () => {
  const graceOf = (text: string) =>
    parseUpOptions(["--data-dir", "some/where", "--node-monitor-grace-period", text]).nodeGraceMs;
  assert.equal(graceOf("1m10s"), 70_000);
  for (const text of ["0s", "soon", "900ms"]) {
    assert.throws(() => graceOf(text), /--node-monitor-grace-period must be a duration/);
  }
});
