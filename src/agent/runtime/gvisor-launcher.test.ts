import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { makePipe } from "../../sys/file.ts";
import { BOOT_DESCRIPTORS, prepareLaunchers } from "./gvisor-launcher.ts";

const isRoot = process.getuid?.() === 0;

test("a launcher runs a program with its arguments and environment behind a filter", (t) => {
  const directory = mkdtempSync(path.join(tmpdir(), "nephos-launcher-"));
  t.after(() => rmSync(directory, { recursive: true }));
  const { plain } = prepareLaunchers(directory, { settings: "/absent" });
  assert.equal(prepareLaunchers(directory, { settings: "/absent" }).plain, plain);
  const run = (...command: string[]) =>
    spawnSync(plain, command, { encoding: "utf8", env: { GREETING: "hello" } });
  const script = 'echo "$1 $GREETING $(readlink /proc/self/fd/319)"; cat /proc/self/status; exit 7';
  const { status, stdout } = run("/bin/sh", "-c", `PATH=/bin; ${script}`, "sh", "first");
  assert.equal(status, 7);
  assert.match(stdout, /^first hello \/dev\/null$/m);
  assert.match(stdout, isRoot ? /^Seccomp:\s+2$/m : /^Seccomp:/m);
  assert.equal(run("/nowhere").status, 127);
  assert.equal(run().status, 127);
});

test("the one for kernels hides the settings of the node, or runs nothing", {
  skip: isRoot ? false : "needs root",
}, (t) => {
  const directory = mkdtempSync(path.join(tmpdir(), "nephos-launcher-"));
  t.after(() => rmSync(directory, { recursive: true }));
  const settings = path.join(directory, "settings");
  mkdirSync(settings);
  writeFileSync(path.join(settings, "only"), "");
  const { kernel } = prepareLaunchers(directory, { settings });
  const listed = spawnSync(kernel, ["/bin/ls", "/proc/sys"], { encoding: "utf8" });
  assert.equal(listed.stdout, "only\n");
  rmSync(settings, { recursive: true });
  assert.equal(spawnSync(kernel, ["/bin/true"]).status, 126);
});

test("the one for gofers runs what it starts in namespaces of its own, as the first process", {
  skip: isRoot ? false : "needs root",
}, (t) => {
  const directory = mkdtempSync(path.join(tmpdir(), "nephos-launcher-"));
  t.after(() => rmSync(directory, { recursive: true }));
  const { gofer } = prepareLaunchers(directory, { settings: "/absent" });
  const spaces = ["ipc", "mnt", "net", "pid", "uts"].map((name) => `/proc/self/ns/${name}`);
  // It is the reader's parent that is the first process.
  const script = `sh -c 'echo $$; for space in ${spaces.join(" ")}; do readlink $space; done'; true`;
  const { stdout } = spawnSync(gofer, ["/bin/sh", "-c", `PATH=/bin; ${script}`], {
    encoding: "utf8",
  });
  const [first, ...inside] = stdout.trim().split("\n");
  assert.equal(first, "1");
  assert.equal(inside.length, spaces.length);
  for (const [at, space] of spaces.entries()) assert.notEqual(inside[at], readlinkSync(space));
});

test("the one for kernels runs them as nobody in an empty root, and takes /proc when told", {
  skip: isRoot && existsSync("/bin/busybox") ? false : "needs root and busybox",
}, (t) => {
  const directory = mkdtempSync(path.join(tmpdir(), "nephos-launcher-"));
  t.after(() => rmSync(directory, { recursive: true }));
  const { boot } = prepareLaunchers(directory, { settings: "/absent" });
  const { readFd, writeFd } = makePipe();
  const opened = ["/proc/self/ns/net", "/bin/busybox"].map((file) => openSync(file, "r"));
  t.after(() => [readFd, writeFd, ...opened].forEach((fd) => closeSync(fd)));
  const fd = BOOT_DESCRIPTORS;
  const stdio: (number | "ignore" | "pipe")[] = Array.from({ length: 17 }, () => "ignore");
  stdio[1] = "pipe";
  [stdio[fd.networkNamespace], stdio[fd.program]] = opened as [number, number];
  [stdio[fd.procRead], stdio[fd.procWrite]] = [readFd, writeFd];
  const script = [
    'while read -r line; do echo "$line"; done < /proc/self/status; echo /*',
    "for file in /proc/self/fd/*; do echo $file; done; (: > /new) 2> /dev/null || echo read-only",
    `echo >&${fd.procWrite}; while [ -e /proc/self ]; do :; done; echo taken`,
  ].join("\n");
  const options = { encoding: "utf8", stdio, timeout: 20_000, killSignal: "SIGKILL" } as const;
  const { stdout } = spawnSync(boot, ["sh", "-c", script], options);
  for (const set of ["Inh", "Prm", "Eff", "Amb"]) {
    assert.match(stdout, new RegExp(`^Cap${set}:\\s+0+$`, "m"));
  }
  assert.match(stdout, /^Uid:(\s+65534){4}$/m);
  assert.match(stdout, /^Gid:(\s+65534){4}$/m);
  assert.match(stdout, /^Groups:\s*$/m);
  assert.match(stdout, /^\/proc$/m, "its root has nothing else");
  assert.doesNotMatch(stdout, /fd\/1[124]$/m, "what was for the launcher only");
  assert.match(stdout, /^read-only\ntaken$/m);
});
