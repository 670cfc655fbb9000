import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { connectCri } from "../../src/agent/cri-client.ts";
import { writeOciArchive } from "../../src/format/oci/image-writer.ts";
import { concat } from "../../src/format/tar/tar-header.ts";
import { type TarInput, writeTar } from "../../src/format/tar/tar-writer.ts";
import { eventually } from "./eventually.ts";
import { unmountBelow } from "../../src/sys/mount.ts";
import { fetchUnpacked, type UnpackedPackage, unpackedFile } from "./unpacked-package.ts";

const CONTAINERD: UnpackedPackage = { name: "containerd", folder: "containerd", version: "1.6" };
const PLUGINS: UnpackedPackage = {
  name: "containernetworking-plugins",
  folder: "containernetworking-plugins",
  version: "1.",
};
/** Where it has a directory for each sandbox and container that it knows, or that runs. */
const KEPT = [
  "root/io.containerd.grpc.v1.cri/sandboxes",
  "root/io.containerd.grpc.v1.cri/containers",
  "state/io.containerd.runtime.v2.task/k8s.io",
];

/** The one image that it has: busybox, with users "root" and "www". */
export const CONTAINERD_IMAGE = "docker.io/library/busybox:containerd";
const LOOPBACK = "usr/lib/cni/loopback";

/** Makes it present, as far as apt can. */
export async function fetchContainerd(): Promise<void> {
  await fetchUnpacked(CONTAINERD);
  await fetchUnpacked(PLUGINS);
}

/** Why tests with it have to be skipped. */
export function withoutContainerd(): string | false {
  if (process.getuid?.() !== 0) return "needs root";
  if (!unpackedFile(CONTAINERD, "usr/bin/containerd")) return "needs Debian's containerd";
  if (!unpackedFile(PLUGINS, LOOPBACK)) return "needs Debian's containernetworking-plugins";
  return existsSync("/usr/sbin/runc") ? false : "needs the package runc";
}

/** A containerd with directories and a socket of its own. */
export interface ContainerdUnderTest extends AsyncDisposable {
  readonly directory: string;
  readonly endpoint: string;
  /** Kills it without warning and starts it again. */
  restart(): Promise<void>;
  /** What pods that are removed must not leave: sandboxes and containers, its processes. */
  leftovers(): string[];
}

/** Resolves when it answers; disposing it removes all that it made. */
export async function startContainerd(): Promise<ContainerdUnderTest> {
  const directory = realpathSync(mkdtempSync(path.join(tmpdir(), "nephos-ctd-")));
  const file = (name: string) => path.join(directory, name);
  const bin = path.dirname(unpackedFile(CONTAINERD, "usr/bin/containerd") ?? "");
  mkdirSync(file("plugins"));
  symlinkSync(unpackedFile(PLUGINS, LOOPBACK) ?? "", file("plugins/loopback"));
  writeFileSync(file("config.toml"), configuration(directory));
  const socket = file("containerd.sock");
  const env = { ...process.env, PATH: `${bin}:${process.env["PATH"]}` };
  const ctr = (...args: string[]) => {
    const all = ["--address", socket, "--namespace", "k8s.io", ...args];
    const { status, stdout, stderr } = spawnSync(path.join(bin, "ctr"), all, { encoding: "utf8" });
    assert.equal(status, 0, stderr);
    return stdout;
  };
  const start = async () => {
    // It must not outlive a test that is killed.
    const bound = ["--pdeathsig", "KILL", path.join(bin, "containerd")];
    const child = spawn("setpriv", [...bound, "--config", file("config.toml")], {
      env,
      stdio: ["ignore", "ignore", "pipe"],
    });
    let said = "";
    child.stderr.on("data", (chunk) => (said = `${said}${chunk}`.slice(-20_000)));
    await eventually("containerd answers", async () => {
      assert.equal(child.exitCode, null, said);
      await using client = connectCri(socket);
      await client.call("RuntimeService/Version", {});
      return true;
    });
    return { child, said: () => said };
  };
  let server = await start();
  const stop = async (signal: NodeJS.Signals) => {
    const ended = once(server.child, "exit");
    server.child.kill(signal);
    await ended;
  };
  writeFileSync(file("image.tar"), busyboxArchive());
  ctr("images", "import", file("image.tar"));
  return {
    directory,
    endpoint: `unix://${socket}`,
    async restart() {
      await stop("SIGKILL");
      server = await start();
    },
    leftovers: () => KEPT.flatMap((folder) => namesIn(file(folder))),
    async [Symbol.asyncDispose]() {
      const left = shimsOf(directory);
      await stop("SIGTERM");
      unmountBelow(directory);
      rmSync(directory, { recursive: true });
      assert.deepEqual(left, [], server.said().slice(-4000));
    },
  };
}

