// How long a pod takes to run once its image is here, stage by stage:
//   node build/src/agent/runtime/runtime.bench.js [crun|runc|runsc] [count]
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  watch,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { silentLogger } from "../../lib/logger.ts";
import { systemClock } from "../../sys/clock.ts";
import { unmountBelow } from "../../sys/mount.ts";
import { enterPrivateMounts } from "../../sys/mount-namespace.ts";
import { createNetworkNamespace } from "../../sys/network-namespace.ts";
import { systemRandom } from "../../sys/random.ts";
import { createCrunRuntime, purgeCrunRuntime } from "./crun-runtime.ts";

const [binary = "crun", count = "30"] = process.argv.slice(2);
const directory = realpathSync(mkdtempSync(path.join(tmpdir(), "nephos-bench-")));
enterPrivateMounts({ sharedDirectories: [directory] });
const keepAlive = watch(directory);
const options = {
  stateDirectory: path.join(directory, "state"),
  runDirectory: path.join(directory, "run"),
  cgroupRoot: `/${path.basename(directory)}`,
  defaultHandler: binary,
  clock: systemClock,
  random: systemRandom,
  logger: silentLogger,
};
const layer = path.join(directory, "layer");
for (const name of ["bin", "proc", "sys", "dev"]) {
  mkdirSync(path.join(layer, name), { recursive: true });
}
copyFileSync("/bin/busybox", path.join(layer, "bin/busybox"));
symlinkSync("busybox", path.join(layer, "bin/sleep"));

const networkNamespacePath = path.join(directory, "network");
createNetworkNamespace(networkNamespacePath);

const stages = new Map<string, number[]>();
async function timed(stage: string, work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  const elapsedMs = performance.now() - start;
  stages.set(stage, [...(stages.get(stage) ?? []), elapsedMs]);
  return elapsedMs;
}

const runtime = await createCrunRuntime(options);
try {
  await runtime.recover();
  for (let at = 0; at < Number(count); at++) {
    const sandboxId = `pod-${at}`;
    const id = `${sandboxId}-main-0`;
    const parts = [
      await timed("sandbox", () =>
        runtime.createSandbox({
          id: sandboxId,
          podName: "bench",
          podNamespace: "default",
          hostname: "bench",
          networkNamespacePath,
          qosClass: "Burstable",
          resources: { cpuShares: 100 },
        }),
      ),
      await timed("create", () =>
        runtime.createContainer({
          id,
          sandboxId,
          name: "main",
          attempt: 0,
          image: { id: "i", references: [], sizeBytes: 0, config: {}, layerPaths: [layer] },
          imageReference: "busybox",
          command: ["sleep", "1000"],
          environment: ["PATH=/bin"],
          workingDirectory: "/",
          mounts: [],
          logPath: path.join(directory, "logs", `${id}.log`),
          resources: { cpuShares: 100, memoryLimitBytes: 64 << 20 },
          security: { user: "", allowPrivilegeEscalation: false, seccomp: "runtime-default" },
        }),
      ),
      await timed("start", () => runtime.startContainer(id)),
    ];
    const total = parts.reduce((sum, part) => sum + part, 0);
    stages.set("to running", [...(stages.get("to running") ?? []), total]);
    await timed("exec", () => runtime.execSync(id, ["sleep", "0"], 5000));
    await timed("kill and remove", () => runtime.removeSandbox(sandboxId));
  }
} finally {
  await runtime[Symbol.asyncDispose]();
  await purgeCrunRuntime(options);
  keepAlive.close();
  unmountBelow(directory);
  rmSync(directory, { recursive: true });
}

console.log(`${binary}, ${count} pods one after another, milliseconds`);
for (const [stage, values] of stages) {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor((sorted.length - 1) * share)]?.toFixed(1);
  console.log(`${stage.padEnd(16)} p50 ${at(0.5)}  p90 ${at(0.9)}  max ${at(1)}`);
}
