import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync, readFileSync } from "node:fs";
import { release } from "node:os";
import path from "node:path";
import { landlockVersion } from "../landlock.ts";
import { openNftables } from "../nft/nftables.ts";

/** One thing that the host can or cannot do. */
export interface HostFeature {
  /** Stable name, such as "overlayfs". */
  name: string;
  /** Nephos refuses to start without it. */
  required: boolean;
  available: boolean;
  /** What was found, or what to do about its absence. */
  detail: string;
}

const PROGRAMS: readonly [name: string, required: boolean, packageName: string][] = [
  ["crun", true, "crun"],
  ["conmon", true, "conmon"],
  ["runc", false, "runc"],
  ["runsc", false, "runsc"],
  ["kubectl", false, "kubernetes-client"],
];

/** Exit codes of shells and of the dynamic linker. */
const CANNOT_RUN = 126;
const CANNOT_LOAD = 127;

const FILE_SYSTEMS: readonly [name: string, required: boolean, minKernel: string][] = [
  ["overlay", true, "3.18"],
  ["erofs", false, "5.4"],
];

/** Looks at this host without changing it. Takes a few milliseconds; needs no privileges. */
export function probeHost(): HostFeature[] {
  const fileSystems = read("/proc/filesystems");
  return [
    privileges(),
    { ...feature("linux", true), available: process.platform === "linux", detail: release() },
    ...FILE_SYSTEMS.map(([name, required, minKernel]) => ({
      ...feature(name, required),
      available: new RegExp(`\\s${name}\\n`).test(fileSystems),
      detail: `file system, in kernels from ${minKernel}`,
    })),
    cgroups(),
    networkNamespaces(),
    nftables(),
    userNamespaces(),
    landlock(),
    {
      ...feature("seccomp-filter", true),
      available: read("/proc/sys/kernel/seccomp/actions_avail").includes("errno"),
      detail: "CONFIG_SECCOMP_FILTER, in kernels from 3.5",
    },
    {
      ...feature("btf", false),
      available: existsSync("/sys/kernel/btf/vmlinux"),
      detail: "type information for eBPF programs (CONFIG_DEBUG_INFO_BTF)",
    },
    ...PROGRAMS.map(([name, required, packageName]) => program(name, required, packageName)),
  ];
}

function feature(name: string, required: boolean): Pick<HostFeature, "name" | "required"> {
  return { name, required };
}

function privileges(): HostFeature {
  const root = process.getuid?.() === 0;
  const detail = root ? "user 0" : "run it as root, for example with sudo";
  return { ...feature("root", true), available: root, detail };
}

function cgroups(): HostFeature {
  const mounts = read("/proc/self/mounts");
  const v1 = / cgroup (\S*)/.test(mounts);
  const v2 = / cgroup2 /.test(mounts);
  const layout = v1 && v2 ? "hybrid" : v1 ? "v1" : v2 ? "v2" : "none is mounted";
  return { ...feature("cgroups", true), available: v1 || v2, detail: layout };
}

function networkNamespaces(): HostFeature {
  const available = existsSync("/proc/self/ns/net");
  return { ...feature("network-namespaces", true), available, detail: "CONFIG_NET_NS" };
}

/** Overlays take layers whose files belong to other users from 5.19 on. */
function userNamespaces(): HostFeature {
  const [major = 0, minor = 0] = release().split(".").map(Number);
  const isNew = major > 5 || (major === 5 && minor >= 19);
  const available = isNew && Number(read("/proc/sys/user/max_user_namespaces")) > 0;
  const detail = "for hostUsers: false; kernels from 5.19, user.max_user_namespaces above 0";
  return { ...feature("user-namespaces", false), available, detail };
}

function landlock(): HostFeature {
  const version = landlockVersion();
  const detail =
    version > 0
      ? `version ${version}: the proxy writes no files`
      : "confines the proxy; in kernels from 5.13, with landlock in lsm=";
  return { ...feature("landlock", false), available: version > 0, detail };
}

function nftables(): HostFeature {
  try {
    using nft = openNftables();
    nft.query("list tables");
    return { ...feature("nftables", true), available: true, detail: "libnftables and kernel" };
  } catch (error) {
    return { ...feature("nftables", true), available: false, detail: (error as Error).message };
  }
}

function program(name: string, required: boolean, packageName: string): HostFeature {
  const file = (process.env["PATH"] ?? "/usr/sbin:/usr/bin:/sbin:/bin")
    .split(":")
    .map((directory) => path.join(directory, name))
    .find(isExecutable);
  if (!file) {
    const detail = `not in PATH: install the package ${packageName}`;
    return { ...feature(name, required), available: false, detail };
  }
  const ran = spawnSync(file, ["--version"], { encoding: "utf8", timeout: 2_000 });
  const { stdout, stderr, status, signal, error } = ran;
  // Not all have the option; those that cannot even be loaded end with one of these.
  if (error || signal || status === CANNOT_RUN || status === CANNOT_LOAD) {
    const why = error?.message ?? (stderr.trim().split("\n")[0] || `${signal ?? status}`);
    const detail = `${file} does not run: ${why}; install the package ${packageName} again`;
    return { ...feature(name, required), available: false, detail };
  }
  const detail = `${file} ${/\d+\.\d+[\w.+-]*/.exec(stdout ?? "")?.[0] ?? ""}`.trim();
  return { ...feature(name, required), available: true, detail };
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
