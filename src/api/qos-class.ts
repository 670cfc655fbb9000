/** What the class of a pod follows from; the fields are as the API stores them. */
interface QosSpec {
  containers?: readonly QosContainer[];
  initContainers?: readonly QosContainer[];
}

interface QosContainer {
  resources?: { requests?: Record<string, string>; limits?: Record<string, string> };
}

/**
 * How a pod fares when the node runs short: Guaranteed, Burstable or BestEffort, by cpu and memory
 * of all its containers. Quantities are compared as texts: those of the API are canonical.
 */
export function qosClassOfSpec(spec: QosSpec | undefined): string {
  let any = false;
  let guaranteed = true;
  for (const { resources = {} } of [...listOf(spec?.containers), ...listOf(spec?.initContainers)]) {
    for (const name of ["cpu", "memory"]) {
      const request = resources.requests?.[name];
      const limit = resources.limits?.[name];
      if (request || limit) any = true;
      if (!limit || (request ?? limit) !== limit) guaranteed = false;
    }
  }
  if (!any) return "BestEffort";
  return guaranteed ? "Guaranteed" : "Burstable";
}

/** What is not validated yet may hold anything. */
function listOf(list: readonly QosContainer[] | undefined): readonly QosContainer[] {
  return Array.isArray(list) ? (list as readonly QosContainer[]) : [];
}
