/** Packages of the groups that do not live in the API's own package. */
const PACKAGES: Readonly<Record<string, string>> = {
  meta: "io.k8s.apimachinery.pkg.apis.meta",
  apiextensions: "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions",
  apiregistration: "io.k8s.kube-aggregator.pkg.apis.apiregistration",
};

/** "core/v1.Pod" is "io.k8s.api.core.v1.Pod", as clients know it. */
export function definitionNameOf(struct: string): string {
  const slash = struct.indexOf("/");
  const short = struct.slice(0, slash);
  return `${PACKAGES[short] ?? `io.k8s.api.${short}`}.${struct.slice(slash + 1)}`;
}

/** A custom kind's name begins with its group reversed: "com.example.v1.Widget". */
export function customDefinitionNameOf(resource: {
  group: string;
  version: string;
  kind: string;
}): string {
  return [...resource.group.split(".").reverse(), resource.version, resource.kind].join(".");
}

/** Where a definition stands within the document. */
export function referenceTo(definition: string): { $ref: string } {
  return { $ref: `#/components/schemas/${definition}` };
}
