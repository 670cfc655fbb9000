import assert from "node:assert/strict";
import { test } from "node:test";
import { isAlreadyExists, isConflict, isExpired, isNotFound, StatusError } from "../api/errors.ts";
import type { ApiRequest, ApiResponse, Transport } from "../api/transport.ts";

/** How the suite reaches one implementation, with an empty API server behind it. */
export interface TransportUnderTest {
  name: string;
  open(): Promise<OpenTransport>;
}

/** A transport and what belongs to its server. */
export interface OpenTransport extends AsyncDisposable {
  transport: Transport;
  /** Makes the server forget all history up to now; without it the case is skipped by name. */
  compact?(): Promise<void>;
}

interface Received {
  type: string;
  name: string;
  value: string | undefined;
}

const MAPS = "/api/v1/namespaces/default/configmaps";

/** Checks what `Transport` promises; every implementation runs it unchanged. */
export function describeTransport({ name, open }: TransportUnderTest): void {
  const check = (title: string, body: (opened: OpenTransport) => Promise<void>): void => {
    test(`${name} transport: ${title}`, async () => {
      await using opened = await open();
      await body(opened);
    });
  };

  check("requests carry values both ways", async ({ transport }) => {
    const value = `umlauts äöü, ${"\u{1f600}"}, "quotes", ${"x".repeat(300_000)}`;
    const created = await createMap(transport, "a.b-c", value);
    assert.equal(created.status, 201);
    const { status, body } = await transport.request({ method: "GET", path: `${MAPS}/a.b-c` });
    assert.equal(status, 200);
    assert.equal(valueOf(body), value);
    const list = await transport.request({ method: "GET", path: `${MAPS}?limit=10` });
    assert.equal((list.body as { items: unknown[] }).items.length, 1);
  });

  check("bodies may be bytes, and patches name their kind", async ({ transport }) => {
    const object = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a" } };
    const body = Buffer.from(JSON.stringify(object));
    await transport.request({ method: "POST", path: MAPS, body, contentType: "application/json" });
    const patched = await transport.request({
      method: "PATCH",
      path: `${MAPS}/a`,
      contentType: "application/merge-patch+json",
      body: { data: { value: "merged" } },
    });
    assert.equal(valueOf(patched.body), "merged");
    const again = await transport.request({
      method: "PATCH",
      path: `${MAPS}/a`,
      contentType: "application/json-patch+json",
      body: [{ op: "replace", path: "/data/value", value: "replaced" }],
    });
    assert.equal(valueOf(again.body), "replaced");
  });

  check("refusals are StatusErrors", async ({ transport }) => {
    const missing: ApiRequest = { method: "GET", path: `${MAPS}/none` };
    await assert.rejects(transport.request(missing), (error) => {
      assert.ok(error instanceof StatusError && isNotFound(error));
      assert.equal(error.code, 404);
      assert.match(error.message, /not found/);
      return true;
    });
    const { body } = await createMap(transport, "a", "1");
    await assert.rejects(createMap(transport, "a", "2"), isAlreadyExists);
    const path = `${MAPS}/a`;
    await transport.request({ method: "PUT", path, body: withValue(body, "2") });
    const stale = transport.request({ method: "PUT", path, body: withValue(body, "3") });
    await assert.rejects(stale, isConflict);
  });

  check("a watch begins after its revision and delivers in order", async ({ transport }) => {
    const { body } = await createMap(transport, "before", "1");
    const watching = await watchFrom(transport, revisionOf(body));
    const large = "y".repeat(400_000);
    const created = await createMap(transport, "a", large);
    const changed = withValue(created.body, "2");
    await transport.request({ method: "PUT", path: `${MAPS}/a`, body: changed });
    await transport.request({ method: "DELETE", path: `${MAPS}/a` });
    await watching.count(3);
    assert.deepEqual(watching.received, [
      { type: "ADDED", name: "a", value: large },
      { type: "MODIFIED", name: "a", value: "2" },
      { type: "DELETED", name: "a", value: "2" },
    ]);
    const replay = await watchFrom(transport, revisionOf(created.body));
    await replay.count(2);
    assert.deepEqual(
      replay.received.map(({ type }) => type),
      ["MODIFIED", "DELETED"],
    );
    watching.watch[Symbol.dispose]();
    replay.watch[Symbol.dispose]();
  });

  check("a disposed watch delivers nothing more", async ({ transport }) => {
    const { body } = await createMap(transport, "before", "1");
    const stopped = await watchFrom(transport, revisionOf(body));
    const other = await watchFrom(transport, revisionOf(body));
    stopped.watch[Symbol.dispose]();
    await createMap(transport, "after", "1");
    await other.count(1);
    assert.deepEqual(stopped.received, []);
    stopped.watch[Symbol.dispose]();
    other.watch[Symbol.dispose]();
  });

  test(`${name} transport: a watch from forgotten history ends as expired`, async (context) => {
    await using opened = await open();
    const { transport } = opened;
    if (!opened.compact) return context.skip("its server cannot be told to forget history");
    const { body } = await createMap(transport, "a", "1");
    await createMap(transport, "b", "1");
    await opened.compact();
    // Either way is allowed: a refusal, or an ERROR event on an accepted watch.
    const ended = new Promise((resolve) => {
      const sink = { event: () => {}, closed: resolve };
      const request: ApiRequest = {
        method: "GET",
        path: `${MAPS}?resourceVersion=${revisionOf(body)}`,
      };
      transport.watch(request, sink).catch(resolve);
    });
    assert.ok(isExpired(await ended));
  });
}

function createMap(transport: Transport, name: string, value: string): Promise<ApiResponse> {
  const body = { apiVersion: "v1", kind: "ConfigMap", metadata: { name }, data: { value } };
  return transport.request({ method: "POST", path: MAPS, body });
}

async function watchFrom(
  transport: Transport,
  revision: string,
): Promise<{ watch: Disposable; received: Received[]; count(wanted: number): Promise<void> }> {
  const received: Received[] = [];
  let wake = () => {};
  const path = `${MAPS}?resourceVersion=${revision}`;
  const watch = await transport.watch(
    { method: "GET", path },
    {
      event: (type, object) => {
        received.push({ type, name: nameOf(object), value: valueOf(object) });
        wake();
      },
      closed: (error) => {
        if (error) throw error;
      },
    },
  );
  const count = async (wanted: number) => {
    while (received.length < wanted) await new Promise<void>((next) => (wake = next));
  };
  return { watch, received, count };
}

function withValue(object: unknown, value: string): object {
  return { ...(object as object), data: { value } };
}

function valueOf(object: unknown): string | undefined {
  return (object as { data?: { value?: string } }).data?.value;
}

function nameOf(object: unknown): string {
  return (object as { metadata: { name: string } }).metadata.name;
}

function revisionOf(object: unknown): string {
  return (object as { metadata: { resourceVersion: string } }).metadata.resourceVersion;
}
