// Run by crun-runtime.test.ts in a process of its own, as it changes its mount namespace:
//   node crun-runtime.suite.js crun|runc [start JSON]
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
  watch,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { silentLogger } from "../../lib/logger.ts";
import { systemClock } from "../../sys/clock.ts";
import { readMounts, unmountBelow } from "../../sys/mount.ts";
import { enterPrivateMounts } from "../../sys/mount-namespace.ts";
import { createNetworkNamespace } from "../../sys/network-namespace.ts";
import { systemRandom } from "../../sys/random.ts";
import type { LocalImage } from "../image/contract.ts";
import type { AgentDeath, RuntimeFixture } from "./conformance-context.ts";
import type { ContainerSpec, SandboxSpec } from "./contract.ts";
import { createCrunRuntime } from "./crun-runtime.ts";
import { FAILPOINTS, type Failpoint, type FailpointName, GVISOR_FAILPOINTS } from "./failpoints.ts";
import { runtimeConformance } from "./runtime-conformance.ts";
import type { CrunRuntimeOptions } from "./runtime-context.ts";
import { findProgram } from "./sandbox-drivers.ts";

const [, script = "", binary = "crun", started] = process.argv;

function open(
  directory: string,
  cgroupRoot: string,
  options: Partial<Pick<CrunRuntimeOptions, "creationMs" | "failpoint">> = {},
) {
  return createCrunRuntime({
    ...options,
    stateDirectory: path.join(directory, "state"),
    runDirectory: path.join(directory, "run"),
    podDirectories: [path.join(directory, "pods")],
    cgroupRoot,
    defaultHandler: binary,
    groupsAhead: GROUPS_AHEAD,
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger,
  });
}

/** Its `runsc` says that it is of another release; all else it does as ever. */
async function openStrange(directory: string, cgroupRoot: string) {
  const programs = path.join(directory, "programs");
  const file = path.join(programs, "runsc");
  const before = process.env["PATH"];
  mkdirSync(programs, { recursive: true });
  const words = '[ "$1" = --version ] && { echo runsc version strange; exit; }';
  writeFileSync(file, `#!/bin/sh\n${words}\nexec ${findProgram("runsc", "runsc")} "$@"\n`);
  chmodSync(file, 0o755);
  process.env["PATH"] = `${programs}:${before}`;
  try {
    const runtime = await open(directory, cgroupRoot);
    runtime.handlers(); // looks for all programs
    return runtime;
  } finally {
    process.env["PATH"] = before;
  }
}

/** The third command begins when the first one is at work. */
const COMMAND_RUNS: AgentDeath = { failpoint: "exec-begun", visit: 3 };

/** What only sandboxes come to that have user ids of their own, and where those matter. */
const WITH_USERS: readonly FailpointName[] = [
  "sandbox-users",
  "container-layers",
  "container-config",
  "container-root-removed",
];

/** Where a sandbox or a container takes what was made ahead. */
const WITH_SPARES: readonly FailpointName[] = [
  "group-spare",
  "group-taken",
  "container-group-taken",
  "container-cgroup",
  "monitor-begun",
  "container-created",
];

/** Of a container that nothing expects, and whose runtime sees the mounts of no other. */
const LATE: readonly FailpointName[] = [
  "container-cgroup",
  "container-created",
  "container-let-go",
];
/** So long after its monitor has begun: the runtime is on its way, or has done its work. */
const LATER_MS = [0, 1, 2, 4, 8];

const WITH_HOLDER: readonly FailpointName[] = [
  "container-monitor",
  "container-created",
  "container-removed",
];

/** Nobody comes there without more. */
const OF_A_KIND: ReadonlySet<FailpointName> = new Set([...WITH_USERS, ...WITH_SPARES.slice(0, 3)]);

const once = (failpoint: FailpointName): AgentDeath => ({ failpoint, visit: 1 });

/** Where gVisor's way parts from that of the others. */
const GVISOR_OWN: readonly FailpointName[] = [
  "container-cgroup",
  "container-monitor",
  "container-created",
  "container-released",
  "container-started",
  "stop-signal",
  "container-cgroup-removed",
];

