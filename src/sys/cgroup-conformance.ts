import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { test } from "node:test";
import type { CgroupLimits, Cgroups } from "./cgroup.ts";

/** A layout of control groups to try the contract on. */
export interface CgroupFixture {
  cgroups: Cgroups;
  /** A group that nobody else uses; removed by the suite. */
  group: string;
  /** Moves a process into a group. */
  enter(group: string, pid: number): void;
  /** What the kernel says about a limit, in its own words; undefined where it has no such file. */
  read(group: string, limit: keyof CgroupLimits): string | undefined;
}

const LIMITS = {
  cpuShares: 512,
  cpuQuotaUs: 50_000,
  memoryLimitBytes: 64 << 20,
  pidsMax: 50,
  cpusetCpus: "0",
} satisfies CgroupLimits;

/**
 * Every version of control groups passes these. `expected` is how the kernel of that version words
 * `LIMITS`; what it leaves out has no controller there, and is not tested.
 */
export function cgroupConformance(
  name: string,
  of: { fixture: CgroupFixture; expected: Partial<Record<keyof CgroupLimits, string>> },
): void {
  const { fixture, expected } = of;
  const { cgroups, group } = fixture;
  const child = `${group}/pod/container`;

  test(`${name}: a group is made with its parents, twice without harm, and removed`, () => {
    cgroups.create(child);
    cgroups.create(child);
    assert.deepEqual(cgroups.processes(group), []);
    assert.equal(cgroups.oomKills(child), 0);
    assert.equal(cgroups.remove(group), true);
    assert.equal(cgroups.remove(group), true);
    assert.equal(cgroups.usage(child), undefined);
    assert.equal(cgroups.details(child), undefined);
  });

  test(`${name}: limits reach the kernel, and others stay as they are`, () => {
    cgroups.create(child);
    try {
      for (const limit of Object.keys(expected) as (keyof typeof LIMITS)[]) {
        const period = limit === "cpuQuotaUs" ? { cpuPeriodUs: 100_000 } : {};
        cgroups.limit(child, { [limit]: LIMITS[limit], ...period });
        assert.equal(fixture.read(child, limit), expected[limit], limit);
      }
      cgroups.limit(child, {});
      for (const [limit, text] of Object.entries(expected)) {
        assert.equal(fixture.read(child, limit as keyof CgroupLimits), text, limit);
      }
    } finally {
      cgroups.remove(group);
    }
  });

  test(`${name}: processes are found below, keep their group, and let it go`, async () => {
    cgroups.create(child);
    const sleeper = spawn("sleep", ["1000"], { stdio: "ignore" });
    try {
      const pid = sleeper.pid ?? 0;
      fixture.enter(child, pid);
      assert.deepEqual(cgroups.processes(group), [pid]);
      assert.equal(cgroups.remove(group), false);
      const details = cgroups.details(group);
      assert.equal(details?.processes, 1);
      assert.equal(details.openFiles, readdirSync(`/proc/${pid}/fd`).length);
      if (expected.memoryLimitBytes !== undefined) {
        assert.ok(details.memoryPeakBytes === undefined || details.memoryPeakBytes > 0);
        const usage = cgroups.usage(group);
        assert.ok(usage && usage.tasks === 1 && usage.memoryBytes >= usage.workingSetBytes);
      }
    } finally {
      const ended = once(sleeper, "exit");
      sleeper.kill("SIGKILL");
      await ended;
      // A group stays busy for a moment after its last process was killed.
      while (!cgroups.remove(group)) await new Promise((done) => setTimeout(done, 5));
    }
  });
}
