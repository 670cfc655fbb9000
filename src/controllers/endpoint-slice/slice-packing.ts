import type {
  Endpoint,
  EndpointPort,
  EndpointSlice,
} from "../../api/generated/types/discovery-v1.ts";
import { jsonEqual } from "../json-equal.ts";
import { canonicalJson } from "../template-hash.ts";

/** One write to a slice. */
export type SliceStep =
  | { do: "create"; slice: EndpointSlice }
  | { do: "update"; slice: EndpointSlice; before: EndpointSlice }
  | { do: "delete"; slice: EndpointSlice };

/** Endpoints that serve the same ports: a slice has one list of ports. */
export interface EndpointGroup {
  ports: EndpointPort[];
  endpoints: Endpoint[];
}

/**
 * The writes that make slices of one address family hold exactly these groups, keyed by their ports
 * as canonical JSON. Labels, annotations and all else come from `blank`.
 */
export function planSlices(
  groups: ReadonlyMap<string, EndpointGroup>,
  of: {
    slices: readonly EndpointSlice[];
    endpointsMax: number;
    blank: Omit<EndpointSlice, "endpoints" | "ports">;
  },
): SliceStep[] {
  const { slices, blank } = of;
  const { labels = {}, annotations } = blank.metadata ?? {};
  const steps: SliceStep[] = [];
  const spare = slices.filter((slice) => !groups.has(canonicalJson(slice.ports ?? [])));
  for (const [key, { ports, endpoints }] of groups) {
    const known = slices.filter((slice) => canonicalJson(slice.ports ?? []) === key);
    const reuse = known.length === 0 ? spare.splice(0, 1) : [];
    for (const { slice, content } of pack(endpoints, [...known, ...reuse], of.endpointsMax)) {
      if (!slice) steps.push({ do: "create", slice: { ...blank, endpoints: content, ports } });
      else if (content.length === 0 && (endpoints.length > 0 || slice !== (known[0] ?? reuse[0]))) {
        steps.push({ do: "delete", slice });
      } else {
        const { annotations: old, ...rest } = slice.metadata ?? {};
        const kept = annotations ?? old;
        const metadata = { ...rest, labels, ...(kept ? { annotations: kept } : {}) };
        const same =
          jsonEqual(slice.endpoints ?? [], content) &&
          jsonEqual(slice.ports ?? [], ports) &&
          jsonEqual(slice.metadata?.labels ?? {}, labels) &&
          jsonEqual(old ?? {}, kept ?? {});
        if (same) continue;
        const updated = { ...slice, metadata, endpoints: content, ports };
        steps.push({ do: "update", slice: updated, before: slice });
      }
    }
  }
  for (const slice of spare) steps.push({ do: "delete", slice });
  return steps;
}

/** Leaves endpoints in the slice they are in, fills gaps with new ones, then opens new slices. */
function pack(
  endpoints: readonly Endpoint[],
  slices: readonly EndpointSlice[],
  endpointsMax: number,
): { slice: EndpointSlice | undefined; content: Endpoint[] }[] {
  const wanted = new Map(endpoints.map((one) => [endpointKey(one), one]));
  const packed: { slice: EndpointSlice | undefined; content: Endpoint[] }[] = slices.map(
    (slice) => {
      const content: Endpoint[] = [];
      for (const old of slice.endpoints ?? []) {
        const next = wanted.get(endpointKey(old));
        if (next) content.push(next);
        wanted.delete(endpointKey(old));
      }
      return { slice, content };
    },
  );
  for (const endpoint of wanted.values()) {
    let room = packed.find(({ content }) => content.length < endpointsMax);
    if (!room) {
      room = { slice: undefined, content: [] };
      packed.push(room);
    }
    room.content.push(endpoint);
  }
  if (packed.length === 0) packed.push({ slice: undefined, content: [] });
  return packed;
}

function endpointKey({ targetRef, addresses }: Endpoint): string {
  return `${targetRef?.uid} ${addresses?.[0]}`;
}
