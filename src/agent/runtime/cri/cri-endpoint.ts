import path from "node:path";
import type { CriClient } from "../../cri-client.ts";
import { RuntimeError, type RuntimeHandler } from "../contract.ts";

/** What a container runtime tells about itself. */
export interface CriFacts {
  /** "containerd". */
  name: string;
  version: string;
  handlers: readonly RuntimeHandler[];
  /** Where it looks for the network of pods. */
  network: { configurations: string; plugins: string };
  /** Holds every sandbox; nothing would run without it. */
  sandboxImage?: string;
  /** Holds files that are gone after a reboot. */
  stateDirectory: string;
  /** A directory in which something changes when a container ends; absent where none is known. */
  tasksDirectory?: string;
}

/** Socket of "unix:///run/containerd/containerd.sock", or of a bare path. @throws RangeError */
export function socketOf(endpoint: string): string {
  const found = /^(?:unix:\/\/)?(\/.+)$/.exec(endpoint);
  if (found?.[1]) return found[1];
  const like = "unix:///run/containerd/containerd.sock";
  throw new RangeError(`"${endpoint}" is no socket on this machine: write it like "${like}"`);
}

/** The parts of containerd's configuration that matter here, as its verbose status has them. */
interface Configuration {
  containerd?: { defaultRuntimeName?: string; runtimes?: Record<string, Runtime> };
  cni?: { binDir?: string; confDir?: string };
  stateDir?: string;
  systemdCgroup?: boolean;
  sandboxImage?: string;
}

interface Runtime {
  runtimeType?: string;
  options?: { SystemdCgroup?: boolean } | null;
}

/** Asks who answers. @throws GrpcError, RuntimeError when it cannot run pods of this agent */
export async function readFacts(client: CriClient): Promise<CriFacts> {
  const version = await client.call("RuntimeService/Version", { version: "v1" });
  const { status, info } = await client.call("RuntimeService/Status", { verbose: true });
  const { runtimeName: name, runtimeVersion } = version;
  const ready = status?.conditions.find(({ type }) => type === "RuntimeReady");
  if (ready && !ready.status) {
    throw new RuntimeError("runtime-failed", `${name} is not ready: ${ready.message}`);
  }
  const {
    containerd = {},
    cni = {},
    ...rest
  } = JSON.parse(info["config"] ?? "{}") as Configuration;
  const runtimes = Object.entries(containerd.runtimes ?? {});
  const bySystemd = runtimes.find(([, { options }]) => options?.SystemdCgroup)?.[0];
  if (rest.systemdCgroup || bySystemd !== undefined) {
    const where = bySystemd === undefined ? "" : ` of its runtime "${bySystemd}"`;
    const message = `${name} leaves cgroups to systemd: set SystemdCgroup${where} to false`;
    throw new RuntimeError("runtime-failed", message);
  }
  const stateDirectory = rest.stateDir ?? `/run/${name}`;
  const chosen = containerd.defaultRuntimeName ?? name;
  const known = runtimes.length > 0 ? runtimes : [[chosen, {}] satisfies [string, Runtime]];
  return {
    name,
    version: runtimeVersion,
    handlers: known.map(([handler, { runtimeType = "" }]) => ({
      name: handler,
      isDefault: handler === chosen,
      hasOwnKernel: /runsc|kata/.test(runtimeType),
      hasUserNamespaces: false,
      hasRecursiveReadOnly: false,
    })),
    network: {
      configurations: cni.confDir ?? "/etc/cni/net.d",
      plugins: cni.binDir ?? "/opt/cni/bin",
    },
    stateDirectory,
    ...(rest.sandboxImage && { sandboxImage: rest.sandboxImage }),
    ...(name === "containerd" && {
      tasksDirectory: path.join(stateDirectory, "../io.containerd.runtime.v2.task/k8s.io"),
    }),
  };
}
