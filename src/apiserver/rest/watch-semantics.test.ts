import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { StatusError } from "../../api/errors.ts";
import { settle } from "../../lib/virtual-clock.ts";
import { type AnyObject, type ServerFixture, startServer } from "../api-server-fixture.ts";

const MAPS = "/api/v1/namespaces/default/configmaps";
const NODES = "/api/v1/nodes";

/** What a watcher saw: "ADDED a", "BOOKMARK", and how the watch ended. */
interface Watched extends Disposable {
  seen: string[];
  objects: AnyObject[];
  /** `null` for the ordinary end. */
  end: StatusError | null | undefined;
}

async function watch(api: ServerFixture, path: string): Promise<Watched> {
  const watched: Watched = { seen: [], objects: [], end: undefined, [Symbol.dispose]: () => {} };
  const session = await api.transport.watch(
    { method: "GET", path },
    {
      event: (type, value) => {
        const object = value as AnyObject;
        const { name, annotations } = object.metadata;
        const text = name ?? JSON.stringify(annotations ?? {});
        watched.seen.push(`${type} ${text as string}`);
        watched.objects.push(object);
      },
      closed: (error) => (watched.end = (error as StatusError | undefined) ?? null),
    },
  );
  watched[Symbol.dispose] = () => session[Symbol.dispose]();
  return watched;
}

async function createMap(api: ServerFixture, name: string, labels = {}): Promise<number> {
  const { metadata } = await api.ask("POST", MAPS, { metadata: { name, labels } });
  return Number(metadata["resourceVersion"]);
}

function label(api: ServerFixture, name: string, value: string | null): Promise<AnyObject> {
  const body = { metadata: { labels: { app: value } } };
  return api.patch(`${MAPS}/${name}`, { body, type: "merge-patch+json" });
}

const END = '{"k8s.io/initial-events-end":"true"}';
const LISTED = "sendInitialEvents=true&resourceVersionMatch=NotOlderThan";
const UNLISTED = "sendInitialEvents=false&resourceVersionMatch=NotOlderThan";

describe("with what a watch begins", () => {
  const cases: [query: string, begins: string[]][] = [
    ["", ["ADDED a", "ADDED b"]],
    ["resourceVersion=0", ["ADDED a", "ADDED b"]],
    ["resourceVersion=$a", ["ADDED b"]],
    ["resourceVersion=$b", []],
    ["resourceVersion=$later", []],
    [LISTED, ["ADDED a", "ADDED b"]],
    [`${LISTED}&allowWatchBookmarks=1`, ["ADDED a", "ADDED b", `BOOKMARK ${END}`]],
    [
      `${LISTED}&allowWatchBookmarks=1&resourceVersion=$a`,
      ["ADDED a", "ADDED b", `BOOKMARK ${END}`],
    ],
    [`${LISTED}&allowWatchBookmarks=1&labelSelector=app%3Dx`, ["ADDED b", `BOOKMARK ${END}`]],
    [UNLISTED, []],
    [`${UNLISTED}&resourceVersion=0&allowWatchBookmarks=1`, []],
    [`${UNLISTED}&resourceVersion=$a`, ["ADDED b"]],
    ["fieldSelector=metadata.name%3Da", ["ADDED a"]],
    ["labelSelector=app%3Dx", ["ADDED b"]],
    ["limit=1", ["ADDED a", "ADDED b"]],
  ];
  for (const [query, begins] of cases) {
    test(query || "no parameters", async () => {
      await using api = await startServer();
      const a = await createMap(api, "a");
      const b = await createMap(api, "b", { app: "x" });
      const named = query.replace("$later", "9999").replace("$a", `${a}`).replace("$b", `${b}`);
      using watched = await watch(api, `${MAPS}?${named}`);
      assert.deepEqual(watched.seen, begins);
      assert.equal(watched.end, undefined);
    });
  }
});

describe("what a watch refuses at once", () => {
  const invalid = (text: string) => `ListOptions.meta.k8s.io "" is invalid: ${text}`;
  const forbidden = (text: string) => `resourceVersionMatch: Forbidden: ${text}`;
  const alone = forbidden(
    "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided",
  );
  const unmatched = forbidden(
    "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
  );
  const exact =
    'resourceVersionMatch: Unsupported value: "Exact": supported values: "NotOlderThan"';
  const cases: [query: string, code: number, message: string][] = [
    ["sendInitialEvents=true", 422, invalid(unmatched)],
    ["sendInitialEvents=false", 422, invalid(unmatched)],
    ["sendInitialEvents=true&resourceVersionMatch=Exact", 422, invalid(`[${unmatched}, ${exact}]`)],
    ["resourceVersionMatch=NotOlderThan&resourceVersion=1", 422, invalid(alone)],
    ["resourceVersionMatch=Exact", 422, invalid(`[${alone}, ${exact}]`)],
    ["timeoutSeconds=x", 400, 'strconv.ParseInt: parsing "x": invalid syntax'],
    ["labelSelector=!!", 400, "unable to parse requirement: found '!', expected: identifier"],
  ];
  for (const [query, code, message] of cases) {
    test(query, async () => {
      await using api = await startServer();
      await assert.rejects(watch(api, `${MAPS}?${query}`), (error) => {
        assert.ok(error instanceof StatusError);
        assert.deepEqual([error.code, error.message], [code, message]);
        return true;
      });
    });
  }
});

