import assert from "node:assert/strict";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, suite, test } from "node:test";
import { type CgroupLimits, cpuWeight, openCgroup2, openCgroups } from "./cgroup.ts";
import { type CgroupFixture, cgroupConformance } from "./cgroup-conformance.ts";
import { parseMounts, readMounts } from "./mount.ts";

const mounts = readMounts();
const isRoot = process.getuid?.() === 0;
const hasV1 = mounts.some(({ target }) => target === "/sys/fs/cgroup/memory");
const unified = mounts.find(({ type }) => type === "cgroup2")?.target;

const V1_FILES: Partial<Record<keyof CgroupLimits, string>> = {
  cpuShares: "cpu/cpu.shares",
  cpuQuotaUs: "cpu/cpu.cfs_quota_us",
  memoryLimitBytes: "memory/memory.limit_in_bytes",
  pidsMax: "pids/pids.max",
  cpusetCpus: "cpuset/cpuset.cpus",
};
const V2_FILES: Partial<Record<keyof CgroupLimits, string>> = {
  cpuShares: "cpu.weight",
  cpuQuotaUs: "cpu.max",
  memoryLimitBytes: "memory.max",
  pidsMax: "pids.max",
  cpusetCpus: "cpuset.cpus",
};
const V2_EXPECTED: Partial<Record<keyof CgroupLimits, string>> = {
  cpuShares: "20",
  cpuQuotaUs: "50000 100000",
  memoryLimitBytes: `${64 << 20}`,
  pidsMax: "50",
  cpusetCpus: "0",
};

function readText(file: string): string | undefined {
  return existsSync(file) ? readFileSync(file, "utf8").trim() : undefined;
}

if (isRoot && hasV1) {
  // A hybrid layout too, when the v2 hierarchy is mounted beside the others.
  const cgroups = openCgroups(mounts);
  const fixture: CgroupFixture = {
    cgroups,
    group: `/nephos-test-v1-${process.pid}`,
    enter(group, pid) {
      for (const hierarchy of cgroups.hierarchies) {
        writeFileSync(path.join(hierarchy, group, "cgroup.procs"), `${pid}`);
      }
    },
    read(group, limit) {
      const [controller = "", file = ""] = V1_FILES[limit]?.split("/") ?? [];
      return readText(path.join("/sys/fs/cgroup", controller, group, file));
    },
  };
  const expected = {
    cpuShares: "512",
    cpuQuotaUs: "50000",
    memoryLimitBytes: `${64 << 20}`,
    pidsMax: "50",
    cpusetCpus: "0",
  };
  cgroupConformance(unified ? "cgroup v1 beside v2" : "cgroup v1", { fixture, expected });
}

if (isRoot && unified) {
  // Below a group of its own: which controllers the machine's root hands down is not ours to say.
  const root = path.join(unified, `nephos-test-v2-${process.pid}`);
  mkdirSync(root);
  // What v1 holds, v2 does not have: such limits are tested where it has them.
  const controllers = readText(path.join(root, "cgroup.controllers"))?.split(" ") ?? [];
  const expected = Object.fromEntries(
    Object.entries(V2_EXPECTED).filter(([limit]) => {
      const controller = V2_FILES[limit as keyof CgroupLimits]?.split(".")[0] ?? "";
      return controllers.includes(controller);
    }),
  );
  const fixture: CgroupFixture = {
    cgroups: openCgroup2(root),
    group: "/pods",
    enter: (group, pid) => writeFileSync(path.join(root, group, "cgroup.procs"), `${pid}`),
    read: (group, limit) => readText(path.join(root, group, V2_FILES[limit] ?? "")),
  };
  // Of their own, so that the group goes after them and not when other files are done.
  suite("cgroup v2", () => {
    after(() => rmdirSync(root));
    cgroupConformance("cgroup v2", { fixture, expected });
    const lacks = controllers.includes("cpu") ? "v2 has the processor here" : false;
    test("cgroup v2: who limits what no controller holds is told which, and why", {
      skip: lacks,
    }, () => {
      const { cgroups } = fixture;
      cgroups.create("/pods");
      try {
        assert.throws(() => cgroups.limit("/pods", { cpuShares: 512 }), {
          message: /^Cannot write cpu.weight of .* "\/pods": it has no controller "cpu"; /,
        });
      } finally {
        cgroups.remove("/pods");
      }
    });
  });
}

test("cgroup v1: controllers that share a hierarchy have one group in it", () => {
  const root = mkdtempSync(path.join(tmpdir(), "nephos-cgroup1-"));
  try {
    const line = (id: number, name: string, end: string) =>
      `${id} 1 0:${id} / ${path.join(root, name)} rw - ${end}`;
    const text = [
      line(31, "systemd", "cgroup cgroup rw,xattr,name=systemd"),
      line(32, "cpu,cpuacct", "cgroup cgroup rw,cpu,cpuacct"),
      line(33, "memory", "cgroup cgroup rw,memory"),
      line(34, "unified", "cgroup2 cgroup2 rw"),
    ];
    for (const name of ["systemd", "cpu,cpuacct", "memory", "unified"]) {
      mkdirSync(path.join(root, name));
    }
    const cgroups = openCgroups(parseMounts(text.join("\n")), root);
    assert.equal(cgroups.version, 1);
    const [processor, memory] = [path.join(root, "cpu,cpuacct"), path.join(root, "memory")];
    assert.deepEqual(cgroups.hierarchies, [processor, memory]);
    cgroups.create("/pod");
    cgroups.limit("/pod", { cpuShares: 512, memoryLimitBytes: 4096 });
    assert.equal(readText(path.join(processor, "pod/cpu.shares")), "512");
    assert.equal(readText(path.join(memory, "pod/memory.limit_in_bytes")), "4096");
    writeFileSync(path.join(processor, "pod/cpuacct.usage"), "7\n");
    writeFileSync(path.join(memory, "pod/memory.usage_in_bytes"), "4096\n");
    writeFileSync(path.join(processor, "pod/cpuacct.stat"), "user 3\nsystem 2\n");
    const statistics = "mapped_file 1\nswap 1\ntotal_mapped_file 5\ntotal_swap 6\n";
    writeFileSync(path.join(memory, "pod/memory.stat"), statistics);
    const { cpuNanoseconds, cpuModes, mappedBytes, swapBytes } = cgroups.usage("/pod") ?? {};
    assert.equal(cpuNanoseconds, 7);
    assert.deepEqual(cpuModes, { userNanoseconds: 3e7, systemNanoseconds: 2e7 });
    assert.deepEqual([mappedBytes, swapBytes], [5, 6]);
  } finally {
    rmSync(root, { recursive: true });
  }
});

