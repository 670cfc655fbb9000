import { writeFileSync } from "node:fs";
import * as route from "../../format/netlink/route-message.ts";
import { type NetlinkSocket, openNetlinkSocket } from "../../sys/netlink/netlink-socket.ts";

const LOOPBACK_INDEX = 1;
/** Any number that nobody else uses. */
const PURGE_GROUP = 0x4e70_6873;

/** Marks addresses on `lo` as ours, so that a purge finds them without knowing them. */
function labelOf(linkPrefix: string): string {
  return `lo:${linkPrefix}`;
}

/** Lets the node forward, and puts the addresses that its own services answer on onto `lo`. */
export function prepareNode(
  socket: NetlinkSocket,
  { addresses, linkPrefix }: { addresses: readonly string[]; linkPrefix: string },
): void {
  writeFileSync("/proc/sys/net/ipv4/ip_forward", "1");
  socket.request(route.setLinkUp(LOOPBACK_INDEX));
  const label = labelOf(linkPrefix);
  for (const ip of addresses) {
    socket.request(route.newAddress({ linkIndex: LOOPBACK_INDEX, ip, prefixLength: 32, label }));
  }
}

/** Puts addresses of the node's own services onto `lo` before the pod network exists. */
export function carryAddresses(addresses: readonly string[], linkPrefix: string): void {
  using socket = openNetlinkSocket();
  prepareNode(socket, { addresses, linkPrefix });
}

/**
 * Removes every link and address of ours from this network namespace; for `down --purge`. Forwarding
 * stays on, since others may rely on it by now.
 */
export function purgeNetwork(linkPrefix: string): void {
  using socket = openNetlinkSocket();
  const links = socket.request(route.dumpLinks()).map(route.decodeLink);
  for (const { name, index } of links) {
    if (!name.startsWith(linkPrefix)) continue;
    unlessGone(() => socket.request(route.setLinkGroup(index, PURGE_GROUP)));
  }
  unlessGone(() => socket.request(route.deleteLinkGroup(PURGE_GROUP)));
  for (const address of socket.request(route.dumpAddresses()).map(route.decodeAddress)) {
    if (address.label === labelOf(linkPrefix)) socket.request(route.deleteAddress(address));
  }
}

/** The kernel may be removing the links of pods that ended a moment ago. */
function unlessGone(act: () => void): void {
  try {
    act();
  } catch (error) {
    if ((error as { code?: string }).code !== "ENODEV") throw error;
  }
}
