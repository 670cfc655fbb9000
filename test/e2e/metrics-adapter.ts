import assert from "node:assert/strict";
import { createServer } from "node:https";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createTlsFixture } from "../../src/agent/stream/tls-fixture.ts";
import type { InstanceUnderTest } from "./instance-under-test.ts";

/** The machine's address in the tests' network; adapters are reached as endpoints of a Service. */
const ADDRESS = "192.0.2.2";
const NAMESPACE = "adapter";

/** An adapter that serves custom and external metrics through aggregated APIs. */
export interface MetricsAdapter extends AsyncDisposable {
  /** By the path below the namespace: "deployments.apps/web/hits", or "queue". */
  readonly values: Map<string, { of?: string; value: string }[]>;
}

/** Starts it in this process and registers it. */
export async function startMetricsAdapter(instance: InstanceUnderTest): Promise<MetricsAdapter> {
  const { keyPem, certPem } = createTlsFixture(Date.now()).issue("adapter");
  const values: MetricsAdapter["values"] = new Map();
  const server = createServer({ key: keyPem, cert: certPem }, (request, response) => {
    const { pathname } = new URL(request.url ?? "/", "https://adapter");
    const [, , group = "", version = "", ...rest] = pathname.split("/");
    const apiVersion = `${group}/${version}`;
    const found = values.get(decodeURIComponent(rest.slice(2).join("/")));
    const timestamp = new Date().toISOString();
    const items = (found ?? []).map(({ of: name, value }) => ({
      describedObject: { name },
      timestamp,
      value,
    }));
    const body =
      rest.length === 0
        ? { kind: "APIResourceList", apiVersion: "v1", groupVersion: apiVersion, resources: [] }
        : { kind: "MetricValueList", apiVersion, metadata: {}, items };
    const status = rest.length === 0 || found ? 200 : 404;
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify(body));
  });
  server.listen(0, ADDRESS);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const created = await instance.kubectlWith(
    JSON.stringify(registration(port)),
    "apply",
    "-f",
    "-",
  );
  assert.equal(created.code, 0, created.stderr);
  await instance.ok("wait", "--for=condition=Available", "--timeout=30s", ...APIS.map(apiName));
  return {
    values,
    async [Symbol.asyncDispose]() {
      await instance.ok("delete", ...APIS.map(apiName), `namespace/${NAMESPACE}`);
      server.closeAllConnections();
      server.close();
    },
  };
}

const APIS = [
  { group: "custom.metrics.k8s.io", version: "v1beta2" },
  { group: "external.metrics.k8s.io", version: "v1beta1" },
] as const;

function apiName({ group, version }: (typeof APIS)[number]): string {
  return `apiservice/${version}.${group}`;
}

function registration(port: number): object {
  const service = { name: "adapter", namespace: NAMESPACE };
  const priorities = { groupPriorityMinimum: 100, versionPriority: 100 };
  const apis = APIS.map(({ group, version }) => ({
    apiVersion: "apiregistration.k8s.io/v1",
    kind: "APIService",
    metadata: { name: `${version}.${group}` },
    spec: { group, version, service, insecureSkipTLSVerify: true, ...priorities },
  }));
  const items = [
    { apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE } },
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: service,
      spec: { ports: [{ port: 443, targetPort: port }] },
    },
    {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: { ...service, labels: { "kubernetes.io/service-name": service.name } },
      addressType: "IPv4",
      endpoints: [{ addresses: [ADDRESS], conditions: { ready: true } }],
      ports: [{ port, protocol: "TCP" }],
    },
    ...apis,
  ];
  return { apiVersion: "v1", kind: "List", items };
}
