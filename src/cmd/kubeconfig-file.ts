import { writeFileSync } from "node:fs";
import { kubeconfigFor } from "../apiserver/pki/kubeconfig.ts";

/** Writes a kubeconfig that only its owner can read. */
export function writeKubeconfig(
  file: string,
  of: { server: string; caPem: string; keys: { certPem: string; keyPem: string } },
): void {
  const { server, caPem, keys } = of;
  const text = kubeconfigFor({ server, caPem, ...keys, clusterName: "nephos" });
  writeFileSync(file, text, { mode: 0o600 });
}
