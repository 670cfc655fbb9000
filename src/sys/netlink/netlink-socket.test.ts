import assert from "node:assert/strict";
import { closeSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import * as route from "../../format/netlink/route-message.ts";
import {
  createNetworkNamespace,
  removeNetworkNamespace,
  withinNetworkNamespace,
} from "../network-namespace.ts";
import { openNetlinkSocket } from "./netlink-socket.ts";

const root = process.getuid?.() === 0;

test("a veth pair between two namespaces carries addresses and routes", {
  skip: root ? false : "needs root",
}, () => {
  const directory = mkdtempSync(path.join(tmpdir(), "nephos-netlink-"));
  const [near, far] = ["near", "far"].map((name) => path.join(directory, name)) as [string, string];
  createNetworkNamespace(near);
  createNetworkNamespace(far);
  const farFd = openSync(far, "r");
  try {
    withinNetworkNamespace(near, () => {
      using socket = openNetlinkSocket();
      socket.request(
        route.newVethPair(
          { name: "host0", mac: "0a:00:00:00:00:01", up: true },
          { name: "eth0", mac: "0a:00:00:00:00:02", namespaceFd: farFd },
        ),
      );
      const links = socket.request(route.dumpLinks()).map(route.decodeLink);
      assert.deepEqual(links.map((link) => link.name).sort(), ["host0", "lo"]);
      const [host] = socket.request(route.getLink("host0")).map(route.decodeLink);
      assert.ok(host?.up);
      socket.request(
        route.newRoute({ destination: "10.9.8.7", prefixLength: 32, linkIndex: host.index }),
      );
      socket.request(
        route.newNeighbour({ linkIndex: host.index, ip: "10.9.8.7", mac: "0a:00:00:00:00:02" }),
      );
      const routes = socket.request(route.dumpRoutes()).map(route.decodeRoute);
      assert.ok(routes.some((found) => found?.destination === "10.9.8.7"));
      assert.throws(() => socket.request(route.getLink("absent")), { code: "ENODEV" });
    });
    withinNetworkNamespace(far, () => {
      using socket = openNetlinkSocket();
      const [link] = socket.request(route.getLink("eth0")).map(route.decodeLink);
      assert.ok(link);
      socket.batch([
        route.setLinkUp(link.index),
        route.newAddress({ linkIndex: link.index, ip: "10.9.8.7", prefixLength: 32 }),
      ]);
      const addresses = socket.request(route.dumpAddresses()).map(route.decodeAddress);
      assert.deepEqual(
        addresses.map(({ ip, prefixLength }) => `${ip}/${prefixLength}`),
        ["10.9.8.7/32"],
      );
    });
  } finally {
    closeSync(farFd);
    removeNetworkNamespace(near);
    removeNetworkNamespace(far);
    rmSync(directory, { recursive: true });
  }
});
