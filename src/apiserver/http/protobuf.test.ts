import assert from "node:assert/strict";
import { test } from "node:test";
import { builtInModel } from "../../api/schema/built-in-model.ts";
import { WireReader } from "../../format/protobuf/wire-reader.ts";
import { settle } from "../../lib/virtual-clock.ts";
import { type HttpAnswer, type HttpsFixture, startHttpsServer } from "../api-server-fixture.ts";
import { ProtobufDecoder } from "../codec/protobuf-decoder.ts";
import { ProtobufEncoder } from "../codec/protobuf-encoder.ts";
import { PROTOBUF_TYPE } from "../codec/protobuf-media-type.ts";

const MAPS = "/api/v1/namespaces/default/configmaps";
const WIDGETS = "/apis/example.com/v1/namespaces/default/widgets";
const model = builtInModel();
const encoder = new ProtobufEncoder(model);
const decoder = new ProtobufDecoder(model);

interface Decoded {
  kind: string;
  apiVersion: string;
  metadata: { name: string; resourceVersion: string };
  items: Decoded[];
  [field: string]: unknown;
}

function decode({ bytes, headers }: HttpAnswer): Decoded {
  assert.equal(headers["content-type"], PROTOBUF_TYPE);
  return decoder.decode(bytes) as unknown as Decoded;
}

function configMap(name: string): Buffer {
  return encoder.encode({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name },
    data: { a: "b" },
  });
}

function post(api: HttpsFixture, path: string, body: Buffer): Promise<HttpAnswer> {
  const headers = { accept: `${PROTOBUF_TYPE}, */*`, "content-type": PROTOBUF_TYPE };
  return api.http(path, { method: "POST", body, headers });
}

function get(api: HttpsFixture, path: string, accept: string = PROTOBUF_TYPE): Promise<HttpAnswer> {
  return api.http(path, { headers: { accept } });
}

test("objects, lists and refusals travel in protobuf both ways", async () => {
  await using api = await startHttpsServer(Date.now());
  const made = await post(api, MAPS, configMap("a"));
  assert.equal(made.status, 201);
  const { kind, metadata, data } = decode(made);
  assert.deepEqual([kind, metadata.name, data], ["ConfigMap", "a", { a: "b" }]);
  assert.deepEqual(decode(await get(api, `${MAPS}/a`)).metadata, metadata);
  await post(api, MAPS, configMap("b"));
  const list = decode(await get(api, MAPS, `${PROTOBUF_TYPE},application/json`));
  assert.equal(list.kind, "ConfigMapList");
  assert.ok(Number(list.metadata.resourceVersion) > 0);
  assert.deepEqual(
    list.items.map((item) => item.metadata.name),
    ["a", "b"],
  );
  const again = await post(api, MAPS, configMap("a"));
  const refusal = decode(again);
  assert.deepEqual(
    [again.status, refusal.kind, refusal["reason"]],
    [409, "Status", "AlreadyExists"],
  );
});

test("metadata alone comes in protobuf, tables do not", async () => {
  await using api = await startHttpsServer(Date.now());
  await post(api, MAPS, configMap("a"));
  const as = (what: string, type: string) => `${type};as=${what};g=meta.k8s.io;v=v1`;
  const metadata = as("PartialObjectMetadata", PROTOBUF_TYPE);
  const one = decode(await get(api, `${MAPS}/a`, metadata));
  assert.deepEqual([one.apiVersion, one.kind], ["meta.k8s.io/v1", "PartialObjectMetadata"]);
  const list = decode(await get(api, MAPS, as("PartialObjectMetadataList", PROTOBUF_TYPE)));
  assert.deepEqual([list.kind, list.items[0]?.metadata.name], ["PartialObjectMetadataList", "a"]);
  const refused = await get(api, MAPS, as("Table", PROTOBUF_TYPE));
  assert.equal(refused.status, 406);
  const both = `${as("Table", PROTOBUF_TYPE)},${as("Table", "application/json")}`;
  assert.equal((await get(api, MAPS, both)).json()["kind"], "Table");
});

test("an int64 beyond what a number holds keeps every digit", async () => {
  await using api = await startHttpsServer(Date.now());
  const pod = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "p" },
    spec: {
      containers: [{ name: "c", image: "i" }],
      activeDeadlineSeconds: 2_147_483_647,
      tolerations: [
        { key: "k", operator: "Exists", effect: "NoExecute", tolerationSeconds: 2n ** 62n + 1n },
      ],
    },
  };
  await post(api, "/api/v1/namespaces/default/pods", encoder.encode(pod));
  const answer = decode(await get(api, "/api/v1/namespaces/default/pods/p"));
  const { tolerations } = answer["spec"] as { tolerations: { tolerationSeconds: unknown }[] };
  assert.equal(tolerations[0]?.tolerationSeconds, 2n ** 62n + 1n);
});

