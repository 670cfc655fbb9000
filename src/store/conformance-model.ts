import assert from "node:assert/strict";
import fc from "fast-check";
import { isStoreError } from "./errors.ts";
import type { Store, StoreEvent } from "./store.ts";

interface Write {
  kind: "create" | "update" | "delete";
  resource: string;
  key: string;
  /** Names a revision that is not the current one. */
  stale: boolean;
}

type Operation =
  | Write
  | { kind: "burst"; resource: string; keys: string[] }
  | { kind: "watch"; resource: string; back: number }
  | { kind: "compact"; back: number };

type State = Map<string, { text: string; revision: number; createRevision: number }>;

interface Watch {
  resource: string;
  from: number;
  seen: StoreEvent[];
}

const resource = fc.constantFrom("core/pods", "apps/pods");
const key = fc.constantFrom("a", "a/a", "a/b", "b/a", "b/c", "c");
const back = fc.nat({ max: 30 });

const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constantFrom("create" as const, "update" as const, "delete" as const),
      resource,
      key,
      stale: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("burst" as const),
      resource,
      keys: fc.array(key, { minLength: 2, maxLength: 8 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("watch" as const), resource, back }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("compact" as const), back }) },
);

/** Runs random operations against a store and against plain maps, and compares all they show. */
export async function checkAgainstModel(open: () => Promise<Store>, runs: number): Promise<void> {
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { maxLength: 60 }), async (operations) => {
      await using store = await open();
      const model = new Model(store);
      for (const step of operations) await model.apply(step);
      await model.compare();
    }),
    { numRuns: runs },
  );
}

class Model {
  readonly #store: Store;
  /** State of both resources ("resource key" to value) as of each revision. */
  readonly #states = new Map<number, State>([[0, new Map()]]);
  readonly #events: (StoreEvent & { resource: string })[] = [];
  readonly #watches: Watch[] = [];
  #revision = 0;
  #compacted = 0;
  #text = 0;

  constructor(store: Store) {
    this.#store = store;
  }

  async apply(step: Operation): Promise<void> {
    switch (step.kind) {
      case "burst":
        return this.#burst(step.resource, step.keys);
      case "watch":
        return this.#watch(step.resource, Math.max(0, this.#revision - step.back));
      case "compact":
        return this.#compact(Math.max(0, this.#revision - step.back));
      default:
        return this.#write(step);
    }
  }

