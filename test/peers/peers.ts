import { existsSync } from "node:fs";
import path from "node:path";

/** Programs that are compared with, or run against, our own. */
export const PEER_BINARIES: Readonly<Record<string, { path: string; test?: boolean }>> = {
  "kube-apiserver": { path: "cmd/kube-apiserver" },
  "kube-controller-manager": { path: "cmd/kube-controller-manager" },
  "kube-scheduler": { path: "cmd/kube-scheduler" },
  kubelet: { path: "cmd/kubelet" },
  agnhost: { path: "test/images/agnhost" },
  nnp: { path: "test/images/nonewprivs" },
  "kube-sample-apiserver": { path: "vendor/k8s.io/sample-apiserver" },
  "e2e.test": { path: "test/e2e", test: true },
};

/** Where the peers are built: `$NEPHOS_PEERS`, else a cache directory outside the repository. */
export function peersDirectory(): string {
  return process.env["NEPHOS_PEERS"] ?? "/var/cache/nephos-peers";
}

/** Path of a built peer, or the reason why a test that needs it is skipped. */
export function findPeer(name: string): { file: string } | { skip: string } {
  const file = path.join(peersDirectory(), "bin", name);
  if (existsSync(file)) return { file };
  return { skip: `${name} 1.20 is not built: run "npm run peers" (about 10 minutes)` };
}
