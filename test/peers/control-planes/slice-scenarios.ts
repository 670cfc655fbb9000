import type { Observed, Scenario } from "./scenario.ts";

const SLICES = "discovery.k8s.io/v1/endpointslices";
const ports = [{ name: "db", port: 5432, protocol: "TCP" }];

const listed = (wanted: number, address: string) => (list: Observed | undefined) => {
  const items = (list?.["items"] ?? []) as object[];
  return items.length === wanted && JSON.stringify(items).includes(address);
};

const endpoints = (subsets: object[], labels = {}) => ({
  apiVersion: "v1",
  kind: "Endpoints",
  metadata: { name: "outside", labels: { team: "x", ...labels } },
  subsets,
});

/** A Service without selector, whose Endpoints are written by hand. */
const OUTSIDE = {
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: "outside" },
  spec: { ports: [{ name: "db", port: 5432 }] },
};

export const SLICE_SCENARIOS: readonly Scenario[] = [
  {
    name: "mirrored",
    async play(stage) {
      await stage.create("v1/services", OUTSIDE);
      const first = { addresses: [{ ip: "192.0.2.9" }], ports };
      const second = {
        notReadyAddresses: [{ ip: "192.0.2.8", hostname: "eight" }],
        ports: [{ name: "admin", port: 5433, protocol: "TCP" }],
      };
      await stage.create("v1/endpoints", endpoints([first, second]));
      await stage.until(SLICES, listed(2, "192.0.2.8"));
      const moved = { ...first, addresses: [{ ip: "192.0.2.10" }, { ip: "192.0.2.11" }] };
      await stage.patch("v1/endpoints/outside", { subsets: [moved] });
      await stage.until(SLICES, listed(1, "192.0.2.11"));
    },
  },
  {
    name: "not-mirrored",
    async play(stage) {
      await stage.create("v1/services", OUTSIDE);
      const subset = { addresses: [{ ip: "192.0.2.9" }], ports };
      await stage.create("v1/endpoints", endpoints([subset]));
      await stage.until(SLICES, listed(1, "192.0.2.9"));
      const labels = { "endpointslice.kubernetes.io/skip-mirror": "true" };
      await stage.patch("v1/endpoints/outside", { metadata: { labels } });
      await stage.until(SLICES, (list) => (list?.["items"] as object[] | undefined)?.length === 0);
    },
  },
];
