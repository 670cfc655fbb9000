import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { KMS_MESSAGES } from "../format/kms/kms-messages.ts";
import { createMessageCodec } from "../format/protobuf/message-codec.ts";
import { silentLogger } from "../lib/logger.ts";
import { seededRandom } from "../lib/random.ts";
import { VirtualClock } from "../lib/virtual-clock.ts";
import { openLmdbStore } from "../store/lmdb/lmdb-store.ts";
import { openEncryption } from "./encryption.ts";

const SECRETS = "core/secrets";

/** A service of keys that can be given another key, and be unwell. */
async function startService(socketPath: string) {
  const codec = createMessageCodec(KMS_MESSAGES);
  const state = { keyId: "key-1", healthz: "ok", calls: [] as string[] };
  const mask = (bytes: Uint8Array, keyId: string) => {
    const pad = createHash("sha256").update(keyId).digest();
    return Buffer.from(bytes.map((byte, at) => byte ^ (pad[at % pad.length] ?? 0)));
  };
  const answers: Record<string, (request: never) => object> = {
    Status: () => ({ version: "v2", healthz: state.healthz, keyId: state.keyId }),
    Encrypt: ({ plaintext }: { plaintext: Uint8Array }) => ({
      ciphertext: mask(plaintext, state.keyId),
      keyId: state.keyId,
      annotations: { "kms.example.com": Buffer.from("x") },
    }),
    Decrypt: (request: { ciphertext: Uint8Array; keyId: string; annotations: object }) => {
      assert.deepEqual(Object.keys(request.annotations), ["kms.example.com"]);
      return { plaintext: mask(request.ciphertext, request.keyId) };
    },
  };
  const sessions = new Set<ServerHttp2Session>();
  const server = createServer();
  server.on("session", (session) => sessions.add(session));
  server.on("stream", (stream: ServerHttp2Stream, headers) => {
    const [, service, method = ""] = String(headers[":path"]).split("/");
    assert.equal(service, "v2.KeyManagementService");
    const chunks: Buffer[] = [];
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("end", () => {
      state.calls.push(method);
      const request = codec.decode(`${method}Request`, Buffer.concat(chunks).subarray(5));
      const bytes = codec.encode(`${method}Response`, answers[method]?.(request as never) ?? {});
      const prefix = Buffer.alloc(5);
      prefix.writeUInt32BE(bytes.length, 1);
      stream.respond({ "content-type": "application/grpc" }, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
      stream.end(Buffer.concat([prefix, bytes]));
    });
  });
  server.listen(socketPath);
  await once(server, "listening");
  return {
    state,
    async [Symbol.asyncDispose]() {
      for (const session of sessions) session.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

test("values are under a service's keys: asked once per seed, and again after a restart", async () => {
  const directory = mkdtempSync(path.join(tmpdir(), "nephos-kms-"));
  const file = path.join(directory, "encryption.yaml");
  const socketPath = path.join(directory, "kms.sock");
  const kms = { apiVersion: "v2", name: "vault", endpoint: `unix://${socketPath}` };
  writeFileSync(
    file,
    JSON.stringify({
      apiVersion: "apiserver.config.k8s.io/v1",
      kind: "EncryptionConfiguration",
      resources: [{ resources: ["secrets"], providers: [{ kms }, { identity: {} }] }],
    }),
  );
  const clock = new VirtualClock();
  const sources = { clock, random: seededRandom(7), logger: silentLogger };
  const open = () => openEncryption({ file, follow: false }, sources);
  const store = path.join(directory, "store");
  try {
    await assert.rejects(open(), /^CommandError: Cannot use the KMS provider "vault": /);
    await using service = await startService(socketPath);
    const { state } = service;
    {
      using encryption = await open();
      await using opened = await openLmdbStore({ directory: store, clock, encryption });
      const { revision } = await opened.create(SECRETS, "a", Buffer.from("hush"));
      await opened.create(SECRETS, "b", Buffer.from("hush, too"));
      assert.deepEqual(state.calls, ["Status", "Encrypt"]);
      assert.equal(opened.isStale(SECRETS, "a"), false);
      state.keyId = "key-2";
      // In virtual time, while the sockets live in real time.
      for (let step = 0; state.calls.length < 4; step++) await clock.advance(step ? 0 : 60_000);
      while (!opened.isStale(SECRETS, "a")) await clock.advance(0);
      assert.equal(Buffer.from((await opened.get(SECRETS, "a"))?.bytes ?? "").toString(), "hush");
      await opened.update(SECRETS, "a", { bytes: Buffer.from("hush"), expectedRevision: revision });
      assert.equal(opened.isStale(SECRETS, "a"), false);
      const [check] = encryption?.checks ?? [];
      assert.equal(check?.name, "kms-provider-0");
      assert.equal(await check.check(), undefined);
      state.healthz = "sealed";
      await clock.advance(60_000);
      while (!(await check.check())) await clock.advance(0);
      assert.equal(await check.check(), 'it says of itself "sealed"');
      state.healthz = "ok";
      await clock.advance(60_000);
      while (await check.check()) await clock.advance(0);
    }
    const files = readdirSync(store).map((name) => readFileSync(path.join(store, name), "latin1"));
    assert.ok(files.join("").includes("k8s:enc:kms:v2:vault:"));
    assert.ok(!files.join("").includes("hush"));
    state.calls.length = 0;
    {
      using encryption = await open();
      await using opened = await openLmdbStore({ directory: store, clock, encryption });
      assert.deepEqual(state.calls, ["Status", "Encrypt", "Decrypt", "Decrypt"]);
      const { items } = await opened.list(SECRETS);
      const texts = items.map(({ bytes }) => Buffer.from(bytes).toString());
      assert.deepEqual(texts, ["hush", "hush, too"]);
      assert.equal(opened.isStale(SECRETS, "b"), true);
    }
    state.healthz = "sealed";
    await assert.rejects(open(), /it says of itself "sealed"$/);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
