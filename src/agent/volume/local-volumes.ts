import { chmodSync, mkdirSync, readdirSync } from "node:fs";
import { rm } from "node:fs/promises";
import path from "node:path";
import { isConflict, isNotFound } from "../../api/errors.ts";
import { PERSISTENT_VOLUMES } from "../../api/generated/resources.ts";
import type { PersistentVolume } from "../../api/generated/types/core-v1.ts";
import type { Client } from "../../client/client.ts";
import type { InformerFactory } from "../../client/informer.ts";
import type { Logger } from "../../lib/logger.ts";
import { type FollowedObject, followObject } from "../followed-object.ts";
import { VolumeError } from "./contract.ts";

/** Driver of volumes that are directories of this node. */
export const LOCAL_DRIVER = "local.nephos.dev";
/** As long as a volume has it, its node may hold data of it. */
const FINALIZER = "nephos.dev/local-volume";
const HOLD_ATTEMPTS = 5;
const HANDLE = /^[A-Za-z0-9][A-Za-z0-9.-]{0,127}$/;

/** What local volumes need. */
export interface LocalVolumeOptions {
  /** Holds a directory for each volume. */
  directory: string;
  client: Client;
  informers: InformerFactory;
  logger: Logger;
}

/** The directories of this node that stand for volumes. */
export interface LocalVolumes extends Disposable {
  /** The directory of a volume, made on its first use. @throws VolumeError */
  open(volume: PersistentVolume): Promise<string>;
}

/**
 * Follows the volumes that have a directory here, whether a pod uses them or not: when one is
 * deleted, and is not to be retained, its data goes first.
 */
export function createLocalVolumes(options: LocalVolumeOptions): LocalVolumes {
  const { directory, client, informers, logger } = options;
  const followed = new Map<string, FollowedObject<PersistentVolume>>();
  const removing = new Set<string>();

  const remove = async (volume: PersistentVolume) => {
    const { name = "", finalizers = [], resourceVersion } = volume.metadata ?? {};
    const kept = volume.spec?.persistentVolumeReclaimPolicy === "Retain";
    if (!kept) await rm(path.join(directory, name), { recursive: true, force: true });
    followed.get(name)?.[Symbol.dispose]();
    followed.delete(name);
    const left = finalizers.filter((one) => one !== FINALIZER);
    const metadata = { resourceVersion, finalizers: left };
    await client.for(PERSISTENT_VOLUMES).patch({ name }, { metadata });
  };

  /** Whoever binds the volume writes to it at the same time: what is seen may be old. */
  const hold = async (volume: PersistentVolume) => {
    const { name = "" } = volume.metadata ?? {};
    const volumes = client.for(PERSISTENT_VOLUMES);
    let newest = volume;
    for (let attempt = 1; ; attempt++) {
      const { finalizers = [], resourceVersion } = newest.metadata ?? {};
      if (finalizers.includes(FINALIZER)) return;
      try {
        const metadata = { resourceVersion, finalizers: [...finalizers, FINALIZER] };
        await volumes.patch({ name }, { metadata });
        return;
      } catch (error) {
        if (!isConflict(error) || attempt === HOLD_ATTEMPTS) throw error;
      }
      newest = await volumes.get({ name });
    }
  };

  const look = (name: string) => {
    const volume = followed.get(name)?.value;
    const { deletionTimestamp, finalizers = [] } = volume?.metadata ?? {};
    if (!volume || !deletionTimestamp || !finalizers.includes(FINALIZER)) return;
    // Others are not through with it, such as the protection of what is bound.
    if (finalizers.length > 1 || removing.has(name)) return;
    removing.add(name);
    remove(volume)
      .catch((error: unknown) => {
        if (isNotFound(error)) return;
        logger.warn("cannot remove a local volume", { name, error });
        follow(name);
      })
      .finally(() => removing.delete(name));
  };

  const follow = (name: string) => {
    if (followed.has(name)) return;
    const onChange = () => look(name);
    const one = followObject(informers, {
      resource: PERSISTENT_VOLUMES,
      namespace: "",
      name,
      onChange,
    });
    followed.set(name, one);
    void one.known.then(() => look(name));
  };

  mkdirSync(directory, { recursive: true, mode: 0o711 });
  for (const name of readdirSync(directory)) if (HANDLE.test(name)) follow(name);

  return {
    async open(volume) {
      const { name = "" } = volume.metadata ?? {};
      const handle = volume.spec?.csi?.volumeHandle ?? "";
      if (handle !== name || !HANDLE.test(handle)) {
        const message = `Cannot use volume "${name}": its handle "${handle}" must be its name`;
        throw new VolumeError("invalid", message);
      }
      const target = path.join(directory, name);
      // Before there is data: nobody may forget the volume from here on.
      await hold(volume);
      if (mkdirSync(target, { recursive: true, mode: 0o777 }) !== undefined) {
        chmodSync(target, 0o777); // given at creation, a umask narrows the mode
      }
      follow(name);
      return target;
    },
    [Symbol.dispose]() {
      for (const one of followed.values()) one[Symbol.dispose]();
      followed.clear();
    },
  };
}