test("cgroup v1: a cpuset that has processors has memory too, wherever its making ended", () => {
  const root = mkdtempSync(path.join(tmpdir(), "nephos-cgroup1-"));
  try {
    const cpuset = path.join(root, "cpuset");
    mkdirSync(path.join(cpuset, "pods"), { recursive: true });
    for (const file of ["cpuset.cpus", "cpuset.mems"]) writeFileSync(path.join(cpuset, file), "0");
    const mount = `31 1 0:31 / ${cpuset} rw - cgroup cgroup rw,cpuset`;
    const cgroups = openCgroups(parseMounts(mount), root);
    // Here it ends, as its agent could.
    mkdirSync(path.join(cpuset, "pods/cpuset.mems"));
    assert.throws(() => cgroups.create("/pods"), { code: "EISDIR" });
    assert.equal(readText(path.join(cpuset, "pods/cpuset.cpus")), undefined);
    rmSync(path.join(cpuset, "pods/cpuset.mems"), { recursive: true });
    cgroups.create("/pods");
    for (const file of ["cpuset.cpus", "cpuset.mems"]) {
      assert.equal(readText(path.join(cpuset, "pods", file)), "0");
    }
  } finally {
    rmSync(root, { recursive: true });
  }
});

test("cgroup v2: use is read in the units of v1", () => {
  const root = mkdtempSync(path.join(tmpdir(), "nephos-cgroup2-"));
  try {
    mkdirSync(path.join(root, "pod"));
    const cgroups = openCgroup2(root);
    assert.equal(cgroups.usage("/pod"), undefined);
    const write = (file: string, text: string) => writeFileSync(path.join(root, "pod", file), text);
    write("memory.current", "100\n");
    write("memory.stat", "anon 40\nfile 30\nfile_mapped 5\ninactive_file 20\n");
    write("cpu.stat", "usage_usec 7\nuser_usec 4\nsystem_usec 3\n");
    const before = cgroups.usage("/pod");
    assert.equal(before?.swapBytes, 0, "without swap there is no such file");
    write("memory.swap.current", "6\n");
    const usage = cgroups.usage("/pod");
    assert.deepEqual([usage?.workingSetBytes, usage?.mappedBytes, usage?.swapBytes], [80, 5, 6]);
    assert.deepEqual(usage?.cpuModes, { userNanoseconds: 4000, systemNanoseconds: 3000 });
  } finally {
    rmSync(root, { recursive: true });
  }
});

test("cgroup v2: limits are worded as the kernel wants them", () => {
  const root = mkdtempSync(path.join(tmpdir(), "nephos-cgroup2-"));
  try {
    const group = path.join(root, "pod");
    writeFileSync(
      path.join(root, "cgroup.controllers"),
      "cpuset cpu io memory hugetlb pids rdma\n",
    );
    mkdirSync(group);
    writeFileSync(path.join(group, "hugetlb.2MB.max"), "max");
    const cgroups = openCgroup2(root);
    cgroups.create("/pod");
    const enabled = readText(path.join(root, "cgroup.subtree_control"));
    assert.equal(enabled, "+cpu +memory +pids +cpuset +io +hugetlb");
    const hugePages = { "2MB": 4 << 20, "1GB": 1 << 30 };
    cgroups.limit("/pod", {
      cpuShares: 512,
      cpuQuotaUs: 50_000,
      cpuPeriodUs: 100_000,
      memoryLimitBytes: 64 << 20,
      pidsMax: 50,
      cpusetCpus: "0",
      hugePages,
    });
    for (const [limit, file] of Object.entries(V2_FILES)) {
      const text = readText(path.join(group, file));
      assert.equal(text, V2_EXPECTED[limit as keyof CgroupLimits], limit);
    }
    assert.equal(readText(path.join(group, "hugetlb.2MB.max")), `${4 << 20}`);
    assert.equal(existsSync(path.join(group, "hugetlb.1GB.max")), false);
    cgroups.limit("/pod", { cpuQuotaUs: -1, memoryLimitBytes: -1 });
    assert.equal(readText(path.join(group, "cpu.max")), "max 100000");
    assert.equal(readText(path.join(group, "memory.max")), "max");
  } finally {
    rmSync(root, { recursive: true });
  }
});

test("shares become weights as OCI runtimes convert them", () => {
  assert.deepEqual([2, 512, 1024, 262_144, 0].map(cpuWeight), [1, 20, 39, 10_000, 100]);
});
