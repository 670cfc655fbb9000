// Debian's containerd behind the contract that crun, runc and gVisor keep.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { createCriImageStore } from "../../src/agent/image/cri-image-store.ts";
import { connectCri } from "../../src/agent/cri-client.ts";
import type { AgentDeath, RuntimeFixture } from "../../src/agent/runtime/conformance-context.ts";
import { createCriRuntime } from "../../src/agent/runtime/cri/cri-runtime.ts";
import type { FailpointName } from "../../src/agent/runtime/failpoints.ts";
import { runtimeConformance } from "../../src/agent/runtime/runtime-conformance.ts";
import { silentLogger } from "../../src/lib/logger.ts";
import { systemClock } from "../../src/sys/clock.ts";
import { createNetworkNamespace, removeNetworkNamespace } from "../../src/sys/network-namespace.ts";
import { CONTAINERD_IMAGE, startContainerd, withoutContainerd } from "./containerd-under-test.ts";

const AGENT = path.join(import.meta.dirname, "containerd-dying-agent.js");

/** Of the steps that leave something at containerd or on the node, those with the most to lose. */
const STEPS: readonly FailpointName[] = [
  "sandbox-namespaces",
  "sandbox-record",
  "container-created",
  "container-started",
  "sandbox-containers-removed",
];

async function createFixture(): Promise<RuntimeFixture> {
  const containerd = await startContainerd();
  const { directory, endpoint } = containerd;
  const cgroupRoot = `/${path.basename(directory)}`;
  const networkNamespacePath = path.join(directory, "network");
  createNetworkNamespace(networkNamespacePath);
  const client = connectCri(path.join(directory, "containerd.sock"));
  const sources = { client, clock: systemClock, logger: silentLogger };
  const images = await createCriImageStore({ ...sources, sandboxImage: undefined });
  const image = images.find(CONTAINERD_IMAGE);
  if (!image) throw new Error("containerd does not have the image");
  const options = { ...sources, cgroupRoot };
  const logDirectory = path.join(directory, "logs");
  mkdirSync(logDirectory);
  const once = (failpoint: FailpointName): AgentDeath => ({ failpoint, visit: 1 });
  const found = (command: string, ...args: string[]) =>
    spawnSync(command, args, { encoding: "utf8" }).stdout.split("\n").filter(Boolean);
  return {
    image,
    logDirectory,
    networkNamespacePath,
    hasOwnKernel: false,
    daemon: "containerd keeps the images and watches the containers",
    deaths: STEPS.map(once),
    open: () => createCriRuntime(options),
    leftovers: () => [
      ...containerd.leftovers(),
      ...readdirSync("/sys/fs/cgroup")
        .map((hierarchy) => path.join("/sys/fs/cgroup", hierarchy, cgroupRoot))
        .filter((group) => existsSync(group))
        .flatMap((group) => found("find", group, "-name", "pod*", "-type", "d")),
      ...found("find", path.join(directory, "state"), "-path", "*/nephos-networks/*"),
    ],
    async startAndDie(specs) {
      const agent = JSON.stringify({ ...specs, endpoint, cgroupRoot });
      const died = spawnSync(process.execPath, [AGENT, agent], { encoding: "utf8" });
      if (died.signal === "SIGKILL") return await Promise.resolve();
      throw new Error(`the agent lived on: ${died.stderr}`);
    },
    async [Symbol.asyncDispose]() {
      images[Symbol.dispose]();
      await using runtime = await createCriRuntime(options);
      await runtime.purge();
      await client[Symbol.asyncDispose]();
      removeNetworkNamespace(networkNamespacePath);
      const groups = found(
        "find",
        "/sys/fs/cgroup",
        "-depth",
        "-path",
        `*${cgroupRoot}*`,
        "-type",
        "d",
      );
      spawnSync("rmdir", groups);
      await containerd[Symbol.asyncDispose]();
      if (existsSync(directory)) throw new Error(`${directory} is left`);
    },
  };
}

const skip = withoutContainerd();
if (skip) test("containerd passes the conformance suite of runtimes", { skip });
else runtimeConformance("containerd", await createFixture());