test("custom resources have no protobuf form, their metadata has", async () => {
  await using api = await startHttpsServer(Date.now());
  await api.ask("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", {
    metadata: { name: "widgets.example.com" },
    spec: {
      group: "example.com",
      scope: "Namespaced",
      names: { plural: "widgets", kind: "Widget" },
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
  await api.ask("POST", WIDGETS, { metadata: { name: "w" } });
  assert.equal((await get(api, `${WIDGETS}/w`)).status, 406);
  assert.equal((await get(api, `${WIDGETS}/w`, `${PROTOBUF_TYPE}, */*`)).json()["kind"], "Widget");
  const metadata = `${PROTOBUF_TYPE};as=PartialObjectMetadata;g=meta.k8s.io;v=v1`;
  assert.equal(decode(await get(api, `${WIDGETS}/w`, metadata)).metadata.name, "w");
  const refused = await post(api, WIDGETS, configMap("x"));
  assert.equal(refused.status, 415);
  assert.match(
    String(decode(refused)["message"]),
    /include: application\/json, application\/yaml$/,
  );
  const merge = { "content-type": "application/strategic-merge-patch+json" };
  const missing = { method: "PATCH", body: Buffer.from("{}"), headers: merge };
  assert.equal((await api.http(`${WIDGETS}/none`, missing)).status, 415);
  const options = encoder.encode({
    apiVersion: "v1",
    kind: "DeleteOptions",
    gracePeriodSeconds: 0,
  });
  const headers = {
    "content-type": PROTOBUF_TYPE,
    "content-length": String(options.byteLength),
  };
  const gone = await api.http(`${WIDGETS}/w`, { method: "DELETE", body: options, headers });
  assert.equal(gone.status, 200);
});

test("a watch in protobuf is a row of frames with their lengths in front", async () => {
  await using api = await startHttpsServer(Date.now());
  await post(api, MAPS, configMap("a"));
  const watching = get(api, `${MAPS}?watch=1&timeoutSeconds=1`, `${PROTOBUF_TYPE};stream=watch`);
  const waiting = setInterval(() => void api.clock.advance(1_000), 5);
  const answer = await watching;
  clearInterval(waiting);
  assert.equal(answer.headers["content-type"], `${PROTOBUF_TYPE};stream=watch`);
  const size = answer.bytes.readUInt32BE(0);
  assert.equal(answer.bytes.byteLength, 4 + size);
  const event = new WireReader(answer.bytes.subarray(4));
  event.next();
  assert.equal(event.text(), "ADDED");
  event.next();
  const object = new WireReader(event.bytes());
  object.next();
  assert.equal((decoder.decode(object.bytes()) as unknown as Decoded).metadata.name, "a");
});

test("discovery comes in protobuf, as YAML, or not at all", async () => {
  await using api = await startHttpsServer(Date.now());
  const groups = decode(await get(api, "/apis"));
  assert.deepEqual([groups.kind, groups.apiVersion], ["APIGroupList", "v1"]);
  const { resources } = decode(await get(api, "/api/v1", `${PROTOBUF_TYPE}, */*`));
  const pods = (resources as { name: string; verbs: string[] }[]).find(
    ({ name }) => name === "pods",
  );
  assert.ok(pods?.verbs.includes("watch"));
  assert.deepEqual(decode(await get(api, "/api"))["versions"], ["v1"]);
  const as = "g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
  const all = await get(api, "/apis", `${PROTOBUF_TYPE};${as}`);
  assert.equal(all.headers["content-type"], `${PROTOBUF_TYPE};${as}`);
  assert.equal(decoder.decode(all.bytes)["kind"], "APIGroupDiscoveryList");
  const yaml = await get(api, "/apis/apps", "application/yaml");
  assert.equal(yaml.headers["content-type"], "application/yaml");
  assert.equal((await get(api, "/apis", "text/html")).status, 406);
  assert.equal((await get(api, "/apis/nope", "text/html")).status, 404);
});

test("a page is not sent to who has it, in whichever words that is said", async () => {
  await using api = await startHttpsServer(Date.now());
  const etag = String((await api.http("/openapi/v3")).headers["etag"]);
  for (const tags of [etag, `W/${etag}`, `"other", ${etag}`, "*"]) {
    const answer = await api.http("/openapi/v3", { headers: { "if-none-match": tags } });
    assert.deepEqual([answer.status, answer.text], [304, ""], tags);
  }
  const stale = await api.http("/openapi/v3", { headers: { "if-none-match": '"other"' } });
  const { paths } = stale.json() as unknown as {
    paths: Record<string, { serverRelativeURL: string }>;
  };
  const address = paths["apis/apps/v1"]?.serverRelativeURL ?? "";
  const document = await api.http(address);
  assert.equal(document.headers["cache-control"], "public, immutable");
  assert.ok(Date.parse(String(document.headers["expires"])) > Date.now() + 86_400_000);
  const moved = await api.http(address.replace(/hash=.*/, "hash=OLD"));
  assert.deepEqual([moved.status, moved.headers["location"]], [301, address]);
});
