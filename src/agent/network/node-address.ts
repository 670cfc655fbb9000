import * as route from "../../format/netlink/route-message.ts";
import { openNetlinkSocket } from "../../sys/netlink/netlink-socket.ts";

const SCOPE_GLOBAL = 0;
const LOOPBACK_INDEX = 1;

/**
 * The address under which other machines know this one: that of the link with the default route,
 * else the first global one of any link, else `undefined` (a machine without a network).
 */
export function findNodeAddress(): string | undefined {
  using socket = openNetlinkSocket();
  const routes = socket.request(route.dumpRoutes()).flatMap((message) => {
    const found = route.decodeRoute(message);
    return found ? [found] : [];
  });
  const outward = routes.find(({ prefixLength, gateway }) => prefixLength === 0 && gateway);
  const addresses = socket
    .request(route.dumpAddresses())
    .map(route.decodeAddress)
    .filter(({ scope, linkIndex }) => scope === SCOPE_GLOBAL && linkIndex !== LOOPBACK_INDEX);
  const preferred = addresses.find(({ linkIndex }) => linkIndex === outward?.linkIndex);
  return (preferred ?? addresses[0])?.ip;
}