/** Busybox with all its names and with users, as an OCI archive. */
function busyboxArchive(): Uint8Array {
  const text = (value: string) => new TextEncoder().encode(value);
  const applets = spawnSync("/bin/busybox", ["--list"], { encoding: "utf8" }).stdout.trim();
  const directories = ["bin", "etc", "tmp", "mnt", "proc", "sys", "dev"];
  const entries: TarInput[] = [
    ...directories.map((name): TarInput => ({ name, type: "directory", mode: 0o755 })),
    { name: "bin/busybox", type: "file", mode: 0o755, body: readFileSync("/bin/busybox") },
    ...applets
      .split("\n")
      .filter((name) => name !== "busybox")
      .map((name): TarInput => ({ name: `bin/${name}`, type: "symlink", linkName: "busybox" })),
    {
      name: "etc/passwd",
      type: "file",
      body: text("root:x:0:0::/:/bin/sh\nwww:x:33:34::/:/bin/sh\n"),
    },
    { name: "etc/inittab", type: "file", body: text("null::sysinit:/bin/true\n") },
    { name: "etc/group", type: "file", body: text("root:x:0:\nextra:x:50:www\n") },
  ];
  // It holds the sandboxes too, and reaps what the containers of one leave behind.
  const holder = "[ $$ = 1 ] && exec init; exec sleep 2147483647";
  const config = { Cmd: ["sh", "-c", holder], Env: ["PATH=/bin"] };
  const layers = [concat([...writeTar(entries)])];
  const input = { layers, config, architecture: "amd64", references: [CONTAINERD_IMAGE] };
  return concat([...writeOciArchive(input)]);
}

/**
 * Without what a container's race with runc 1.1.5 makes beside them: an empty directory outside of
 * its root (CVE-2024-45310).
 */
function namesIn(folder: string): string[] {
  const names = existsSync(folder) ? readdirSync(folder) : [];
  return names.filter((name) => /^[0-9a-f]{64}$/.test(name)).map((name) => path.join(folder, name));
}

function shimsOf(directory: string): string[] {
  const { stdout } = spawnSync("ps", ["-eo", "args"], { encoding: "utf8" });
  const shims = stdout.split("\n").filter((line) => line.includes("containerd-shim"));
  return shims.filter((line) => line.includes(directory));
}

function configuration(directory: string): string {
  chmodSync(directory, 0o711);
  const unwanted = ["devmapper", "zfs", "btrfs", "aufs", "native"].map(
    (name) => `"io.containerd.snapshotter.v1.${name}"`,
  );
  return `version = 2
root = "${directory}/root"
state = "${directory}/state"
disabled_plugins = [${unwanted.join(", ")}, "io.containerd.internal.v1.opt"]
[grpc]
  address = "${directory}/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  # This machine may not let it lower the score that the kernel kills by.
  restrict_oom_score_adj = true
  sandbox_image = "${CONTAINERD_IMAGE}"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "${directory}/plugins"
    conf_dir = "${directory}/networks"
`;
}
