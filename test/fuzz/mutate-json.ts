import { copyJson } from "../../src/lib/json-copy.ts";
import type { Random } from "../../src/lib/random.ts";
import { below, pick } from "./mutate-bytes.ts";

type Json = Record<string, unknown>;

/** Where values tend to go wrong. Made anew each time, as the caller may change them. */
const SCALARS: readonly (() => unknown)[] = [
  () => null,
  () => "",
  () => "x".repeat(300),
  () => "\u0000\ud800é😀",
  () => "__proto__",
  () => 0,
  () => -1,
  () => 1.5,
  () => 2 ** 31,
  () => Number.MAX_SAFE_INTEGER,
  () => 1e308,
  () => true,
  () => false,
  () => [],
  () => ({}),
  () => [null],
  () => ({ a: null }),
  () => JSON.parse('{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":1}}}'),
  () => deep(60),
];

function deep(levels: number): unknown {
  let value: unknown = {};
  for (let level = 0; level < levels; level++) value = level % 2 ? [value] : { a: value };
  return value;
}

/** A place within a value: the object or list, and the key or index. */
interface Place {
  holder: Json | unknown[];
  key: string;
}

function placesOf(value: unknown, found: Place[] = []): Place[] {
  if (typeof value !== "object" || value === null) return found;
  for (const [key, inner] of Object.entries(value)) {
    found.push({ holder: value as Json, key });
    placesOf(inner, found);
  }
  return found;
}

function put({ holder, key }: Place, value: unknown): void {
  Object.defineProperty(holder, key, {
    value,
    enumerable: true,
    writable: true,
    configurable: true,
  });
}

function remove({ holder, key }: Place): void {
  if (Array.isArray(holder)) holder.splice(Number(key), 1);
  else delete holder[key];
}

function read({ holder, key }: Place): unknown {
  return (holder as Json)[key];
}

type Mutation = (place: Place, of: { random: Random; others: readonly Place[] }) => void;

const MUTATIONS: readonly Mutation[] = [
  (place, { random }) => put(place, pick(random, SCALARS)()),
  (place, { random }) => put(place, pick(random, SCALARS)()),
  (place) => remove(place),
  // Half of another value of the same place, or of any.
  (place, { random, others }) => {
    const same = others.filter(({ key }) => key === place.key);
    put(place, copyJson(read(pick(random, same.length > 0 ? same : others))));
  },
  (place, { random, others }) => put(place, copyJson(read(pick(random, others)))),
  (place, { random, others }) => {
    const { key } = pick(random, others);
    if (Array.isArray(place.holder)) place.holder.push(copyJson(read(place)));
    else put({ holder: place.holder, key }, copyJson(read(place)));
  },
  (place, { random }) => {
    const key = pick(random, ["__proto__", "constructor", "$patch", "", "a/b~c", "toString"]);
    if (!Array.isArray(place.holder)) put({ holder: place.holder, key }, read(place));
  },
  (place) => put(place, [read(place)]),
  (place, { random }) => {
    const value = read(place);
    if (typeof value !== "string") return;
    const at = below(random, value.length + 1);
    const added = String.fromCharCode(below(random, 128));
    put(place, value.slice(0, at) + added + value.slice(at + below(random, 2)));
  },
];

/** A value near one of the corpus. */
export function mutateJson(corpus: readonly unknown[], random: Random): unknown {
  const root = [copyJson(pick(random, corpus))];
  const others = placesOf(pick(random, corpus));
  const count = 1 + below(random, 4);
  for (let turn = 0; turn < count; turn++) {
    // The root itself changes seldom, as little is left to find then.
    const places = placesOf(root).slice(random.float() < 0.02 ? 0 : 1);
    if (places.length === 0 || others.length === 0) break;
    pick(random, MUTATIONS)(pick(random, places), { random, others });
  }
  return root[0];
}
