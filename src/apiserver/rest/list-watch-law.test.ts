import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Cleanup } from "../../lib/cleanup.ts";
import { settle } from "../../lib/virtual-clock.ts";
import { type AnyObject, type ServerFixture, startServer } from "../api-server-fixture.ts";

const NAMES = ["x", "y", "z"];
const SPACES = ["a", "b"];
const VALUES = ["1", "2"];
const BOOKMARKS_MS = 61_000;

/** What the server should hold: objects by "namespace/name". Its rules are written anew here. */
type State = ReadonlyMap<string, AnyObject>;

/** Some objects, in the words of the API and as a rule of the model. */
interface Selector {
  query: string;
  selects(labels: Record<string, string>, name: string, namespace: string): boolean;
}

const value = fc.constantFrom(...VALUES);
const label = fc.constantFrom("app", "tier");
const rarely = fc.oneof({ arbitrary: fc.constant(false), weight: 3 }, fc.constant(true));
const requirement: fc.Arbitrary<Selector> = fc.oneof(
  fc.record({ label, value, negated: rarely }).map(({ label, value, negated }) => ({
    query: `${label}${negated ? "!=" : "="}${value}`,
    selects: (labels: Record<string, string>) => (labels[label] === value) !== negated,
  })),
  fc.record({ label, negated: fc.boolean() }).map(({ label, negated }) => ({
    query: `${negated ? "!" : ""}${label}`,
    selects: (labels: Record<string, string>) => label in labels !== negated,
  })),
  fc.record({ label, negated: fc.boolean() }).map(({ label, negated }) => ({
    query: `${label} ${negated ? "notin" : "in"} (1,3)`,
    selects: (labels: Record<string, string>) => (labels[label] === "1") !== negated,
  })),
);
const labelSelector = fc.array(requirement, { maxLength: 2 }).map((all): Selector => {
  const text = all.map(({ query }) => query).join(",");
  return {
    query: text ? `labelSelector=${encodeURIComponent(text)}` : "",
    selects: (...of) => all.every(({ selects }) => selects(...of)),
  };
});
const fieldSelector = fc.oneof(
  { arbitrary: fc.constant<Selector>({ query: "", selects: () => true }), weight: 3 },
  fc.record({ name: fc.constantFrom(...NAMES), negated: fc.boolean() }).map(
    ({ name, negated }): Selector => ({
      query: `fieldSelector=${encodeURIComponent(`metadata.name${negated ? "!=" : "="}${name}`)}`,
      selects: (_labels, of) => (of === name) !== negated,
    }),
  ),
  fc.constantFrom(...SPACES).map(
    (space): Selector => ({
      query: `fieldSelector=metadata.namespace%3D${space}`,
      selects: (_labels, _name, of) => of === space,
    }),
  ),
);
const key = fc.record({ space: fc.constantFrom(...SPACES), name: fc.constantFrom(...NAMES) });
const write = fc.record({
  key,
  labels: fc.option(fc.dictionary(label, value), { nil: undefined, freq: 4 }),
});
const share = fc.integer({ min: 0, max: 20 }).map((of) => of / 20);
const follower = fc.record({
  scope: fc.constantFrom("", ...SPACES),
  selectors: fc.tuple(labelSelector, fieldSelector),
  /** After this share of the writes it begins … */
  begins: share,
  /** … from this share of the revisions that there are then. */
  resumes: share,
  how: fc.constantFrom("resumed", "initial events", "pages"),
});
type FollowerPlan = typeof follower extends fc.Arbitrary<infer T> ? T : never;

/** Writes, and remembers every state that there was. */
class Writer {
  readonly history: { revision: number; state: State }[];
  readonly #api: ServerFixture;

  constructor(api: ServerFixture, revision: number) {
    this.#api = api;
    this.history = [{ revision, state: new Map() }];
  }

  get latest(): State {
    return this.history.at(-1)?.state ?? new Map();
  }

  /** Gives the object these labels, or none to delete it. */
  async write({ space, name }: { space: string; name: string }, labels?: Record<string, string>) {
    const maps = `/api/v1/namespaces/${space}/configmaps`;
    const at = `${space}/${name}`;
    const state = new Map(this.latest);
    if (!labels) {
      if (!state.delete(at)) return;
      await this.#api.ask("DELETE", `${maps}/${name}`);
      const list = await this.#api.ask("GET", maps);
      this.history.push({ revision: revisionOf(list), state });
      return;
    }
    const metadata = { name, namespace: space, labels };
    const object = state.has(at)
      ? await this.#api.ask("PUT", `${maps}/${name}`, { metadata })
      : await this.#api.ask("POST", maps, { metadata });
    if (revisionOf(object) <= (this.history.at(-1)?.revision ?? 0)) return;
    this.history.push({ revision: revisionOf(object), state: state.set(at, object) });
  }
}

