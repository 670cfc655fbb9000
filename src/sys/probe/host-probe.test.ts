import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { probeHost } from "./host-probe.ts";

test("the probe names every required feature once, with what to do about a missing one", () => {
  const features = probeHost();
  const names = features.map(({ name }) => name);
  assert.equal(new Set(names).size, names.length);
  for (const name of ["root", "overlay", "cgroups", "nftables", "crun", "conmon"]) {
    assert.ok(features.find((feature) => feature.name === name)?.required, name);
  }
  assert.ok(features.every(({ detail }) => detail.length > 0));
});

test("programs that are not there, or cannot run, are told with the package to install", () => {
  const before = process.env["PATH"];
  const directory = mkdtempSync(path.join(tmpdir(), "nephos-path-"));
  const crun = path.join(directory, "crun");
  const found = (content?: string) => {
    if (content !== undefined) writeFileSync(crun, content, { mode: 0o755 });
    const { available, detail = "" } = probeHost().find(({ name }) => name === "crun") ?? {};
    return `${available} ${detail}`;
  };
  try {
    process.env["PATH"] = directory;
    assert.equal(found(), "false not in PATH: install the package crun");
    const broken = /^false \S+\/crun does not run: .+; install the package crun again$/;
    assert.match(found("#!/nowhere/sh\n"), broken);
    assert.match(found("#!/bin/sh\necho libx.so.1: cannot open >&2; exit 127\n"), broken);
    assert.match(found("#!/bin/sh\necho crun version 1.8.1\n"), /^true \S+\/crun 1\.8\.1$/);
    assert.match(found("#!/bin/sh\nexit 1\n"), /^true \S+\/crun$/);
  } finally {
    process.env["PATH"] = before;
    rmSync(directory, { recursive: true });
  }
});
