import assert from "node:assert/strict";
import { test } from "node:test";
import { settle } from "../../lib/virtual-clock.ts";
import { type HttpsFixture, startHttpsServer } from "../api-server-fixture.ts";

const DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const MAPS = "/api/v1/namespaces/default/configmaps";
const WIDGETS = "/apis/example.com/v1/namespaces/default/widgets";
const PROTOBUF = "application/vnd.kubernetes.protobuf";
const AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
const OPENAPI = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";

async function addWidgets(api: HttpsFixture): Promise<void> {
  await api.ask("POST", DEFINITIONS, {
    metadata: { name: "widgets.example.com" },
    spec: {
      group: "example.com",
      scope: "Namespaced",
      names: { plural: "widgets", singular: "widget", kind: "Widget", listKind: "WidgetList" },
      versions: [
        {
          name: "v1",
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: "object" } },
        },
      ],
    },
  });
  await settle();
}

/** Path, what is accepted, and the status that Kubernetes 1.32 answers, by its negotiation. */
const READS: readonly (readonly [string, string, number])[] = [
  // A route is found by the bare names of types; "application/*" is none.
  ["/version", "*/*", 200],
  ["/version", "application/json;q=0.1", 200],
  ["/version", "text/html, */*;q=0.8", 200],
  ["/version", "application/*", 406],
  ["/version", "application/yaml", 406],
  ["/version", PROTOBUF, 406],
  ["/version", "text/html", 406],
  [MAPS, "application/*", 406],
  [MAPS, "application/*, application/json", 200],
  [`${MAPS}/kube-root-ca.crt`, "application/*", 406],
  ["/api", "application/*", 406],
  ["/api/v1", "application/*", 406],
  ["/apis/apps/v1", "application/*", 406],
  // What no such route serves takes it.
  ["/apis", "application/*", 200],
  ["/apis/apps", "application/*", 200],
  ["/apis/example.com", "application/*", 200],
  ["/apis/example.com/v1", "application/*", 200],
  [WIDGETS, "application/*", 200],
  ["/openapi/v2", "application/*", 200],
  ["/openapi/v3/api/v1", "application/*", 200],
  // These read no header.
  ["/", "text/html", 200],
  ["/healthz", "image/png", 200],
  ["/readyz", "image/png", 200],
  ["/livez/ping", "image/png", 200],
  ["/openapi/v3", "image/png", 200],
  // Documents of OpenAPI have two forms, whatever the parameters say.
  ["/openapi/v2", "application/yaml", 406],
  ["/openapi/v2", OPENAPI, 200],
  ["/openapi/v2", "application/json;as=Table;g=meta.k8s.io;v=v1", 200],
  ["/openapi/v3/api/v1", "application/yaml", 406],
  ["/openapi/v3/api/v1", PROTOBUF, 406],
  // Lists of discovery cannot become something else.
  ["/api", "text/html", 406],
  ["/api", AGGREGATED, 200],
  ["/apis", AGGREGATED, 200],
  ["/apis/apps", AGGREGATED, 406],
  ["/apis/apps/v1", AGGREGATED, 406],
  ["/apis/apps/v1", `${AGGREGATED},application/json`, 200],
  ["/api/v1", "application/json;as=Table;g=meta.k8s.io;v=v1", 406],
  ["/api/v1", "application/json;v=v1", 406],
  ["/api/v1", "application/json;g=meta.k8s.io", 406],
  ["/api/v1", "application/json;sv=v1", 406],
  ["/api/v1", "application/json;stream=watch", 200],
  ["/api/v1", "application/json;stream=all", 406],
  ["/api/v1", "application/json;charset=utf-8", 200],
  ["/api/v1", "application/yaml;stream=watch", 406],
  // A form is named by its kind, its group and its version.
  [MAPS, "application/json;as=Table;g=meta.k8s.io;v=v1", 200],
  [MAPS, "application/json;as=Table;g=meta.k8s.io;v=v1beta1", 200],
  [MAPS, "application/yaml;as=Table;g=meta.k8s.io;v=v1", 200],
  [MAPS, `${PROTOBUF};as=Table;g=meta.k8s.io;v=v1`, 406],
  [MAPS, "application/json;as=Table;g=meta.k8s.io", 406],
  [MAPS, "application/json;as=Table;v=v1", 406],
  [MAPS, "application/json;as=Table", 406],
  [MAPS, "application/json;as=Table;g=meta.k8s.io;v=v2", 406],
  [MAPS, "application/json;as=ConfigMapList;g=meta.k8s.io;v=v1", 406],
  [MAPS, "application/json;g=meta.k8s.io;v=v1", 406],
  [MAPS, "application/json;v=v1", 406],
  [MAPS, "application/json;as=;g=;v=", 406],
  [MAPS, "application/json;as=Table;g=meta.k8s.io, application/json", 200],
  [MAPS, "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1", 200],
  [MAPS, "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1", 406],
  [MAPS, `${PROTOBUF};as=PartialObjectMetadataList;g=meta.k8s.io;v=v1`, 200],
  [MAPS, "application/json;as=PartialObjectMetadataList;g=meta.k8s.io", 406],
  [MAPS, "application/json;sv=v1", 200],
  [MAPS, "application/json;sv=v2", 406],
  [MAPS, "application/yaml;stream=watch", 406],
  [MAPS, "application/json;stream=all", 406],
  // YAML has one name.
  [MAPS, "application/yaml", 200],
  [MAPS, "application/x-yaml", 406],
  [MAPS, "text/yaml", 406],
  // Objects of definitions have no protobuf form.
  [WIDGETS, PROTOBUF, 406],
  [WIDGETS, `${PROTOBUF};as=PartialObjectMetadataList;g=meta.k8s.io;v=v1`, 200],
  [WIDGETS, "text/html", 406],
];

test("each path says what it cannot give in the form asked for, as 1.32 does", async () => {
  await using api = await startHttpsServer(Date.now());
  await addWidgets(api);
  const answers = READS.map(async ([path, accept]) => {
    const { status } = await api.http(path, { headers: { accept } });
    return [path, accept, status];
  });
  assert.deepEqual(await Promise.all(answers), READS);
});

test("the groups at once are given to who names them at all", async () => {
  await using api = await startHttpsServer(Date.now());
  const accept = `application/json, ${AGGREGATED};q=0.5`;
  const answer = await api.http("/apis", { headers: { accept } });
  assert.equal(answer.json()["kind"], "APIGroupDiscoveryList");
});