function revisionOf({ metadata }: AnyObject): number {
  return Number(metadata["resourceVersion"]);
}

/** A client that knows what it listed and what it was told since. */
class Follower {
  readonly known = new Map<string, AnyObject>();
  readonly problems: string[] = [];
  readonly #path: string;
  readonly #query: string;
  readonly #plan: FollowerPlan;
  #revision = 0;

  constructor(plan: FollowerPlan) {
    this.#plan = plan;
    this.#path = `/api/v1${plan.scope && `/namespaces/${plan.scope}`}/configmaps`;
    this.#query = plan.selectors.map(({ query }) => `${query}&`).join("");
  }

  /** The part of a state that it is interested in, in the order of keys. */
  partOf(state: State): [string, AnyObject][] {
    const { scope, selectors } = this.#plan;
    const part = [...state].filter(([, { metadata }]) => {
      const { name, namespace, labels } = metadata as Record<string, string>;
      if (scope && namespace !== scope) return false;
      const of = (labels ?? {}) as unknown as Record<string, string>;
      return selectors.every(({ selects }) => selects(of, name ?? "", namespace ?? ""));
    });
    return part.sort(([a], [b]) => (a < b ? -1 : 1));
  }

  async begin(api: ServerFixture, history: Writer["history"]): Promise<Disposable> {
    const { how, resumes } = this.#plan;
    const at = Math.floor(resumes * (history.length - 1));
    const from = how === "resumed" ? history[at] : history.at(-1);
    assert.ok(from);
    const { revision, state } = from;
    if (how !== "initial events") {
      const exact = `resourceVersion=${revision}&resourceVersionMatch=Exact`;
      const items = await this.#list(api, how === "pages" ? "limit=1" : exact);
      const part = this.partOf(state);
      assert.deepEqual(
        items,
        part.map(([, object]) => object),
      );
      for (const [at, object] of part) this.known.set(at, object);
    }
    this.#revision = how === "initial events" ? 0 : revision;
    const begin =
      how === "initial events"
        ? "sendInitialEvents=true&resourceVersionMatch=NotOlderThan"
        : `resourceVersion=${revision}`;
    const path = `${this.#path}?${this.#query}${begin}&allowWatchBookmarks=true`;
    return api.transport.watch(
      { method: "GET", path },
      {
        event: (type, object) => this.#see(type, object as AnyObject),
        closed: (error) => {
          if (error) this.problems.push((error as Error).message);
        },
      },
    );
  }

  async #list(api: ServerFixture, query: string): Promise<AnyObject[]> {
    const items: AnyObject[] = [];
    let more = "";
    do {
      const list = await api.ask("GET", `${this.#path}?${this.#query}${query}${more}`);
      items.push(...(list["items"] as AnyObject[]));
      const token = list.metadata["continue"] as string | undefined;
      more = token ? `&continue=${token}` : "";
    } while (more);
    return items;
  }

  #see(type: string, object: AnyObject): void {
    const { name, namespace } = object.metadata;
    const at = `${namespace as string}/${name as string}`;
    const revision = revisionOf(object);
    if (type === "BOOKMARK") {
      if (revision < this.#revision) this.problems.push(`a bookmark goes back to ${revision}`);
      return;
    }
    // The state with which it begins comes in the order of keys.
    const isState = this.#plan.how === "initial events" && type === "ADDED";
    if (revision <= this.#revision && !isState) this.problems.push(`${at} late: ${revision}`);
    if (this.known.has(at) === (type === "ADDED")) this.problems.push(`${type} of ${at}`);
    this.#revision = Math.max(this.#revision, revision);
    if (type === "DELETED") this.known.delete(at);
    else this.known.set(at, object);
  }
}

test("list and watch equal the state, whatever is selected, wherever they resume", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(write, { minLength: 10, maxLength: 40 }),
      fc.array(follower, { minLength: 4, maxLength: 10 }),
      async (writes, plans) => {
        await using api = await startServer();
        await using watches = new Cleanup();
        const writer = new Writer(api, await api.store.revision());
        const followers = plans.map((plan) => ({ plan, one: new Follower(plan) }));
        for (let at = 0; at <= writes.length; at++) {
          for (const { plan, one } of followers) {
            if (Math.floor(plan.begins * writes.length) !== at) continue;
            watches.use(await one.begin(api, writer.history));
          }
          const next = writes[at];
          if (next) await writer.write(next.key, next.labels);
        }
        await api.clock.advance(BOOKMARKS_MS);
        await settle();
        for (const { one } of followers) {
          assert.deepEqual(one.problems, []);
          const known = [...one.known].sort(([a], [b]) => (a < b ? -1 : 1));
          assert.deepEqual(known, one.partOf(writer.latest));
        }
      },
    ),
    { numRuns: 40 },
  );
});
