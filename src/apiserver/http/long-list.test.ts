import assert from "node:assert/strict";
import { once } from "node:events";
import https from "node:https";
import type { IncomingMessage, ServerResponse } from "node:http";
import { PassThrough } from "node:stream";
import { buffer } from "node:stream/consumers";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { splitPath } from "../request/query.ts";
import { builtInModel } from "../../api/schema/built-in-model.ts";
import { parse } from "yaml";
import { ProtobufDecoder } from "../codec/protobuf-decoder.ts";
import { ProtobufEncoder } from "../codec/protobuf-encoder.ts";
import { respond } from "./respond.ts";
import { type AnyObject, type HttpsFixture, startHttpsServer } from "../api-server-fixture.ts";
import { CachedObject } from "../watch-cache/cached-object.ts";
import { ListText } from "./list-text.ts";
import { listPieces, piecesOfText } from "./list-pieces.ts";
import { metadataListOf } from "./representations.ts";
import { SharedItems } from "./shared-items.ts";
import { tableOfList } from "./table.ts";
import type { ServedResource } from "../resource-registry.ts";

const MAPS = "/api/v1/namespaces/default/configmaps";

const served = {
  resource: { group: "", version: "v1", plural: "configmaps", kind: "ConfigMap" },
  apiVersion: "v1",
} as ServedResource;

function pageOf(count: number) {
  const items = Array.from({ length: count }, (_, at) => {
    const object = {
      kind: "ConfigMap",
      metadata: { name: `m${at}` },
      data: { text: "ü".repeat(at) },
    };
    return new CachedObject(`${at}`, at, Buffer.from(JSON.stringify(object)));
  });
  return { items, revision: 7, continue: "more" };
}

const query = splitPath("").query;

test("in pieces a list is what it is in one", () => {
  for (const count of [0, 1, 100, 101, 250]) {
    const page = pageOf(count);
    for (const as of ["table", "metadata"] as const) {
      const representation = { as, version: "v1", format: "json" } as const;
      const options = { representation, query, nowMs: 0 };
      const whole =
        as === "table" ? tableOfList(served, page, options) : metadataListOf(page, "v1");
      const text = [...listPieces(served, page, options)].join("");
      assert.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify(whole)));
    }
    const text = Buffer.concat([...piecesOfText(new ListText(served, page))]).toString();
    assert.equal((JSON.parse(text) as { items: unknown[] }).items.length, count);
  }
});

test("as YAML and protobuf a list is the same in pieces", async () => {
  const encoder = new ProtobufEncoder(builtInModel());
  const decoder = new ProtobufDecoder(builtInModel());
  for (const count of [0, 1, 300]) {
    const page = pageOf(count);
    for (const format of ["yaml", "protobuf"] as const) {
      const response = Object.assign(new PassThrough(), { writeHead: () => {} });
      const exchange = {
        request: { headers: {} } as IncomingMessage,
        response: response as unknown as ServerResponse,
      };
      const received = buffer(response);
      const representation = { as: "object", version: "v1", format } as const;
      const answer = { kind: "list", status: 200, served, list: page } as const;
      const options = { representation, query, warnings: [], headers: [], nowMs: 0 };
      const sharedItems = new SharedItems();
      await respond(exchange, answer, { ...options, protobuf: encoder, sharedItems });
      const bytes = await received;
      const list = format === "yaml" ? parse(bytes.toString()) : decoder.decode(bytes);
      assert.equal((list as { kind: string }).kind, "ConfigMapList");
      const { items, metadata } = list as {
        items?: AnyObject[];
        metadata: Record<string, unknown>;
      };
      assert.deepEqual([metadata["resourceVersion"], metadata["continue"]], ["7", "more"]);
      assert.deepEqual(
        (items ?? []).map(({ metadata: { name }, data }) => [name, data]),
        page.items.map((item) => [item.object().metadata.name, item.object()["data"]]),
      );
    }
  }
});

async function fill(api: HttpsFixture, count: number): Promise<void> {
  const names = Array.from({ length: count }, (_, at) => `m${at}`);
  await Promise.all(names.map((name) => api.ask("POST", MAPS, { metadata: { name } })));
}

test("a long list is sent whole in every form, and a reader may leave in the middle", async () => {
  await using api = await startHttpsServer(Date.now());
  await fill(api, 601);
  const forms: [as: string, field: string][] = [
    ["Table", "rows"],
    ["PartialObjectMetadataList", "items"],
  ];
  for (const [as, field] of forms) {
    const headers = { accept: `application/json;as=${as};v=v1;g=meta.k8s.io` };
    const list = (await api.http(MAPS, { headers })).json();
    assert.equal(list["kind"], as);
    assert.equal((list[field] as unknown[]).length, 601);
    const leaving = await request(api, headers);
    leaving.destroy();
  }
  assert.equal((await api.http("/readyz")).status, 200);
});

test("for a client elsewhere a large list is packed while it is made", async () => {
  const headersSent: string[] = [];
  const response = Object.assign(new PassThrough(), {
    writeHead: (_status: number, headers: string[]) => headersSent.push(...headers),
  });
  const exchange = {
    request: {
      headers: { "accept-encoding": "gzip" },
      socket: { remoteAddress: "192.0.2.9" },
    } as unknown as IncomingMessage,
    response: response as unknown as ServerResponse,
  };
  const representation = { as: "object", version: "v1", format: "json" } as const;
  const answer = { kind: "list", status: 200, served, list: pageOf(600) } as const;
  const received = buffer(response);
  await respond(exchange, answer, {
    representation,
    query,
    warnings: [],
    headers: [],
    protobuf: new ProtobufEncoder(builtInModel()),
    sharedItems: new SharedItems(),
    nowMs: 0,
  });
  assert.ok(headersSent.includes("Content-Encoding") && !headersSent.includes("Content-Length"));
  const list = JSON.parse(gunzipSync(await received).toString()) as { items: unknown[] };
  assert.equal(list.items.length, 600);
});

async function request(
  { port, client, ca }: HttpsFixture,
  headers: Record<string, string>,
): Promise<IncomingMessage> {
  const agent = new https.Agent({ ca: ca.pem.certPem, cert: client.certPem, key: client.keyPem });
  const asked = https.get({ host: "127.0.0.1", port, path: MAPS, agent, headers });
  asked.on("error", () => {});
  const [response] = (await once(asked, "response")) as [IncomingMessage];
  return response;
}
