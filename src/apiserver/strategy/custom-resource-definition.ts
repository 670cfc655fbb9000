import type { Strategy } from "./strategy.ts";

/** Keeps a definition until its objects are gone. */
export const CLEANUP_FINALIZER = "customresourcecleanup.apiextensions.k8s.io";

export const CUSTOM_RESOURCE_DEFINITION: Partial<Strategy> = {
  generation: true,
  prepareCreate: (definition) => {
    const { finalizers = [] } = definition.metadata;
    definition.metadata.finalizers = [...new Set([...finalizers, CLEANUP_FINALIZER])];
    definition["status"] = { conditions: [], acceptedNames: {}, storedVersions: [] };
  },
};