  async compare(): Promise<void> {
    assert.equal(await this.#store.revision(), this.#revision);
    for (const [revision, state] of this.#states) {
      if (revision === 0) continue;
      for (const name of ["core/pods", "apps/pods"]) await this.#compareList(name, revision, state);
    }
    for (const { resource: name, from, seen } of this.#watches) {
      const wanted = this.#events.filter(
        (event) => event.resource === name && event.revision > from,
      );
      assert.deepEqual(
        seen.map(describeEvent),
        wanted.map((event) => describeEvent(event)),
      );
    }
    const live = new Set(
      [...(this.#states.get(this.#revision) ?? new Map()).keys()].map(resourceOf),
    );
    assert.deepEqual(new Set(await this.#store.resources()), live);
  }

  async #compareList(name: string, revision: number, state: State): Promise<void> {
    const listing = this.#store.list(name, { revision, prefix: "a" });
    if (revision < this.#compacted) {
      await assert.rejects(listing, (error) => isStoreError(error, "compacted"));
      return;
    }
    const wanted = [...state]
      .filter(([slot]) => slot.startsWith(`${name} a`))
      .map(([slot, value]) => ({ key: slot.split(" ")[1], ...value }))
      .sort((a, b) => ((a.key ?? "") < (b.key ?? "") ? -1 : 1));
    const { items } = await listing;
    const found = items.map(({ bytes, ...rest }) => ({ text: textOf(bytes), ...rest }));
    assert.deepEqual(found, wanted);
  }

  async #write({ kind, resource: name, key: at, stale }: Write): Promise<void> {
    const current = this.#current(name, at);
    const expected = (current?.revision ?? 0) + (stale ? 1 : 0);
    const text = `${this.#text++}`;
    const wanted = refusalOf(kind, current, stale);
    try {
      const written = await this.#send(kind, { name, at, text, expected });
      assert.equal(wanted, undefined, `${kind} should have been refused`);
      this.#record(name, { kind, at, text, revision: written.revision });
    } catch (error) {
      assert.ok(wanted && isStoreError(error, wanted), `${kind}: ${error}`);
    }
  }

  #send(
    kind: string,
    { name, at, text, expected }: { name: string; at: string; text: string; expected: number },
  ): Promise<{ revision: number }> {
    const bytes = Buffer.from(text);
    if (kind === "create") return this.#store.create(name, at, bytes);
    if (kind === "delete") return this.#store.delete(name, at, expected);
    return this.#store.update(name, at, { bytes, expectedRevision: expected });
  }

  /** Read-modify-writes at once, as the API server does them. */
  async #burst(name: string, keys: string[]): Promise<void> {
    const done = keys.map(async (at) => {
      const text = `${this.#text++}`;
      const current = await this.#store.getForUpdate(name, at);
      const kind = current ? "update" : "create";
      const expected = current?.revision ?? 0;
      try {
        const { revision } = await this.#send(kind, { name, at, text, expected });
        return { kind, at, text, revision };
      } catch (error) {
        assert.ok(isStoreError(error, "conflict") || isStoreError(error, "exists"), `${error}`);
        return undefined;
      }
    });
    const writes = (await Promise.all(done)).filter((write) => write !== undefined);
    for (const write of writes.sort((a, b) => a.revision - b.revision)) this.#record(name, write);
  }

  async #watch(name: string, from: number): Promise<void> {
    if (from === 0) return;
    const watch: Watch = { resource: name, from, seen: [] };
    const opening = this.#store.watch(name, from, (events) => watch.seen.push(...events));
    if (from < this.#compacted) {
      await assert.rejects(opening, (error) => isStoreError(error, "compacted"));
      return;
    }
    await opening;
    this.#watches.push(watch);
  }

  async #compact(revision: number): Promise<void> {
    await this.#store.compact(revision);
    this.#compacted = Math.max(this.#compacted, revision);
  }

  #current(name: string, at: string): { revision: number } | undefined {
    return this.#states.get(this.#revision)?.get(`${name} ${at}`);
  }

  #record(
    name: string,
    { kind, at, text, revision }: { kind: string; at: string; text: string; revision: number },
  ): void {
    assert.ok(revision > this.#revision);
    const state: State = new Map(this.#states.get(this.#revision));
    const slot = `${name} ${at}`;
    const before = state.get(slot);
    const createRevision = before?.createRevision ?? revision;
    if (kind === "delete") state.delete(slot);
    else state.set(slot, { text, revision, createRevision });
    this.#states.set(revision, state);
    this.#revision = revision;
    const removed = kind === "delete";
    const event = { resource: name, key: at, revision, createRevision };
    this.#events.push(
      removed ? { ...event, type: "delete" } : { ...event, type: "put", bytes: Buffer.from(text) },
    );
  }
}

function refusalOf(
  kind: string,
  current: object | undefined,
  stale: boolean,
): "exists" | "not-found" | "conflict" | undefined {
  if (kind === "create") return current ? "exists" : undefined;
  if (!current) return "not-found";
  return stale ? "conflict" : undefined;
}

function describeEvent(event: StoreEvent): string {
  const { type, key: at, revision, createRevision, bytes } = event;
  return `${revision} ${type} ${at} (created ${createRevision}) ${textOf(bytes)}`;
}

function resourceOf(slot: string): string {
  return slot.split(" ")[0] ?? "";
}

function textOf(bytes: Uint8Array | undefined): string {
  return Buffer.from(bytes ?? []).toString();
}
