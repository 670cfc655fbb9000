import assert from "node:assert/strict";
import { test } from "node:test";
import type { Cgroups } from "../../sys/cgroup.ts";
import { measuredCgroups } from "./measured-cgroups.ts";

test("work on groups is timed, also that which fails, and done as before", () => {
  let nowMs = 0;
  const done: string[] = [];
  const take = (ms: number, what: string) => {
    nowMs += ms;
    done.push(what);
  };
  const bare: Partial<Cgroups> = {
    version: 1,
    create: (group) => take(20, `create ${group}`),
    rename: (group, name) => take(1, `rename ${group} ${name}`),
    limit(group) {
      take(3, `limit ${group}`);
      throw new Error("busy");
    },
    remove(group) {
      take(30, `remove ${group}`);
      return false;
    },
  };
  const groups = measuredCgroups(bare as Cgroups, () => nowMs);
  groups.create("/a");
  groups.rename?.("/a", "b");
  assert.throws(() => groups.limit("/b", {}), /busy/);
  assert.equal(groups.remove("/b"), false);
  assert.equal(groups.version, 1);
  assert.deepEqual(done, ["create /a", "rename /a b", "limit /b", "remove /b"]);
  const [family] = groups.metrics();
  const sums = family?.samples.filter(({ suffix }) => suffix === "_sum");
  assert.equal(family?.name, "kubelet_cgroup_manager_duration_seconds");
  assert.deepEqual(
    sums?.map(({ labels, value }) => [labels?.["operation_type"], Math.round(value * 1000)]),
    [
      ["create", 21],
      ["update", 3],
      ["destroy", 30],
    ],
  );
});

test("where groups cannot be renamed, measured ones cannot either", () => {
  const groups = measuredCgroups({ version: 2 } as Cgroups, () => 0);
  assert.equal(groups.rename, undefined);
});
