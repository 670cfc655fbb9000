import { execFileSync } from "node:child_process";
import { createPublicKey } from "node:crypto";
import { writeFileSync } from "node:fs";
import { get } from "node:http";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import path from "node:path";
import { makeScratchDirectory } from "../../scripts/scratch-directory.ts";
import { kubeconfigFor } from "../../src/apiserver/pki/kubeconfig.ts";
import { ensurePki, type Pki } from "../../src/apiserver/pki/pki.ts";
import { Cleanup } from "../../src/lib/cleanup.ts";
import { systemClock } from "../../src/sys/clock.ts";
import { systemRandom } from "../../src/sys/random.ts";
import { freePorts } from "./free-ports.ts";
import { PeerProcess } from "./peer-process.ts";
import { findPeer } from "./peers.ts";
import { isReady, type ServerUnderTest, targetAt } from "./server-under-test.ts";

const ETCD_PATIENCE_MS = 20_000;
const SERVER_PATIENCE_MS = 90_000;
const SERVICE_CIDR = "10.96.0.0/16";
const SERVICE_IP = "10.96.0.1";
const ISSUER = "https://kubernetes.default.svc.cluster.local";

/** What may differ from one use to another. */
export interface KubeApiServerOptions {
  /** Flags of kube-apiserver that follow our own and so replace them. */
  flags?: readonly string[];
}

/** kube-apiserver with the etcd that it stores in. */
export interface KubeApiServer extends ServerUnderTest {
  /** Where that etcd serves clients. */
  etcdUrl: string;
}

/** Why a test that needs kube-apiserver is skipped; `false` when it can run. */
export function kubeApiServerSkip(): string | false {
  const found = findPeer("kube-apiserver");
  if ("skip" in found) return found.skip;
  try {
    execFileSync("etcd", ["--version"], { stdio: "ignore" });
    return false;
  } catch {
    return 'etcd is not installed: run "apt-get install etcd-server"';
  }
}

/** Starts etcd and kube-apiserver 1.20 on free ports of 127.0.0.1. @throws Error with their logs */
export async function startKubeApiServer(
  options: KubeApiServerOptions = {},
): Promise<KubeApiServer> {
  const found = findPeer("kube-apiserver");
  if ("skip" in found) throw new Error(found.skip);
  await using cleanup = new Cleanup();
  const { path: directory } = cleanup.use(makeScratchDirectory("nephos-peer"));
  const [port = 0, clientPort = 0, peerPort = 0] = await freePorts(3);
  const pki = await ensurePki(path.join(directory, "pki"), {
    clock: systemClock,
    random: systemRandom,
    addresses: { server: ["127.0.0.1"], serviceIp: SERVICE_IP, nodes: [] },
  });
  // Unlike a signing key, it takes a verifying key in PKCS #8 for RSA only.
  const verifying = createPublicKey(pki.serviceAccountKeyPem);
  const verifyingPem = verifying.export({ type: "spki", format: "pem" });
  writeFileSync(path.join(pki.directory, "sa.pub"), verifyingPem);
  const etcd = cleanup.use(await startEtcd(directory, { clientPort, peerPort }));
  const server = cleanup.use(
    PeerProcess.start({
      name: "kube-apiserver",
      file: found.file,
      args: [...serverFlags({ port, clientPort, pki }), ...(options.flags ?? [])],
      log: path.join(directory, "kube-apiserver.log"),
    }),
  );
  const target = targetAt(port, pki);
  await server.untilReady(() => isReady(target), { patienceMs: SERVER_PATIENCE_MS });
  const kubeconfig = path.join(directory, "kubeconfig");
  writeFileSync(kubeconfig, kubeconfigFor({ ...target, clusterName: "peer" }), { mode: 0o600 });
  const running = cleanup.move();
  return {
    name: "kube-apiserver 1.20",
    directory,
    kubeconfig,
    target,
    pki,
    etcdUrl: `http://127.0.0.1:${clientPort}`,
    pids: { "kube-apiserver": server.pid, etcd: etcd.pid },
    [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
  };
}

async function startEtcd(
  directory: string,
  { clientPort, peerPort }: { clientPort: number; peerPort: number },
): Promise<PeerProcess> {
  const client = `http://127.0.0.1:${clientPort}`;
  const peer = `http://127.0.0.1:${peerPort}`;
  const etcd = PeerProcess.start({
    name: "etcd",
    file: "etcd",
    args: [
      `--data-dir=${path.join(directory, "etcd")}`,
      `--listen-client-urls=${client}`,
      `--advertise-client-urls=${client}`,
      `--listen-peer-urls=${peer}`,
      `--initial-advertise-peer-urls=${peer}`,
      `--initial-cluster=default=${peer}`,
      "--logger=zap",
      "--log-level=warn",
    ],
    log: path.join(directory, "etcd.log"),
  });
  try {
    await etcd.untilReady(() => answers(`${client}/health`), { patienceMs: ETCD_PATIENCE_MS });
    return etcd;
  } catch (error) {
    await etcd[Symbol.asyncDispose]();
    throw error;
  }
}

async function answers(url: string): Promise<boolean> {
  const asked = get(url, { agent: false, signal: AbortSignal.timeout(2_000) });
  const [response] = (await once(asked, "response")) as [IncomingMessage];
  response.resume();
  return response.statusCode === 200;
}

function serverFlags(of: { port: number; clientPort: number; pki: Pki }): string[] {
  const file = (name: string) => path.join(of.pki.directory, name);
  return [
    `--etcd-servers=http://127.0.0.1:${of.clientPort}`,
    "--bind-address=127.0.0.1",
    `--secure-port=${of.port}`,
    // Endpoints may not name a loopback address, so nobody reconciles those of the API server.
    "--advertise-address=192.0.2.1",
    "--external-hostname=localhost",
    "--endpoint-reconciler-type=none",
    `--client-ca-file=${file("ca.crt")}`,
    `--tls-cert-file=${file("apiserver.crt")}`,
    `--tls-private-key-file=${file("apiserver.key")}`,
    `--kubelet-client-certificate=${file("apiserver-kubelet-client.crt")}`,
    `--kubelet-client-key=${file("apiserver-kubelet-client.key")}`,
    `--proxy-client-cert-file=${file("front-proxy-client.crt")}`,
    `--proxy-client-key-file=${file("front-proxy-client.key")}`,
    `--requestheader-client-ca-file=${file("front-proxy-ca.crt")}`,
    "--requestheader-allowed-names=front-proxy-client",
    "--requestheader-extra-headers-prefix=X-Remote-Extra-",
    "--requestheader-group-headers=X-Remote-Group",
    "--requestheader-username-headers=X-Remote-User",
    `--service-account-key-file=${file("sa.pub")}`,
    `--service-account-signing-key-file=${file("sa.key")}`,
    `--service-account-issuer=${ISSUER}`,
    `--service-cluster-ip-range=${SERVICE_CIDR}`,
    "--authorization-mode=Node,RBAC",
    "--enable-admission-plugins=NodeRestriction",
    "--allow-privileged=true",
    "--delete-collection-workers=16",
    "--profiling=false",
  ];
}

/** Flags without which a benchmark would measure kube-apiserver's limits, not its speed. */
export const WITHOUT_RATE_LIMITS: readonly string[] = [
  "--enable-priority-and-fairness=false",
  "--max-requests-inflight=0",
  "--max-mutating-requests-inflight=0",
];
