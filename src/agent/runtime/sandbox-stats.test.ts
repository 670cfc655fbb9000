import assert from "node:assert/strict";
import { test } from "node:test";
import type { Cgroups, CgroupUsage } from "../../sys/cgroup.ts";
import type { CgroupDetails } from "../../sys/cgroup-details.ts";
import type { ContainerStatus } from "./contract.ts";
import { sandboxStats } from "./sandbox-stats.ts";

const USAGE: CgroupUsage = {
  cpuNanoseconds: 5,
  memoryBytes: 4,
  workingSetBytes: 3,
  residentBytes: 2,
  cacheBytes: 1,
  pageFaults: 6,
  majorPageFaults: 7,
  tasks: 8,
};

/** Groups that are there; details may go a moment after the use was read. */
function groupsOf(names: readonly string[], detailed: readonly string[] = names): Cgroups {
  return {
    usage: (group: string) => (names.includes(group) ? USAGE : undefined),
    details: (group: string) => (detailed.includes(group) ? ({} as CgroupDetails) : undefined),
    oomKills: () => 0,
  } as Partial<Cgroups> as Cgroups;
}

const containers = ["/pod/app", "/pod/gone"].map((group) => {
  const status = { id: group, name: group.slice(5), state: "running", createdAtMs: 1 };
  return { group, status: status as ContainerStatus };
});
const of = { atMs: 9, group: "/pod", containers };
const namesOf = (cgroups: Cgroups, details: boolean) =>
  sandboxStats(cgroups, of, { details }).containers.map(({ name }) => name);

test("a container whose group has gone is left out, with details or without", () => {
  for (const details of [false, true]) {
    assert.deepEqual(namesOf(groupsOf(["/pod", "/pod/app"]), details), ["app"]);
  }
  const fading = groupsOf(["/pod", "/pod/app", "/pod/gone"], ["/pod", "/pod/app"]);
  assert.deepEqual(namesOf(fading, true), ["app"]);
  assert.deepEqual(namesOf(fading, false), ["app", "gone"]);
});

test("a pod whose group has gone has no use to tell", () => {
  assert.throws(() => sandboxStats(groupsOf(["/pod/app"]), of), { code: "not-found" });
});
