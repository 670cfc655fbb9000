import type { CustomResourceDefinition } from "../../api/generated/types/apiextensions-v1.ts";
import type { KubeObject } from "../kube-object.ts";
import type { Strategy } from "./strategy.ts";

/** Keeps a definition until its objects are gone. */
export const CLEANUP_FINALIZER = "customresourcecleanup.apiextensions.k8s.io";

export const CUSTOM_RESOURCE_DEFINITION: Partial<Strategy> = {
  generation: true,
  unconditionalUpdate: false,
  prepareCreate: (definition) => {
    const { finalizers = [] } = definition.metadata;
    definition.metadata.finalizers = [...new Set([...finalizers, CLEANUP_FINALIZER])];
    definition["status"] = { conditions: [], acceptedNames: { plural: "", kind: "" } };
    rememberStorageVersion(definition);
  },
  prepareUpdate: (definition) => rememberStorageVersion(definition),
};

/** Objects may be stored in every version that was ever the one of storage. */
function rememberStorageVersion(object: KubeObject): void {
  const { spec, status } = object as unknown as CustomResourceDefinition;
  const storage = spec?.versions?.find((version) => version.storage)?.name;
  const stored = status?.storedVersions ?? [];
  if (storage === undefined || stored.includes(storage)) return;
  object["status"] = { ...status, storedVersions: [...stored, storage] };
}
