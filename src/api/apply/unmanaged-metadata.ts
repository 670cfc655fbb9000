/** Fields of the metadata that nobody owns: the server sets them, or they name the object. */
export const UNMANAGED_METADATA: readonly string[] = [
  "clusterName",
  "creationTimestamp",
  "generation",
  "managedFields",
  "name",
  "namespace",
  "resourceVersion",
  "selfLink",
  "uid",
];
