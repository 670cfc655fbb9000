import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { ContainerMount } from "./contract.ts";

/** What every container has mounted. */
const ALWAYS = ["/proc", "/dev", "/sys"];
/** What nearly every container of a pod has mounted, and few images have. */
const FILES = ["/etc/hosts", "/etc/hostname", "/etc/resolv.conf"];
const DIRECTORIES = ["/var/run/secrets/kubernetes.io/serviceaccount"];

/** Layers for the bottom of containers' roots: see `openMountPoints`. */
export interface MountPoints {
  /** The layer for a container with these mounts; made when it is first asked for. */
  layerFor(mounts: readonly ContainerMount[]): string;
}

/**
 * Where an image lacks a mount point, the OCI runtime makes it in the container's own layer: six
 * directories and three files on disk, for every pod. So it finds those that most containers have
 * in a layer below the image, which decides as before wherever it has something of that name.
 */
export function openMountPoints(directory: string): MountPoints {
  const layers = new Map<string, string>();
  return {
    layerFor(mounts) {
      const wanted = new Set(mounts.map(({ containerPath }) => containerPath));
      const files = FILES.filter((file) => wanted.has(file));
      const directories = DIRECTORIES.filter((file) => wanted.has(file));
      const bits = [...FILES, ...DIRECTORIES].map((file) => (wanted.has(file) ? "1" : "0"));
      const name = bits.join("");
      const known = layers.get(name);
      if (known !== undefined) return known;
      const layer = path.join(directory, name);
      for (const one of ["/", ...ALWAYS, ...directories]) makeDirectory(layer, one);
      for (const file of files) {
        makeDirectory(layer, path.posix.dirname(file));
        writeFileSync(path.join(layer, file), "");
        chmodSync(path.join(layer, file), 0o644);
      }
      layers.set(name, layer);
      return layer;
    },
  };
}

/** Passable for all on the way, whatever umask there is. */
function makeDirectory(layer: string, name: string): void {
  mkdirSync(path.join(layer, name), { recursive: true });
  for (let one = name; ; one = path.posix.dirname(one)) {
    chmodSync(path.join(layer, one), 0o755);
    if (one === "/") return;
  }
}
