import { formatIpv4, parseCidr, parseIpv4 } from "../../lib/ipv4.ts";

/** Hands out the addresses of a node's pod CIDR, each to one owner. */
export interface AddressPool {
  /** First address: the node's own, never handed out. */
  readonly gateway: string;
  /** The owner's address, the same one when asked again. @throws RangeError when none is left */
  allocate(owner: string): string;
  /** Takes a given address, after a restart. False when it is another's or outside. */
  claim(owner: string, ip: string): boolean;
  release(owner: string): void;
}

/** A pool over `cidr`. It goes round, so that an address rests as long as possible before reuse. */
export function createAddressPool(cidr: string): AddressPool {
  const { base, size } = parseCidr(cidr);
  if (size < 4) throw new RangeError(`pod range "${cidr}" is too small: at least /30 is needed`);
  const byOwner = new Map<string, number>();
  const taken = new Set<number>();
  let next = 2;
  const usable = (offset: number) => offset >= 2 && offset < size - 1 && !taken.has(offset);
  const take = (owner: string, offset: number) => {
    byOwner.set(owner, offset);
    taken.add(offset);
    return formatIpv4(base + offset);
  };
  return {
    gateway: formatIpv4(base + 1),
    allocate(owner) {
      const held = byOwner.get(owner);
      if (held !== undefined) return formatIpv4(base + held);
      for (let tried = 0; tried < size; tried++) {
        const offset = next;
        next = next + 1 < size - 1 ? next + 1 : 2;
        if (usable(offset)) return take(owner, offset);
      }
      throw new RangeError(`no address is left in pod range "${cidr}": ${taken.size} are in use`);
    },
    claim(owner, ip) {
      const offset = parseIpv4(ip) - base;
      const held = byOwner.get(owner);
      if (held !== undefined) return held === offset;
      if (!usable(offset)) return false;
      take(owner, offset);
      return true;
    },
    release(owner) {
      const offset = byOwner.get(owner);
      if (offset === undefined) return;
      byOwner.delete(owner);
      taken.delete(offset);
    },
  };
}
