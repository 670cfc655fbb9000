import { createHash } from "node:crypto";
import { mkdirSync, realpathSync, statSync } from "node:fs";
import path from "node:path";

/** Where one instance keeps everything; several instances on a machine share nothing. */
export interface DataDirectory {
  /** Absolute path, symbolic links resolved. */
  root: string;
  /** Six hexadecimal digits that follow from the path. */
  id: string;
  kubeconfig: string;
  /** With which `nephos proxy` reads Services. */
  proxyKubeconfig: string;
  pki: string;
  store: string;
  images: string;
  /** Mirrors, credentials and certificates of registries; written by hand. */
  registries: string;
  log: string;
  /** Who did what with the API. */
  audit: string;
  /** What runs: see `instance.ts`. */
  instance: string;
  /** Pods of the node with this index, from 0. */
  node(index: number): NodeDirectories;
  /** Sandboxes that a kubelet asks for. */
  cri: Omit<NodeDirectories, "manifests" | "podLogs"> & {
    /** Directories of the kubelet that are mounted at themselves for us. */
    selfMounts: string;
  };
  /** Namespaces and sockets; on a file system that a reboot clears. */
  run: string;
}

/** Directories and kernel names of one node of an instance. */
export interface NodeDirectories {
  state: string;
  /** Where logs of pods lie that all who look after the machine's logs know; undefined for none. */
  podLogs?: string;
  /** Static pods; of the first node directly below the root, where people look for them. */
  manifests: string;
  run: string;
  /** Relative to each hierarchy's root: "/nephos-1a2b3c/0". */
  cgroupRoot: string;
  /** nftables table. */
  table: string;
  /** At most 4 characters. */
  linkPrefix: string;
}

/** Default of `--data-dir`. */
export const DEFAULT_DATA_DIRECTORY = "/var/lib/nephos";

/** As on every other node of Kubernetes. */
const POD_LOGS = "/var/log/pods";

/** Opens the layout below `root`, which is created (mode 0700) unless `create` is false. */
export function openDataDirectory(root: string, options: { create: boolean }): DataDirectory {
  if (options.create) makeDirectory(path.resolve(root));
  const real = resolveIfPresent(root);
  const id = createHash("sha256").update(real).digest("hex").slice(0, 6);
  const run = `/run/nephos-${id}`;
  // Also where a larger disk has taken its place behind a link.
  const isUsual = [path.resolve(root), real].includes(DEFAULT_DATA_DIRECTORY);
  return {
    root: real,
    id,
    kubeconfig: path.join(real, "kubeconfig"),
    proxyKubeconfig: path.join(real, "proxy.kubeconfig"),
    pki: path.join(real, "pki"),
    store: path.join(real, "store"),
    images: path.join(real, "images"),
    registries: path.join(real, "registries.yaml"),
    log: path.join(real, "nephos.log"),
    audit: path.join(real, "audit", "audit.log"),
    instance: path.join(real, "instance.json"),
    run,
    node: (index) => ({
      state: path.join(real, "nodes", `${index}`),
      // What ships logs would ship those of several nodes several times.
      ...(isUsual && index === 0 && { podLogs: POD_LOGS }),
      manifests: path.join(real, ...(index === 0 ? [] : ["nodes", `${index}`]), "manifests"),
      run: path.join(run, `${index}`),
      cgroupRoot: `/nephos-${id}/${index}`,
      table: `nephos-${id}`,
      linkPrefix: `n${id.slice(0, 3)}`,
    }),
    cri: {
      state: path.join(real, "cri"),
      selfMounts: path.join(real, "cri", "self-mounts"),
      run: path.join(run, "cri"),
      cgroupRoot: `/nephos-${id}/cri`,
      table: `nephos-${id}-cri`,
      linkPrefix: `c${id.slice(0, 3)}`,
    },
  };
}

/** One by one: where the kernel makes none, as in /proc, Node.js would try forever to make all. */
function makeDirectory(target: string): void {
  if (statSync(target, { throwIfNoEntry: false })?.isDirectory()) return;
  makeDirectory(path.dirname(target));
  mkdirSync(target, { mode: 0o700 });
}

function resolveIfPresent(root: string): string {
  try {
    return realpathSync(root);
  } catch {
    return path.resolve(root);
  }
}
