import {
  CSI_DRIVERS,
  CSI_NODES,
  CSI_STORAGE_CAPACITIES,
  PERSISTENT_VOLUME_CLAIMS,
  PERSISTENT_VOLUMES,
  STORAGE_CLASSES,
  VOLUME_ATTACHMENTS,
} from "../../api/generated/resources.ts";
import type { ObjectMeta } from "../../api/generated/types/meta-v1.ts";
import type { Resource } from "../../api/resource.ts";
import type { InformerFactory } from "../../client/informer.ts";
import type { ChangedClaim } from "../framework/contract.ts";
import type { VolumeCatalog } from "./volume-catalog.ts";

/** A running watch of the storage objects. */
export interface StorageWatch extends Disposable {
  readonly synced: Promise<unknown>;
}

/** Keeps a catalog current until disposed. */
export function followStorage(
  informers: InformerFactory,
  of: { catalog: VolumeCatalog; onChange: (claim: ChangedClaim | undefined) => void },
): StorageWatch {
  const { catalog, onChange } = of;
  const follow = <T extends { metadata?: ObjectMeta }>(
    resource: Resource<T>,
    into: { set(key: string, object: T): unknown; delete(key: string): unknown },
  ) => {
    const informer = informers.informer(resource);
    informer.onChange(({ type, object }) => {
      const { namespace, name = "" } = object.metadata ?? {};
      const isClaim = resource.plural === PERSISTENT_VOLUME_CLAIMS.plural;
      const key = namespace ? `${namespace}/${name}` : name;
      if (type === "deleted") into.delete(key);
      else into.set(key, object);
      catalog.changed();
      // What is attached helps nobody until it is detached.
      if (resource.plural === VOLUME_ATTACHMENTS.plural && type !== "deleted") return;
      onChange(isClaim ? { namespace: namespace ?? "", name } : undefined);
    });
    return informer;
  };
  const followed = [
    follow(PERSISTENT_VOLUMES, catalog.volumes),
    follow(PERSISTENT_VOLUME_CLAIMS, catalog.claims),
    follow(STORAGE_CLASSES, catalog.classes),
    follow(CSI_NODES, catalog.csiNodes),
    follow(CSI_DRIVERS, catalog.csiDrivers),
  ];
  // API servers before 1.24 do not serve capacities, and no driver there publishes them; before
  // 1.32 schedulers may not read attachments.
  const optional = [
    follow(CSI_STORAGE_CAPACITIES, catalog.capacities),
    follow(VOLUME_ATTACHMENTS, catalog.attachments),
  ];
  return {
    synced: Promise.all(followed.map(({ synced }) => synced)),
    [Symbol.dispose]() {
      for (const informer of [...followed, ...optional]) informer[Symbol.dispose]();
    },
  };
}
