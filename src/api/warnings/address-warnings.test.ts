import assert from "node:assert/strict";
import { test } from "node:test";
import { SERVICES } from "../generated/resources.ts";
import { warningsOf } from "./warnings.ts";

const LOOPS = "which may cause controller apply-loops";
const ACCEPTED = "IP prefix was accepted, but will be invalid in a future Kubernetes release";
const RANGE = "spec.loadBalancerSourceRanges[0]";

test("addresses of services that are not written as they will be are warned of", () => {
  const cases: [spec: object, ...warnings: string[]][] = [
    [{ clusterIPs: ["None"], externalIPs: ["192.0.2.1", "2001:db8::1", "::ffff:1.2.3.4"] }],
    [
      { clusterIPs: ["2001:db8:0:0::2"] },
      `spec.clusterIPs[0]: IPv6 address "2001:db8:0:0::2" is not in RFC 5952 canonical format ("2001:db8::2"), ${LOOPS}`,
    ],
    [
      { loadBalancerIP: "2001:DB8::2" },
      `spec.loadBalancerIP: IPv6 address "2001:DB8::2" is not in RFC 5952 canonical format ("2001:db8::2"), ${LOOPS}`,
    ],
    [{ loadBalancerSourceRanges: ["192.0.2.0/24", "2001:db8::/32"] }],
    [
      { loadBalancerSourceRanges: ["2001:db8:0::/48"] },
      `${RANGE}: IPv6 prefix "2001:db8:0::/48" is not in RFC 5952 canonical format ("2001:db8::/48"), ${LOOPS}`,
    ],
    [
      { loadBalancerSourceRanges: ["192.0.2.0/24  "] },
      `${RANGE}: ${ACCEPTED}: netip.ParsePrefix("192.0.2.0/24  "): bad bits after slash: "24  "`,
    ],
    [
      { loadBalancerSourceRanges: [" 192.0.2.0/24"] },
      `${RANGE}: ${ACCEPTED}: netip.ParsePrefix(" 192.0.2.0/24"): ParseAddr(" 192.0.2.0"): unexpected character (at " 192.0.2.0")`,
    ],
  ];
  for (const [spec, ...warnings] of cases) {
    assert.deepEqual(warningsOf(SERVICES, { metadata: { name: "web" }, spec }), warnings);
  }
});
