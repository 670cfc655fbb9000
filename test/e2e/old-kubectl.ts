import path from "node:path";
import { fetchUnpacked, type UnpackedPackage, unpackedFile } from "./unpacked-package.ts";

/** Debian 12's kubectl, beside the one of this machine, which stays as it is. */
const OLD_KUBECTL: UnpackedPackage = {
  name: "kubernetes-client",
  folder: "kubectl-1.20",
  version: "1.20.",
};

/** The folder of the old kubectl, to stand first in PATH; `undefined` where apt has none. */
export function oldKubectlFolder(): string | undefined {
  const kubectl = unpackedFile(OLD_KUBECTL, "usr/bin/kubectl");
  return kubectl && path.dirname(kubectl);
}

/** Makes it present, as far as apt can. */
export function fetchOldKubectl(): Promise<void> {
  return fetchUnpacked(OLD_KUBECTL);
}
