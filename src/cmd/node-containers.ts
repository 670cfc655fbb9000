import { connectCri } from "../agent/cri-client.ts";
import { createCriImageStore } from "../agent/image/cri-image-store.ts";
import type { ImageStore } from "../agent/image/contract.ts";
import { createImageStore } from "../agent/image/image-store.ts";
import { createImageThread } from "../agent/image/image-thread.ts";
import { readProxyEnvironment } from "../agent/image/registry/proxy-rules.ts";
import type { ContainerRuntime } from "../agent/runtime/contract.ts";
import { socketOf } from "../agent/runtime/cri/cri-endpoint.ts";
import { createCriRuntime } from "../agent/runtime/cri/cri-runtime.ts";
import { createCrunRuntime } from "../agent/runtime/crun-runtime.ts";
import { Cleanup } from "../lib/cleanup.ts";
import type { Logger } from "../lib/logger.ts";
import { systemClock } from "../sys/clock.ts";
import { probeHost } from "../sys/probe/host-probe.ts";
import { systemRandom } from "../sys/random.ts";
import type { NodeDirectories } from "./data-directory.ts";
import type { NodeProcessOptions } from "./node-process.ts";
import { runtimeOptionsOf } from "./runtime-options.ts";

/** What runs the containers of a node. */
export interface NodeContainers extends AsyncDisposable {
  readonly runtime: ContainerRuntime;
  readonly images: ImageStore;
  /** On the file system that images lie on. */
  readonly imageDirectory: string;
  /** "crun://1.8.1", as `status.nodeInfo` wants it. */
  readonly version: string;
}

/** Of pods that may come together, as many as networks; see `SpareGroupsOptions.max`. */
const GROUPS_AHEAD = 32;

const sources = { clock: systemClock, random: systemRandom };

/** Our own runtime and images. */
export async function ownContainers(options: NodeProcessOptions): Promise<NodeContainers> {
  const { logger, directories, imageDirectory } = options;
  await using cleanup = new Cleanup();
  const place = {
    directory: imageDirectory,
    registriesFile: options.registriesFile,
    proxies: readProxyEnvironment(process.env),
  };
  const engine = cleanup.use(createImageThread(place, { clock: systemClock, logger }));
  const { isInUse, configuration } = options;
  const { pullRules } = configuration;
  const [images, runtime] = await Promise.all([
    createImageStore({ ...sources, ...place, engine, pullRules, isInUse, logger }),
    createCrunRuntime({
      ...sources,
      ...runtimeOptionsOf(directories),
      groupsAhead: GROUPS_AHEAD,
      logger,
    }),
  ]);
  cleanup.use(runtime);
  const detail = probeHost().find(({ name }) => name === "crun")?.detail ?? "";
  const version = `crun://${detail.split(" ")[1] ?? "unknown"}`;
  const owned = cleanup.move();
  const dispose = () => owned[Symbol.asyncDispose]();
  return { runtime, images, imageDirectory, version, [Symbol.asyncDispose]: dispose };
}

/** Those of a container runtime that answers on a socket, such as containerd. */
export async function foreignContainers(
  endpoint: string,
  { state, cgroupRoot, logger }: Pick<NodeDirectories, "state" | "cgroupRoot"> & { logger: Logger },
): Promise<NodeContainers> {
  await using cleanup = new Cleanup();
  const client = cleanup.use(connectCri(socketOf(endpoint)));
  const runtime = cleanup.use(
    await createCriRuntime({ client, cgroupRoot, clock: systemClock, logger }),
  );
  const { name, version, sandboxImage } = runtime.facts;
  const images = cleanup.use(
    await createCriImageStore({ client, sandboxImage, clock: systemClock, logger }),
  );
  const imageDirectory = (await images.directory()) ?? state;
  const owned = cleanup.move();
  return {
    runtime,
    images,
    imageDirectory,
    version: `${name}://${version}`,
    [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose](),
  };
}
