/** What something used of the CPU since its start, and of memory now. */
export interface Reading {
  cpuNanoseconds: number;
  memoryBytes: number;
  /** Zero when unknown. */
  startMs: number;
}

/** What an agent said about its node at one moment. */
export interface UsageSample {
  atMs: number;
  node: Reading | undefined;
  /** By "namespace/name", then by container name. */
  pods: ReadonlyMap<string, ReadonlyMap<string, Reading>>;
}

/** The part of `/stats/summary` (stats.kubelet.k8s.io/v1alpha1) that is read. */
interface Summary {
  node?: Entry;
  pods?: (Entry & {
    podRef?: { name?: string; namespace?: string };
    containers?: (Entry & { name?: string })[];
  })[];
}

interface Entry {
  startTime?: string;
  cpu?: { usageCoreNanoSeconds?: number };
  memory?: { workingSetBytes?: number };
}

/** Reads the body of `/stats/summary`. @throws SyntaxError when it is no JSON */
export function parseSummary(body: string, atMs: number): UsageSample {
  const { node, pods } = JSON.parse(body) as Summary;
  const read = (pods ?? []).map(({ podRef, containers }) => {
    const readings = (containers ?? []).flatMap((container): [string, Reading][] => {
      const reading = readingOf(container);
      return reading ? [[container.name ?? "", reading]] : [];
    });
    const key = `${podRef?.namespace ?? ""}/${podRef?.name ?? ""}`;
    return [key, new Map(readings)] as const;
  });
  return { atMs, node: node ? readingOf(node) : undefined, pods: new Map(read) };
}

function readingOf({ cpu, memory, startTime }: Entry): Reading | undefined {
  const cpuNanoseconds = cpu?.usageCoreNanoSeconds;
  const memoryBytes = memory?.workingSetBytes;
  if (typeof cpuNanoseconds !== "number" || typeof memoryBytes !== "number") return undefined;
  return { cpuNanoseconds, memoryBytes, startMs: Date.parse(startTime ?? "") || 0 };
}
