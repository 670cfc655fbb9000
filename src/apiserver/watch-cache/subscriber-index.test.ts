import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { encodeCanonical, spliceResourceVersion } from "../../format/json-canonical.ts";
import { CacheEvent } from "./cache-event.ts";
import { type AttributesOf, CachedObject } from "./cached-object.ts";
import type { Pin } from "./pin.ts";
import { valueAt } from "./pin.ts";
import { Selection } from "./selection.ts";
import { type Subscriber, SubscriberIndex } from "./subscriber-index.ts";

const attributesOf: AttributesOf = ({ metadata, spec }) => ({
  labels: metadata.labels ?? {},
  fields: { "spec.nodeName": (spec as { nodeName?: string } | undefined)?.nodeName ?? "" },
});

interface State {
  node: string;
  app: string | undefined;
}

function objectOf(key: string, revision: number, { node, app }: State): CachedObject {
  const metadata = { name: key, labels: app === undefined ? {} : { app } };
  const object = { kind: "Pod", apiVersion: "v1", metadata, spec: { nodeName: node } };
  const bytes = spliceResourceVersion(encodeCanonical(object), revision);
  return new CachedObject(key, revision, bytes);
}

function selectionOf(prefix: string, of: { key?: string | undefined; pins: Pin[] }): Selection {
  return new Selection({
    prefix,
    key: of.key,
    pins: of.pins,
    matcher: (attributes) => of.pins.every((pin) => valueAt(attributes, pin) === pin.value),
    attributesOf,
  });
}

const onNode = (value: string): Pin => ({ of: "fields", name: "spec.nodeName", value });
const withApp = (value: string): Pin => ({ of: "labels", name: "app", value });

function subscriberNamed(name: string, names: string[]): Subscriber {
  return { deliver: () => names.push(name), ended: () => {} };
}

const stateArb: fc.Arbitrary<State> = fc.record({
  node: fc.constantFrom("", "n1", "n2"),
  app: fc.constantFrom(undefined, "", "a", "b"),
});
const selectionArb = fc
  .record({
    prefix: fc.constantFrom("", "ns1/", "ns2/"),
    key: fc.constantFrom(undefined, undefined, "ns1/x"),
    pins: fc.array(
      fc.constantFrom(onNode(""), onNode("n1"), onNode("n2"), withApp("a"), withApp("")),
      { maxLength: 2 },
    ),
  })
  .map(({ prefix, key, pins }) => selectionOf(prefix, { key, pins }));

test("whoever sees an event is visited, and nobody twice", () => {
  fc.assert(
    fc.property(
      fc.array(selectionArb, { maxLength: 8 }),
      fc.constantFrom("ns1/x", "ns1/y", "ns2/x"),
      fc.option(stateArb, { nil: undefined }),
      stateArb,
      fc.boolean(),
      (selections, key, before, after, removed) => {
        const index = new SubscriberIndex(attributesOf);
        const subscribers = selections.map((selection) => {
          const subscriber = subscriberNamed("", []);
          index.add(subscriber, selection);
          return subscriber;
        });
        const previous = before && objectOf(key, 1, before);
        const object = objectOf(key, 2, removed ? (before ?? after) : after);
        const event = new CacheEvent({ object, previous, removed, timeMs: 0 });
        const visited: Subscriber[] = [];
        index.visit(event, (subscriber) => visited.push(subscriber));
        assert.equal(new Set(visited).size, visited.length);
        for (const [at, selection] of selections.entries()) {
          if (!event.seenThrough(selection)) continue;
          assert.ok(visited.includes(subscribers[at] as Subscriber));
        }
      },
    ),
  );
});

test("of a thousand nodes only the two that a pod moves between look at it", () => {
  const index = new SubscriberIndex(attributesOf);
  const names: string[] = [];
  for (let i = 0; i < 1_000; i++) {
    const selection = selectionOf("", { pins: [onNode(`n${i}`)] });
    index.add(subscriberNamed(`n${i}`, names), selection);
  }
  index.add(subscriberNamed("all", names), undefined);
  const event = new CacheEvent({
    object: objectOf("ns/pod", 2, { node: "n2", app: undefined }),
    previous: objectOf("ns/pod", 1, { node: "n1", app: undefined }),
    removed: false,
    timeMs: 0,
  });
  index.visit(event, (subscriber) => subscriber.deliver(event));
  assert.deepEqual(names, ["all", "n2", "n1"]);
});

test("who has left is not visited, and leaves nothing behind", () => {
  const index = new SubscriberIndex(attributesOf);
  const names: string[] = [];
  const selections = [
    undefined,
    selectionOf("", { key: "ns/pod", pins: [] }),
    selectionOf("ns/", { pins: [] }),
    selectionOf("", { pins: [onNode("n1")] }),
    selectionOf("", { pins: [withApp("a")] }),
  ];
  const memberships = selections.map((selection) =>
    index.add(subscriberNamed("left", names), selection),
  );
  assert.equal([...index].length, 5);
  for (const membership of memberships) membership[Symbol.dispose]();
  const object = objectOf("ns/pod", 1, { node: "n1", app: "a" });
  const event = new CacheEvent({ object, previous: undefined, removed: false, timeMs: 0 });
  index.visit(event, (subscriber) => subscriber.deliver(event));
  assert.deepEqual(names, []);
  assert.equal([...index].length, 0);
});
