import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { openCgroups } from "../../sys/cgroup.ts";
import { systemClock } from "../../sys/clock.ts";
import { runtimePaths } from "./container-record.ts";
import type { SandboxSpec } from "./contract.ts";
import { gvisorDriver } from "./gvisor-driver.ts";
import { createDrivers, findProgram } from "./sandbox-drivers.ts";

const context = {
  paths: runtimePaths("/state", "/run"),
  cgroups: openCgroups(),
  discard: () => {},
  clock: systemClock,
  failpoint: () => {},
};

test("a handler that nobody knows is refused with those that there are", () => {
  const drivers = createDrivers(context, "crun");
  const code = "handler-missing";
  for (const name of ["kata", "constructor"]) {
    const message = `no runtime for "${name}" is configured: a RuntimeClass may name crun, runc, runsc`;
    assert.throws(() => drivers.of(name), { code, message });
  }
});

test("a program that is absent names its package", () => {
  assert.throws(() => findProgram("absent-program", "its-package"), {
    code: "handler-missing",
    message: 'Cannot run containers with "absent-program": install the package its-package',
  });
});

test("gVisor refuses what is the node's, and takes what is the pod's", (t) => {
  const directory = mkdtempSync(path.join(tmpdir(), "nephos-driver-"));
  t.after(() => rmSync(directory, { recursive: true }));
  const paths = runtimePaths(directory, directory);
  const driver = gvisorDriver({ ...context, paths, program: "/usr/bin/runsc", handler: "runsc" });
  const spec: SandboxSpec = {
    id: "uid",
    podName: "pod",
    podNamespace: "default",
    hostname: "pod",
    networkNamespacePath: "/run/network",
    qosClass: "BestEffort",
    resources: {},
  };
  assert.equal(driver.refusal(spec), undefined);
  assert.equal(driver.refusal({ ...spec, shareProcessNamespace: true }), undefined);
  const sysctls = { "net.ipv4.ip_unprivileged_port_start": "80" };
  assert.match(driver.refusal({ ...spec, sysctls }) ?? "", /no net.ipv4.ip_unprivileged_port/);
  const { networkNamespacePath: _, ...onTheNode } = spec;
  assert.match(driver.refusal({ ...onTheNode, hostPid: true }) ?? "", /hostPID, hostNetwork/);
});