test("an object that enters or leaves a selection is added or deleted", async () => {
  await using api = await startServer();
  using watched = await watch(api, `${MAPS}?labelSelector=app%3Dx`);
  await createMap(api, "a");
  await label(api, "a", "x");
  await api.patch(`${MAPS}/a`, { body: { data: { k: "v" } }, type: "merge-patch+json" });
  const left = await label(api, "a", "y");
  await label(api, "a", null);
  await label(api, "a", "x");
  await api.ask("DELETE", `${MAPS}/a`);
  await settle();
  assert.deepEqual(watched.seen, ["ADDED a", "MODIFIED a", "DELETED a", "ADDED a", "DELETED a"]);
  const gone = watched.objects[2];
  // As it was when the watcher last saw it, at the revision of what took it away.
  assert.deepEqual(gone?.metadata["labels"], { app: "x" });
  assert.equal(gone?.metadata["resourceVersion"], left.metadata["resourceVersion"]);
});

test("a watch on the deprecated path sees what the other sees", async () => {
  await using api = await startServer();
  await createMap(api, "a");
  await createMap(api, "b");
  const cases: [path: string, seen: string[]][] = [
    ["/api/v1/watch/configmaps", ["ADDED a", "ADDED b"]],
    ["/api/v1/watch/namespaces/default/configmaps", ["ADDED a", "ADDED b"]],
    ["/api/v1/watch/namespaces/default/configmaps/b", ["ADDED b"]],
    ["/api/v1/watch/namespaces/default/configmaps/b?fieldSelector=metadata.name%3Db", ["ADDED b"]],
    ["/api/v1/watch/namespaces/other/configmaps", []],
  ];
  for (const [path, seen] of cases) {
    using watched = await watch(api, path);
    assert.deepEqual(watched.seen, seen, path);
  }
  await assert.rejects(
    watch(api, "/api/v1/watch/namespaces/default/configmaps/b?fieldSelector=metadata.name%3Da"),
    /fieldSelector metadata.name doesn't match requested name/,
  );
});

test("bookmarks come every minute and shortly before the end, and only when asked for", async () => {
  await using api = await startServer();
  await createMap(api, "a");
  const version = await api.store.revision();
  const at = `${MAPS}?resourceVersion=${version}`;
  using watched = await watch(api, `${at}&allowWatchBookmarks=true&timeoutSeconds=150`);
  using plain = await watch(api, `${at}&timeoutSeconds=150`);
  using brief = await watch(api, `${at}&allowWatchBookmarks=true&timeoutSeconds=2`);
  await api.clock.advance(59_000);
  assert.deepEqual([watched.seen, brief.seen, brief.end], [[], [], null]);
  // The bookmark of a kind that nobody writes moves on with the rest of the cluster.
  await api.ask("POST", NODES, { metadata: { name: "n" } });
  await api.clock.advance(2_000);
  assert.equal(watched.seen.length, 1);
  assert.equal(watched.objects[0]?.metadata["resourceVersion"], `${version + 1}`);
  await api.clock.advance(86_000);
  assert.equal(watched.seen.length, 2);
  await api.clock.advance(1_500);
  assert.equal(watched.seen.length, 3);
  assert.equal(watched.end, undefined);
  await api.clock.advance(2_000);
  assert.deepEqual([watched.end, plain.end, plain.seen], [null, null, []]);
});

test("without a timeout a watch lasts half an hour to an hour", async () => {
  await using api = await startServer();
  using watched = await watch(api, MAPS);
  await api.clock.advance(1_799_000);
  assert.equal(watched.end, undefined);
  await api.clock.advance(1_802_000);
  assert.equal(watched.end, null);
});