/** The holder of a sandbox of gVisor's comes to most of them too, mostly before the container. */
const DEATHS: Readonly<Record<string, AgentDeath[]>> = {
  crun: [
    ...FAILPOINTS.filter((name) => !OF_A_KIND.has(name)).map(once),
    ...WITH_USERS.map((failpoint) => ({ ...once(failpoint), kind: "users" as const })),
    // The first visitor is what holds the processes.
    ...WITH_SPARES.map((failpoint) => ({ ...once(failpoint), kind: "spares" as const })),
    ...LATE.map((failpoint) => ({ ...once(failpoint), kind: "late" as const })),
    ...LATER_MS.flatMap((afterMs) => {
      const death = { ...once("monitor-begun"), kind: "late" as const, afterMs };
      // Every other pod is deleted, so each of them is made twice.
      return [death, death];
    }),
    ...WITH_HOLDER.map((failpoint) => ({ ...once(failpoint), kind: "processes" as const })),
    COMMAND_RUNS,
  ],
  runsc: [
    ...GVISOR_FAILPOINTS.map(once),
    ...GVISOR_OWN.flatMap((failpoint) => [once(failpoint), { failpoint, visit: 2 }]),
    ...(["sandbox-record", "sandbox-mounts-removed", "exec-begun"] as const).map(once),
    COMMAND_RUNS,
  ],
};

function busyboxImage(directory: string): LocalImage {
  const layer = path.join(directory, "layer");
  for (const name of ["bin", "etc", "tmp", "mnt", "proc", "sys", "dev"]) {
    mkdirSync(path.join(layer, name), { recursive: true });
  }
  copyFileSync("/bin/busybox", path.join(layer, "bin/busybox"));
  const applets = spawnSync("/bin/busybox", ["--list"], { encoding: "utf8" }).stdout;
  for (const applet of applets.trim().split("\n")) {
    if (applet !== "busybox") symlinkSync("busybox", path.join(layer, "bin", applet));
  }
  writeFileSync(path.join(layer, "etc/passwd"), "root:x:0:0::/:/bin/sh\nwww:x:33:34::/:/bin/sh\n");
  writeFileSync(path.join(layer, "etc/group"), "root:x:0:\nextra:x:50:www\n");
  return { id: "sha256:busybox", references: [], sizeBytes: 0, config: {}, layerPaths: [layer] };
}

const GROUPS_AHEAD = 2;

/** Groups that are made ahead beyond those of the runtime that is open. */
function spareGroups(cgroupRoot: string): string[] {
  const found = spawnSync(
    "find",
    ["/sys/fs/cgroup", "-path", `*${cgroupRoot}*/spare-*`, "-prune"],
    {
      encoding: "utf8",
    },
  );
  const spares = new Map<string, string[]>();
  for (const group of found.stdout.split("\n").filter(Boolean)) {
    const parent = path.dirname(group);
    spares.set(parent, [...(spares.get(parent) ?? []), group]);
  }
  return [...spares.values()].filter((groups) => groups.length > GROUPS_AHEAD).flat();
}

/** Processes of programs that the runtime has written, whose arguments may say nothing. */
function programsBelow(directory: string): string[] {
  return readdirSync("/proc").flatMap((pid) => {
    try {
      const program = readlinkSync(`/proc/${pid}/exe`);
      return program.startsWith(`${directory}/`) ? [`${pid} ${program}`] : [];
    } catch {
      return [];
    }
  });
}

