import assert from "node:assert/strict";
import { test } from "node:test";
import type { Service } from "../../api/generated/types/core-v1.ts";
import type { Endpoint, EndpointSlice } from "../../api/generated/types/discovery-v1.ts";
import { servicePortsOf } from "./service-ports.ts";

const SERVICE: Service = {
  metadata: { name: "web", namespace: "default" },
  spec: { clusterIP: "10.96.0.9", ports: [{ port: 80, protocol: "TCP" }] },
};

/** "1a" is the ready endpoint 10.0.0.1 hinted for zone a; "(1a)" is not ready, "1" has no hint. */
function slice(text: string): EndpointSlice {
  const endpoints = text.split(" ").map((one): Endpoint => {
    const [, last = "", zone = ""] = /(\d)(\w?)/.exec(one) ?? [];
    return {
      addresses: [`10.0.0.${last}`],
      conditions: { ready: !one.startsWith("(") },
      ...(zone ? { hints: { forZones: [{ name: zone }] } } : {}),
    };
  });
  return { addressType: "IPv4", endpoints, ports: [{ name: "", port: 8080, protocol: "TCP" }] };
}

const CHOSEN: [name: string, zone: string | undefined, endpoints: string, chosen: string][] = [
  ["a node asks the endpoints of its zone", "a", "1a 2b 3a", "1 3"],
  ["a node without a zone asks all", undefined, "1a 2b", "1 2"],
  ["a zone for which there is none asks all", "c", "1a 2b", "1 2"],
  ["one endpoint without a hint, and all are asked", "a", "1a 2 3b", "1 2 3"],
  ["who is not ready needs no hint", "a", "1a (2) 3b", "1"],
];
for (const [name, zone, endpoints, chosen] of CHOSEN) {
  test(name, () => {
    const [port] = servicePortsOf(SERVICE, [slice(endpoints)], { nodeName: "n", zone });
    assert.equal(port?.endpoints.map(({ ip }) => ip.at(-1)).join(" "), chosen);
  });
}
