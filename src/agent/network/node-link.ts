import { writeFileSync } from "node:fs";
import * as route from "../../format/netlink/route-message.ts";
import type { NetlinkSocket } from "../../sys/netlink/netlink-socket.ts";

const LOOPBACK_INDEX = 1;

/** Lets the node forward, and puts the addresses that its own services answer on onto `lo`. */
export function prepareNode(socket: NetlinkSocket, addresses: readonly string[]): void {
  writeFileSync("/proc/sys/net/ipv4/ip_forward", "1");
  socket.request(route.setLinkUp(LOOPBACK_INDEX));
  for (const ip of addresses) {
    socket.request(route.newAddress({ linkIndex: LOOPBACK_INDEX, ip, prefixLength: 32 }));
  }
}

/** Takes the addresses away again; forwarding stays, since others may rely on it by now. */
export function releaseNode(socket: NetlinkSocket, addresses: readonly string[]): void {
  for (const ip of addresses) {
    try {
      socket.request(route.deleteAddress({ linkIndex: LOOPBACK_INDEX, ip, prefixLength: 32 }));
    } catch (error) {
      if ((error as { code?: string }).code !== "EADDRNOTAVAIL") throw error;
    }
  }
}
