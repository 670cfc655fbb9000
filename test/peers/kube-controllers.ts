import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import path from "node:path";
import { makeScratchDirectory } from "../../scripts/scratch-directory.ts";
import { Cleanup } from "../../src/lib/cleanup.ts";
import { freePorts } from "./free-ports.ts";
import { PeerProcess } from "./peer-process.ts";
import { findPeer } from "./peers.ts";
import type { ServerUnderTest } from "./server-under-test.ts";

const PATIENCE_MS = 60_000;

/** A running kube-controller-manager or kube-scheduler. */
export interface PeerClient extends AsyncDisposable {
  pid: number;
  /** The end of its log. */
  logEnd(): string;
}

type Server = Pick<ServerUnderTest, "kubeconfig" | "pki">;

/** Why a test that needs one of the two is skipped; `false` when it can run. */
export function kubeControllersSkip(): string | false {
  for (const name of ["kube-controller-manager", "kube-scheduler"]) {
    const found = findPeer(name);
    if ("skip" in found) return found.skip;
  }
  return false;
}

/** Runs every controller of Kubernetes 1.20 against an API server; resolves when it is healthy. */
export function startKubeControllerManager(
  { kubeconfig, pki }: Server,
  flags: readonly string[] = [],
): Promise<PeerClient> {
  const file = (name: string) => path.join(pki.directory, name);
  return startPeerClient("kube-controller-manager", [
    ...commonFlags(kubeconfig),
    `--root-ca-file=${file("ca.crt")}`,
    `--service-account-private-key-file=${file("sa.key")}`,
    `--cluster-signing-cert-file=${file("ca.crt")}`,
    `--cluster-signing-key-file=${file("ca.key")}`,
    "--allocate-node-cidrs=true",
    "--cluster-cidr=10.244.0.0/16",
    "--kube-api-qps=1000",
    "--kube-api-burst=1000",
    ...flags,
  ]);
}

/** Runs kube-scheduler 1.20 against an API server; resolves when it is healthy. */
export function startKubeScheduler(
  { kubeconfig }: Server,
  flags: readonly string[] = [],
): Promise<PeerClient> {
  return startPeerClient("kube-scheduler", [
    ...commonFlags(kubeconfig),
    "--kube-api-qps=1000",
    "--kube-api-burst=1000",
    ...flags,
  ]);
}

function commonFlags(kubeconfig: string): string[] {
  return [
    `--kubeconfig=${kubeconfig}`,
    "--leader-elect=false",
    // The port without TLS; the other one is chosen below.
    "--port=0",
    "--bind-address=127.0.0.1",
  ];
}

async function startPeerClient(name: string, flags: readonly string[]): Promise<PeerClient> {
  const found = findPeer(name);
  if ("skip" in found) throw new Error(found.skip);
  await using cleanup = new Cleanup();
  const { path: directory } = cleanup.use(makeScratchDirectory(`nephos-${name}`));
  const [port = 0] = await freePorts(1);
  const own = [`--secure-port=${port}`, `--cert-dir=${directory}`];
  const log = path.join(directory, "log");
  const args = [...flags, ...own];
  const started = cleanup.use(PeerProcess.start({ name, file: found.file, args, log }));
  await started.untilReady(() => isHealthy(port), { patienceMs: PATIENCE_MS });
  const running = cleanup.move();
  return {
    pid: started.pid,
    logEnd: () => started.logEnd(),
    [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
  };
}

/** Its certificate is one that it signed itself. */
async function isHealthy(port: number): Promise<boolean> {
  const asked = request(`https://127.0.0.1:${port}/healthz`, {
    agent: false,
    rejectUnauthorized: false,
    signal: AbortSignal.timeout(5_000),
  });
  asked.end();
  const [response] = (await once(asked, "response")) as [IncomingMessage];
  response.resume();
  return response.statusCode === 200;
}
