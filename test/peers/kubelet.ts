import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { get } from "node:http";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import path from "node:path";
import { makeScratchDirectory } from "../../scripts/scratch-directory.ts";
import { kubeconfigFor } from "../../src/apiserver/pki/kubeconfig.ts";
import { Cleanup } from "../../src/lib/cleanup.ts";
import { openCgroups } from "../../src/sys/cgroup.ts";
import { freePorts } from "./free-ports.ts";
import type { PeerClient } from "./kube-controllers.ts";
import { PeerProcess } from "./peer-process.ts";
import { findPeer } from "./peers.ts";
import type { ServerUnderTest } from "./server-under-test.ts";

const PATIENCE_MS = 60_000;
const LOGS = "/var/log";
const NAMED_HIERARCHY = "/sys/fs/cgroup/systemd";
/** Settings of the whole machine that a kubelet changes, and what it wants of them. */
const TUNABLES: Readonly<Record<string, number>> = {
  "vm/overcommit_memory": 1,
  "vm/panic_on_oom": 0,
  "kernel/panic": 10,
  "kernel/panic_on_oops": 1,
  "kernel/keys/root_maxkeys": 1_000_000,
  "kernel/keys/root_maxbytes": 25_000_000,
};

/** Why a test that needs a kubelet is skipped; `false` when it can run. */
export function kubeletSkip(): string | false {
  const found = findPeer("kubelet");
  if ("skip" in found) return found.skip;
  return process.getuid?.() === 0 ? false : "needs root";
}

/** What a kubelet finds when it starts. */
export interface KubeletSurroundings extends Disposable {
  /** Holds the groups of its pods. */
  cgroupRoot: string;
}

/**
 * Hides from this mount namespace, which must be the caller's own, what a kubelet writes to places
 * that no flag changes. The container runtime must start afterwards, to see the same logs, and end
 * its containers before this is disposed.
 */
export function prepareForKubelet(): KubeletSurroundings {
  execFileSync("mount", ["-t", "tmpfs", "logs", LOGS]);
  const cgroupRoot = `/nephos-kubelet-${process.pid}`;
  const cgroups = openCgroups();
  cgroups.create(cgroupRoot);
  // It asks for the hierarchy without a controller too, where there is one.
  if (existsSync(NAMED_HIERARCHY)) {
    mkdirSync(path.join(NAMED_HIERARCHY, cgroupRoot), { recursive: true });
  }
  return {
    cgroupRoot,
    [Symbol.dispose]() {
      execFileSync("umount", ["--lazy", LOGS]);
      if (!cgroups.remove(cgroupRoot)) throw new Error(`Processes are left in ${cgroupRoot}`);
    },
  };
}

/** What a kubelet is told. */
export interface KubeletOptions {
  nodeName: string;
  nodeIp: string;
  /** Socket of the container runtime. */
  socketPath: string;
  /** Its `--root-dir`, which the container runtime knows. */
  rootDirectory: string;
  surroundings: KubeletSurroundings;
}

/** Runs kubelet 1.20 with a container runtime; resolves when it is healthy. */
export async function startKubelet(
  server: Pick<ServerUnderTest, "target" | "pki">,
  options: KubeletOptions,
): Promise<PeerClient> {
  const found = findPeer("kubelet");
  if ("skip" in found) throw new Error(found.skip);
  await using cleanup = new Cleanup();
  const { path: directory } = cleanup.use(makeScratchDirectory("nephos-kubelet"));
  const [port = 0, healthPort = 0] = await freePorts(2);
  const log = path.join(directory, "kubelet.log");
  const flags = kubeletFlags(options, {
    directory,
    port,
    healthPort,
    ...writeCredentials(directory, server, options),
    clientCa: path.join(server.pki.directory, "ca.crt"),
  });
  const started = cleanup.use(
    PeerProcess.start({
      name: "kubelet",
      file: "unshare",
      args: [
        "--mount",
        "--propagation",
        "unchanged",
        "sh",
        "-c",
        setUp(directory),
        "sh",
        found.file,
        ...flags,
      ],
      log,
    }),
  );
  await started.untilReady(() => isHealthy(healthPort), { patienceMs: PATIENCE_MS });
  const running = cleanup.move();
  return {
    pid: started.pid,
    logEnd: () => started.logEnd(),
    [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
  };
}

/** Gives the kubelet files of its own in place of the machine's settings. */
function setUp(directory: string): string {
  const files = Object.entries(TUNABLES).map(([name, value]) => {
    const file = path.join(directory, path.basename(name));
    writeFileSync(file, `${value}\n`);
    return `mount --bind ${file} /proc/sys/${name}`;
  });
  return ["mount --make-private /proc", ...files, 'exec "$@"'].join(" && ");
}

/** An API server of ours talks only to nodes that its own authority has vouched for. */
function writeCredentials(
  directory: string,
  { target, pki }: Pick<ServerUnderTest, "target" | "pki">,
  { nodeName, nodeIp }: KubeletOptions,
): { kubeconfig: string; certificate: string; key: string } {
  const { client, serving } = pki.ensureNode({ name: nodeName, addresses: [nodeIp] });
  const write = (name: string, text: string) => {
    const file = path.join(directory, name);
    writeFileSync(file, text, { mode: 0o600 });
    return file;
  };
  const identity = { ...target, ...client, clusterName: "peer", userName: nodeName };
  return {
    kubeconfig: write("kubeconfig", kubeconfigFor(identity)),
    certificate: write("serving.crt", serving.certPem),
    key: write("serving.key", serving.keyPem),
  };
}

function kubeletFlags(
  { nodeName, nodeIp, socketPath, rootDirectory, surroundings }: KubeletOptions,
  own: {
    directory: string;
    kubeconfig: string;
    certificate: string;
    key: string;
    clientCa: string;
    port: number;
    healthPort: number;
  },
): string[] {
  const folder = (name: string) => {
    const made = path.join(own.directory, name);
    mkdirSync(made);
    return made;
  };
  return [
    "--container-runtime=remote",
    `--container-runtime-endpoint=unix://${socketPath}`,
    `--kubeconfig=${own.kubeconfig}`,
    `--hostname-override=${nodeName}`,
    `--node-ip=${nodeIp}`,
    `--port=${own.port}`,
    "--read-only-port=0",
    `--healthz-port=${own.healthPort}`,
    `--root-dir=${rootDirectory}`,
    `--cert-dir=${folder("pki")}`,
    `--tls-cert-file=${own.certificate}`,
    `--tls-private-key-file=${own.key}`,
    `--volume-plugin-dir=${folder("volume-plugins")}`,
    `--cgroup-root=${surroundings.cgroupRoot}`,
    "--cgroup-driver=cgroupfs",
    "--fail-swap-on=false",
    "--make-iptables-util-chains=false",
    `--client-ca-file=${own.clientCa}`,
    "--anonymous-auth=false",
    "--authorization-mode=AlwaysAllow",
    // Its plugins would meet in a directory that no flag changes.
    "--feature-gates=DevicePlugins=false",
    // How full this machine's disk is must not matter.
    "--eviction-hard=memory.available<1Mi",
    "--image-gc-high-threshold=100",
    "--node-status-update-frequency=2s",
    "--sync-frequency=10s",
  ];
}

async function isHealthy(port: number): Promise<boolean> {
  const signal = AbortSignal.timeout(5_000);
  const asked = get(`http://127.0.0.1:${port}/healthz`, { agent: false, signal });
  const [response] = (await once(asked, "response")) as [IncomingMessage];
  response.resume();
  return response.statusCode === 200;
}
