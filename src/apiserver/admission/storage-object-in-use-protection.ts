import type { AdmissionPlugin, AdmissionRequest } from "../contract.ts";

const FINALIZERS: Readonly<Record<string, string>> = {
  persistentvolumeclaims: "kubernetes.io/pvc-protection",
  persistentvolumes: "kubernetes.io/pv-protection",
};

function finalizerFor({ resource }: AdmissionRequest): string | undefined {
  return resource.group === "" ? FINALIZERS[resource.plural] : undefined;
}

/** Claims and volumes stay while something uses them; a controller takes the finalizers away. */
export function storageObjectInUseProtectionPlugin(): AdmissionPlugin {
  return {
    name: "StorageObjectInUseProtection",
    handles: (request) =>
      request.operation === "CREATE" && !request.subresource && finalizerFor(request) !== undefined,
    mutate: (request) => {
      const finalizer = finalizerFor(request);
      const object = request.object as { metadata?: { finalizers?: string[] } };
      const metadata = (object.metadata ??= {});
      if (!finalizer || metadata.finalizers?.includes(finalizer)) return;
      metadata.finalizers = [...(metadata.finalizers ?? []), finalizer];
    },
  };
}
