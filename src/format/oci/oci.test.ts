import assert from "node:assert/strict";
import { test } from "node:test";
import { chooseCapabilities } from "./capabilities.ts";
import { resolveUser } from "./image-user.ts";
import { formatReference, parseReference } from "./reference.ts";
import { runtimeSpec } from "./runtime-spec.ts";

test("image names are read as Docker reads them", () => {
  const normal = (text: string) => {
    const parsed = parseReference(text);
    return parsed && formatReference(parsed);
  };
  const digest = `sha256:${"a".repeat(64)}`;
  assert.equal(normal("redis"), "docker.io/library/redis:latest");
  assert.equal(normal("redis:7"), "docker.io/library/redis:7");
  assert.equal(normal("team/app"), "docker.io/team/app:latest");
  assert.equal(normal("localhost/app"), "localhost/app:latest");
  assert.equal(normal("localhost:5000/a/b:1"), "localhost:5000/a/b:1");
  assert.equal(normal("registry.k8s.io/pause:3.9"), "registry.k8s.io/pause:3.9");
  assert.equal(normal(`app@${digest}`), `docker.io/library/app@${digest}`);
  assert.equal(normal(`app:1@${digest}`), `docker.io/library/app:1@${digest}`);
  for (const bad of ["", "App", "a//b", "a:b:c", "app@sha256:1", "-a", "a/", "x y", ":1"]) {
    assert.equal(normal(bad), undefined, bad);
  }
});

test("users are resolved against the image's files", () => {
  const files = {
    passwd: "root:x:0:0::/root:/bin/sh\nwww:x:33:34::/:/bin/sh\n",
    group: "root:x:0:\nextra:x:50:other,www\nwww:x:34:www\n",
  };
  const user = (text: string) => resolveUser(text, files);
  assert.deepEqual(user(""), { uid: 0, gid: 0, additionalGids: [], home: "/root" });
  const www = { uid: 33, gid: 34, additionalGids: [50], home: "/" };
  assert.deepEqual(user("www"), www);
  assert.deepEqual(user("33"), www);
  assert.deepEqual(user("www:extra"), { ...www, gid: 50, additionalGids: [] });
  assert.deepEqual(user("1234"), { uid: 1234, gid: 0, additionalGids: [], home: "/" });
  assert.deepEqual(user("7:8"), { uid: 7, gid: 8, additionalGids: [], home: "/" });
  assert.match(JSON.stringify(user("absent")), /unable to find user .*absent/);
  assert.match(JSON.stringify(user("www:absent")), /unable to find group .*absent/);
});

test("capabilities are added and dropped in Kubernetes' order", () => {
  const all = (1n << 41n) - 1n;
  const choose = (add: string[], drop: string[], available = all) =>
    chooseCapabilities({ add, drop, available });
  assert.equal(choose([], []).length, 14);
  assert.deepEqual(choose(["NET_ADMIN"], ["ALL"]), ["CAP_NET_ADMIN"]);
  assert.equal(choose(["ALL"], []).length, 41);
  assert.ok(!choose([], ["CAP_CHOWN"]).includes("CAP_CHOWN"));
  assert.ok(!choose(["SYS_RESOURCE"], [], all & ~(1n << 24n)).includes("CAP_SYS_RESOURCE"));
  assert.ok(!choose(["NO_SUCH"], []).includes("CAP_NO_SUCH"));
});

test("a configuration mounts /dev afresh, and binds parents before children", () => {
  const spec = runtimeSpec({
    rootPath: "/r",
    readOnlyRoot: true,
    command: ["a"],
    environment: ["A=1", "B=2", "A=3"],
    workingDirectory: "",
    tty: false,
    hostname: "h",
    user: { uid: 0, gid: 0, additionalGids: [0] },
    capabilities: [],
    privileged: false,
    noNewPrivileges: true,
    unmaskedProc: false,
    mounts: [
      { source: "/x", destination: "/a/b", readOnly: true, propagation: "private" },
      { source: "/y", destination: "/a", readOnly: false, propagation: "rslave" },
    ],
    devices: [],
    cgroupPath: "/c",
    cgroupVersion: 1,
    leavesGroupsWritable: true,
    resources: {},
    appArmorProfile: "strict",
    selinuxLabel: "u:r:t:s0",
  }) as {
    process: { env: string[]; cwd: string; apparmorProfile: string; selinuxLabel: string };
    mounts: { destination: string; type: string; options: string[] }[];
    linux: { rootfsPropagation: string; mountLabel: string; namespaces: { type: string }[] };
  };
  assert.equal(spec.process.apparmorProfile, "strict");
  assert.deepEqual([spec.process.selinuxLabel, spec.linux.mountLabel], ["u:r:t:s0", "u:r:t:s0"]);
  assert.deepEqual(spec.process.env, ["B=2", "A=3"]);
  assert.equal(spec.process.cwd, "/");
  assert.equal(spec.mounts.find((mount) => mount.destination === "/dev")?.type, "tmpfs");
  const groups = spec.mounts.filter(({ destination }) => destination === "/sys/fs/cgroup");
  assert.deepEqual(
    groups.map(({ type, options }) => [type, options.includes("remount"), options.at(-1)]),
    [
      ["cgroup", false, "ro"],
      ["tmpfs", true, "ro"],
    ],
  );
  assert.deepEqual(
    spec.mounts.slice(-2).map((mount) => mount.destination),
    ["/a", "/a/b"],
  );
  assert.equal(spec.linux.rootfsPropagation, "rslave");
  assert.ok(!spec.linux.namespaces.some((namespace) => namespace.type === "network"));
});