test("a watch with initial events waits for its version, but not forever", async () => {
  await using api = await startServer();
  const next = (await api.store.revision()) + 1;
  const options = `${LISTED}&allowWatchBookmarks=1`;
  const soon = watch(api, `${MAPS}?${options}&resourceVersion=${next}`);
  const never = watch(api, `${MAPS}?${options}&resourceVersion=9999`);
  await settle();
  await createMap(api, "a");
  assert.deepEqual((await soon).seen, ["ADDED a", `BOOKMARK ${END}`]);
  (await soon)[Symbol.dispose]();
  await api.clock.advance(3_000);
  const { seen, end } = await never;
  assert.deepEqual(seen, []);
  assert.equal(end?.code, 504);
  assert.equal(end?.status.details?.causes?.[0]?.reason, "ResourceVersionTooLarge");
});

/** One step of the story that clients follow. */
const step = fc.oneof(
  fc.record({
    kind: fc.constant("write" as const),
    name: fc.constantFrom("a", "b", "c"),
    app: fc.constantFrom("x", "y", null, "delete" as const),
  }),
  fc.record({
    kind: fc.constantFrom("reconnect" as const, "compact" as const, "restart" as const),
  }),
);

/** A client as client-go's reflector: it lists, watches, resumes, and lists again on 410. */
class Follower implements Disposable {
  readonly known = new Map<string, AnyObject>();
  readonly problems: string[] = [];
  readonly #query: string;
  #version = "";
  #watched: Disposable | undefined;

  constructor(query: string) {
    this.#query = query;
  }

  async list(api: ServerFixture): Promise<void> {
    this.known.clear();
    let more: string | undefined;
    do {
      const page = await api.ask(
        "GET",
        `${MAPS}?${this.#query}&limit=1${more ? `&continue=${more}` : ""}`,
      );
      for (const item of page["items"] as AnyObject[]) {
        this.known.set(item.metadata["name"] as string, item);
      }
      this.#version = page.metadata["resourceVersion"] as string;
      more = page.metadata["continue"] as string | undefined;
    } while (more);
  }

  async follow(api: ServerFixture): Promise<void> {
    this[Symbol.dispose]();
    let expired = false;
    const path = `${MAPS}?${this.#query}&resourceVersion=${this.#version}`;
    this.#watched = await api.transport.watch(
      { method: "GET", path },
      {
        event: (type, object) => this.#see(type, object as AnyObject),
        closed: (error) => (expired = (error as StatusError | undefined)?.code === 410),
      },
    );
    if (!expired) return;
    await this.list(api);
    await this.follow(api);
  }

  [Symbol.dispose](): void {
    this.#watched?.[Symbol.dispose]();
  }

  #see(type: string, object: AnyObject): void {
    const { name, resourceVersion } = object.metadata as { name: string; resourceVersion: string };
    if (Number(resourceVersion) <= Number(this.#version)) {
      this.problems.push(`${name} at ${resourceVersion} came after ${this.#version}`);
    }
    if (this.known.has(name) === (type === "ADDED")) this.problems.push(`${type} of ${name}`);
    this.#version = resourceVersion;
    if (type === "DELETED") this.known.delete(name);
    else this.known.set(name, object);
  }
}

async function write(api: ServerFixture, name: string, app: string | null): Promise<void> {
  try {
    if (app === "delete") await api.ask("DELETE", `${MAPS}/${name}`);
    else await label(api, name, app);
  } catch (error) {
    if (!(error instanceof StatusError) || error.reason !== "NotFound") throw error;
    if (app !== "delete") await createMap(api, name, app === null ? {} : { app });
  }
}

test("list and watch add up to the state across reconnects, compactions and restarts", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 25 }),
      fc.constantFrom(
        "",
        "labelSelector=app%3Dx",
        "labelSelector=app",
        "fieldSelector=metadata.name%3Da",
      ),
      async (steps, query) => {
        let api = await startServer();
        const { store } = api;
        await using _store = store;
        using follower = new Follower(query);
        await follower.list(api);
        await follower.follow(api);
        for (const each of steps) {
          if (each.kind === "write") await write(api, each.name, each.app);
          if (each.kind === "compact") await store.compact(await store.revision());
          if (each.kind === "restart") {
            await api.server[Symbol.asyncDispose]();
            api = await startServer({ store });
          }
          if (each.kind === "restart" || each.kind === "reconnect") await follower.follow(api);
        }
        await settle();
        const { items } = await api.ask("GET", `${MAPS}?${query}`);
        await api.server[Symbol.asyncDispose]();
        assert.deepEqual(follower.problems, []);
        const known = [...follower.known].sort(([a], [b]) => (a < b ? -1 : 1));
        assert.deepEqual(
          known.map(([, object]) => object),
          items,
        );
      },
    ),
    { numRuns: 25 },
  );
});