function createFixture(): RuntimeFixture {
  const directory = realpathSync(mkdtempSync(path.join(tmpdir(), "nephos-runtime-")));
  chmodSync(directory, 0o711);
  const cgroupRoot = `/${path.basename(directory)}`;
  enterPrivateMounts({ sharedDirectories: [directory] });
  const keepAlive = watch(directory); // a runtime by itself lets its process end
  const networkNamespacePath = path.join(directory, "network");
  if (binary === "runsc") createNetworkNamespace(networkNamespacePath);
  const inState = (folder: string) => {
    const full = path.join(directory, folder);
    return existsSync(full) ? readdirSync(full).map((name) => path.join(folder, name)) : [];
  };
  return {
    image: busyboxImage(directory),
    deaths: DEATHS[binary] ?? [],
    logDirectory: path.join(directory, "logs"),
    podDirectory: path.join(directory, "pods"),
    hasOwnKernel: binary === "runsc",
    ...(binary === "runsc" && { networkNamespacePath }),
    open: (options) => open(directory, cgroupRoot, options),
    ...(binary === "runsc" && { openStrange: () => openStrange(directory, cgroupRoot) }),
    leftovers: () => [
      ...readMounts()
        .map((entry) => entry.target)
        .filter((target) => target.startsWith(`${directory}/`) && target !== networkNamespacePath),
      ...["containers", "sandboxes", "exits", "users"].flatMap((name) => inState(`state/${name}`)),
      ...["roots", "mapped", "bundles", `oci/${binary}`, "execs", "sandboxes"].flatMap((name) =>
        inState(`run/${name}`),
      ),
      ...spawnSync("find", ["/sys/fs/cgroup", "-path", `*${cgroupRoot}*/pod*`], {
        encoding: "utf8",
      })
        .stdout.split("\n")
        .filter(Boolean),
      ...spareGroups(cgroupRoot),
      ...programsBelow(directory),
      ...spawnSync("ps", ["-eo", "args"], { encoding: "utf8" })
        .stdout.split("\n")
        .filter((line) => line.includes(`${directory}/`)),
    ],
    async startAndDie(specs) {
      const agent = JSON.stringify({ ...specs, directory, cgroupRoot });
      const died = spawnSync(process.execPath, [script, binary, agent], { encoding: "utf8" });
      if (died.signal === "SIGKILL") return await Promise.resolve();
      const { failpoint, visit } = specs.death ?? {};
      throw new Error(`agent did not come to ${failpoint}, visit ${visit}: ${died.stderr}`);
    },
    async [Symbol.asyncDispose]() {
      const { purgeCrunRuntime } = await import("./crun-runtime.ts");
      await purgeCrunRuntime({
        stateDirectory: path.join(directory, "state"),
        runDirectory: path.join(directory, "run"),
        cgroupRoot,
        defaultHandler: binary,
        clock: systemClock,
        random: systemRandom,
        logger: silentLogger,
      });
      keepAlive.close();
      unmountBelow(directory);
      rmSync(directory, { recursive: true });
    },
  };
}

/** Plays the agent that is killed at a place, or right after it has started a container. */
async function startAndDie(text: string): Promise<void> {
  const { sandbox, container, directory, cgroupRoot, death } = JSON.parse(text) as {
    sandbox: SandboxSpec;
    container: ContainerSpec;
    directory: string;
    cgroupRoot: string;
    death?: AgentDeath;
  };
  watch(directory); // a runtime by itself lets its process end
  const die = () => process.kill(process.pid, "SIGKILL");
  let [visits, spares] = [0, 0];
  let hasSpare = () => {};
  const spare = new Promise<void>((resolve) => (hasSpare = resolve));
  const failpoint: Failpoint = (name) => {
    if (name === "group-spare" && ++spares === 2) hasSpare();
    if (name !== death?.failpoint || ++visits !== death.visit) return;
    if (death.afterMs) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, death.afterMs);
    die();
  };
  const runtime = await open(directory, cgroupRoot, { failpoint });
  await runtime.recover();
  if (death?.kind === "spares") await spare;
  if (death?.kind !== "late") {
    runtime.expectContainer({ ...container, qosClass: sandbox.qosClass });
  }
  const users = death?.kind === "users" && (await runtime.prepareUsers({ id: sandbox.id }));
  await runtime.createSandbox({ ...sandbox, ...(users && { users }) });
  await runtime.createContainer(container);
  await runtime.startContainer(container.id);
  if (!death) die();
  if (death?.failpoint === "exec-begun") {
    void runtime.execSync(container.id, ["sleep", "2000"], 10_000);
    const runs = "until ps | grep -q '[s]leep 2000'; do :; done";
    await runtime.execSync(container.id, ["sh", "-c", runs], 10_000);
    await runtime.execSync(container.id, ["sleep", "3000"], 10_000);
  }
  await runtime.removeSandbox(sandbox.id);
  process.exit(3);
}

if (script === fileURLToPath(import.meta.url)) {
  if (started) await startAndDie(started);
  else runtimeConformance(binary, createFixture());
}
