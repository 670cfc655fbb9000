import { type LookupAddress, type LookupOptions, lookup } from "node:dns";
import { BlockList, type LookupFunction } from "node:net";

/**
 * What a Service of type ExternalName must not lead to: the node itself, its neighbours on the
 * link (where clouds keep credentials), nobody, and everybody. Whoever may write Services in a
 * namespace would otherwise speak to them with the node's own standing.
 */
const FORBIDDEN = new BlockList();
for (const [network, prefix] of [
  ["0.0.0.0", 8],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["224.0.0.0", 3],
] as const) {
  FORBIDDEN.addSubnet(network, prefix, "ipv4");
}
for (const [network, prefix] of [
  ["::", 128],
  ["::1", 128],
  ["fe80::", 10],
  ["ff00::", 8],
] as const) {
  FORBIDDEN.addSubnet(network, prefix, "ipv6");
}

/** Whether an Ingress may lead to this address by the name of a server outside. */
export function isAllowedOutside(address: string, family: number): boolean {
  return !FORBIDDEN.check(address, family === 6 ? "ipv6" : "ipv4");
}

type Callback = (error: Error | null, addresses: LookupAddress[]) => void;
type Resolver = (name: string, options: LookupOptions & { all: true }, callback: Callback) => void;

/** A lookup that knows no name of a place where nobody may be led to. */
export function guardedLookup(resolve: Resolver): LookupFunction {
  return (name, options, callback) => {
    resolve(name, { ...options, all: true }, (error, found) => {
      const allowed = error ? [] : found.filter((one) => isAllowedOutside(one.address, one.family));
      const [first] = allowed;
      if (!first) return callback(error ?? new Error(`"${name}" leads to no place outside`), "");
      if (options.all) callback(null, allowed);
      else callback(null, first.address, first.family);
    });
  };
}

/** Names as the machine resolves them. */
export const lookupOutside: LookupFunction = guardedLookup(lookup);
