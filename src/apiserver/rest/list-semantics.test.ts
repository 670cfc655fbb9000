import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { StatusError } from "../../api/errors.ts";
import { settle } from "../../lib/virtual-clock.ts";
import { type AnyObject, type ServerFixture, startServer } from "../api-server-fixture.ts";

const MAPS = "/api/v1/namespaces/default/configmaps";

/** What an answer is compared by: names of a page and what it says about itself, or the refusal. */
type Outcome = [names: string, about?: string] | [code: number, reason: string, message: string];

/** Revisions by name, so that expectations can speak of them. */
interface Scene {
  api: ServerFixture;
  /** `$a` to `$d`: creation of that map; `$now`: the newest; `$later`: not reached yet. */
  revisions: Readonly<Record<string, number>>;
}

async function setUp(): Promise<Scene> {
  const api = await startServer();
  const revisions: Record<string, number> = {};
  for (const name of ["a", "b", "c", "d"]) {
    const labels = { odd: name === "a" || name === "c" ? "yes" : "no" };
    const { metadata } = await api.ask("POST", MAPS, { metadata: { name, labels } });
    revisions[`$${name}`] = Number(metadata["resourceVersion"]);
  }
  revisions["$now"] = await api.store.revision();
  revisions["$later"] = revisions["$now"] + 1_000;
  return { api, revisions };
}

function token(value: object | string): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return Buffer.from(text).toString("base64url");
}

function named(text: string, { revisions }: Scene): string {
  return Object.entries(revisions).reduce((so, [name, at]) => so.replaceAll(name, `${at}`), text);
}

/** `continue` as "rv:start", the revision by its name. */
function aboutOf(list: AnyObject, { revisions }: Scene): string {
  const { resourceVersion, remainingItemCount } = list.metadata;
  const nameOf = (at: unknown) =>
    Object.entries(revisions).findLast(([, revision]) => `${revision}` === `${at}`)?.[0] ?? `${at}`;
  const parts = [`at ${nameOf(resourceVersion)}`];
  if (list.metadata["continue"]) {
    const text = Buffer.from(list.metadata["continue"] as string, "base64url").toString();
    const { rv, start } = JSON.parse(text) as { rv: number; start: string };
    parts.push(`more from ${start.replace("\0", "+")} at ${nameOf(rv)}`);
  }
  if (remainingItemCount !== undefined) parts.push(`${remainingItemCount as number} left`);
  return parts.join(", ");
}

async function ask(scene: Scene, query: string): Promise<Outcome> {
  try {
    const list = await scene.api.ask("GET", `${MAPS}${named(query, scene)}`);
    const names = (list["items"] as AnyObject[]).map(({ metadata }) => metadata["name"]);
    return [names.join(""), aboutOf(list, scene)];
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    return [error.code, error.reason, error.message];
  }
}

const invalid = (text: string): Outcome => [
  422,
  "Invalid",
  `ListOptions.meta.k8s.io "" is invalid: ${text}`,
];
const bad = (text: string): Outcome => [400, "BadRequest", text];
const badToken = (text: string): Outcome => bad(`invalid continue token: continue key is ${text}`);
const NEEDS_VERSION =
  "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided";

/** Compared with kube-apiserver 1.20; where 1.32 or this server differs a comment says so. */
const CASES: readonly [query: string, outcome: Outcome][] = [
  ["", ["abcd", "at $now"]],
  ["?resourceVersion=0", ["abcd", "at $now"]],
  ["?resourceVersion=$b", ["abcd", "at $now"]],
  ["?limit=2", ["ab", "at $now, more from b+ at $now, 2 left"]],
  ["?limit=4", ["abcd", "at $now"]],
  ["?limit=9", ["abcd", "at $now"]],
  ["?limit=0", ["abcd", "at $now"]],
  ["?limit=-1", ["abcd", "at $now"]],
  // Upstream gives all from its cache; nothing forbids to keep the limit.
  ["?limit=2&resourceVersion=0", ["ab", "at $now, more from b+ at $now, 2 left"]],
  ["?limit=1&resourceVersion=$b", ["a", "at $b, more from a+ at $b, 1 left"]],
  ["?limit=2&resourceVersion=$b", ["ab", "at $b"]],
  ["?resourceVersionMatch=Exact&resourceVersion=$b", ["ab", "at $b"]],
  [
    "?resourceVersionMatch=Exact&resourceVersion=$c&limit=2",
    ["ab", "at $c, more from b+ at $c, 1 left"],
  ],
  ["?resourceVersionMatch=NotOlderThan&resourceVersion=$b", ["abcd", "at $now"]],
  ["?resourceVersionMatch=NotOlderThan&resourceVersion=0", ["abcd", "at $now"]],
  [
    "?resourceVersionMatch=NotOlderThan&resourceVersion=$b&limit=2",
    ["ab", "at $now, more from b+ at $now, 2 left"],
  ],
  ["?labelSelector=odd%3Dyes&limit=1", ["a", "at $now, more from a+ at $now"]],
  ["?labelSelector=odd%3Dyes&limit=2", ["ac", "at $now"]],
  ["?labelSelector=odd%3Dyes&resourceVersionMatch=Exact&resourceVersion=$b", ["a", "at $b"]],
  ["?fieldSelector=metadata.name%3Db&limit=1", ["b", "at $now"]],
  ["?fieldSelector=metadata.name%3Dd&resourceVersionMatch=Exact&resourceVersion=$b", ["", "at $b"]],
  ["?fieldSelector=metadata.name!%3Db", ["acd", "at $now"]],

  ["?resourceVersionMatch=Exact", invalid(NEEDS_VERSION)],
  ["?resourceVersionMatch=NotOlderThan", invalid(NEEDS_VERSION)],
  [
    "?resourceVersionMatch=Exact&resourceVersion=0",
    invalid(
      'resourceVersionMatch: Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0"',
    ),
  ],
  [
    "?resourceVersionMatch=Other&resourceVersion=1",
    invalid(
      'resourceVersionMatch: Unsupported value: "Other": supported values: "Exact", "NotOlderThan", ""',
    ),
  ],
  [
    "?resourceVersionMatch=Other",
    invalid(
      `[${NEEDS_VERSION}, resourceVersionMatch: Unsupported value: "Other": ` +
        'supported values: "Exact", "NotOlderThan", ""]',
    ),
  ],
  // 1.20 does not know the parameter.
  [
    "?sendInitialEvents=true",
    invalid("sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list"),
  ],
  // Upstream answers 500 to both, without a reason.
  ...["abc", "-1"].map((text): [string, Outcome] => [
    `?resourceVersion=${text}`,
    bad(
      `resourceVersion: Invalid value: "${text}": strconv.ParseUint: parsing "${text}": invalid syntax`,
    ),
  ]),
  ["?limit=abc", bad('strconv.ParseInt: parsing "abc": invalid syntax')],
  ["?limit=", bad('strconv.ParseInt: parsing "": invalid syntax')],
  [
    "?limit=99999999999999999999",
    bad('strconv.ParseInt: parsing "99999999999999999999": value out of range'),
  ],
  ["?timeoutSeconds=soon", bad('strconv.ParseInt: parsing "soon": invalid syntax')],
  [
    "?fieldSelector=spec.x%3D1",
    bad('"spec.x" is not a known field selector: only "metadata.name", "metadata.namespace"'),
  ],

  [`?continue=${token({ v: "meta.k8s.io/v1", rv: -1, start: "c\0" })}`, ["d", "at $now"]],
  [
    `?continue=${token({ v: "meta.k8s.io/v1", rv: -1, start: "b" })}&limit=1&resourceVersion=0`,
    ["b", "at $now, more from b+ at $now, 2 left"],
  ],
  [
    `?continue=${token({ v: "meta.k8s.io/v1", rv: -1, start: "b" })}&resourceVersion=$a`,
    bad("specifying resource version is not allowed when using continue"),
  ],
  [
    `?continue=${token("{}")}&resourceVersionMatch=Exact&resourceVersion=1`,
    invalid(
      "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden when continue is provided",
    ),
  ],
  ["?continue=!!", badToken("not valid: illegal base64 data")],
  [
    `?continue=${token({ v: "other", rv: 1, start: "a" })}`,
    badToken('not valid: server does not recognize this encoded version "other"'),
  ],
  [
    `?continue=${token({ v: "meta.k8s.io/v1", rv: 0, start: "a" })}`,
    badToken("not valid: incorrect encoded start resourceVersion (version meta.k8s.io/v1)"),
  ],
  [
    `?continue=${token({ v: "meta.k8s.io/v1", rv: 1, start: "" })}`,
    badToken("not valid: encoded start key empty (version meta.k8s.io/v1)"),
  ],
  ...["../other/a", "a/", "a//b", "./a"].map((start): [string, Outcome] => [
    `?continue=${token({ v: "meta.k8s.io/v1", rv: 1, start })}`,
    badToken(`not valid: ${start}`),
  ]),
];

describe("which state a list shows, and how it refuses", () => {
  let scene: Scene;
  before(async () => {
    scene = await setUp();
  });
  after(() => scene.api[Symbol.asyncDispose]());
  for (const [query, outcome] of CASES) {
    test(query || "no parameters", async () => {
      assert.deepEqual(await ask(scene, query), outcome);
    });
  }
});

/** A scene whose test ends it. */
async function openScene(): Promise<Scene & AsyncDisposable> {
  const scene = await setUp();
  return { ...scene, [Symbol.asyncDispose]: () => scene.api[Symbol.asyncDispose]() };
}

async function firstPage({ api }: Scene, path = MAPS): Promise<string> {
  const { metadata } = await api.ask("GET", `${path}?limit=2`);
  return metadata["continue"] as string;
}

/** Deletes, changes and adds objects on both sides of where the first page ended. */
async function disturb({ api }: Scene): Promise<void> {
  await api.ask("DELETE", `${MAPS}/c`);
  const body = { data: { changed: "yes" } };
  await api.patch(`${MAPS}/d`, { body, type: "merge-patch+json" });
  for (const name of ["aa", "cc", "e"]) await api.ask("POST", MAPS, { metadata: { name } });
}

test("all pages of a list show the state of the first, whatever is written between them", async () => {
  await using scene = await openScene();
  const more = await firstPage(scene);
  await disturb(scene);
  assert.deepEqual(await ask(scene, `?continue=${more}&limit=1`), [
    "c",
    "at $now, more from c+ at $now, 1 left",
  ]);
  const { items } = await scene.api.ask("GET", `${MAPS}?continue=${more}`);
  const [c, d] = items as AnyObject[];
  assert.deepEqual([c?.metadata["name"], d?.metadata["name"]], ["c", "d"]);
  assert.equal(d?.["data"], undefined);
  assert.equal(d?.metadata["resourceVersion"], String(scene.revisions["$d"]));
});

test("pages come from the store when the recent history does not reach back", async () => {
  await using scene = await openScene();
  const more = await firstPage(scene);
  await disturb(scene);
  await using restarted = await startServer({ store: scene.api.store });
  const later = { ...scene, api: restarted };
  assert.deepEqual(await ask(later, `?continue=${more}&limit=1`), [
    "c",
    "at $now, more from c+ at $now, 1 left",
  ]);
  assert.deepEqual(await ask(later, `?continue=${more}`), ["cd", "at $now"]);
  assert.deepEqual(await ask(later, "?resourceVersionMatch=Exact&resourceVersion=$c&limit=1"), [
    "a",
    "at $c, more from a+ at $c, 2 left",
  ]);
});

test("a list that outlived its history is told so, and may go on in the newest state", async () => {
  await using scene = await openScene();
  const { api } = scene;
  const more = await firstPage(scene);
  await disturb(scene);
  await api.store.compact(await api.store.revision());
  const refusal = await api.ask("GET", `${MAPS}?continue=${more}&limit=2`).then(
    () => assert.fail("it went on"),
    (error: StatusError) => error.status,
  );
  assert.equal(refusal.code, 410);
  assert.equal(refusal.reason, "Expired");
  assert.match(refusal.message ?? "", /too old to display a consistent list.*inconsistent list/);
  const inconsistent = (refusal.metadata as { continue: string }).continue;
  const point = JSON.parse(Buffer.from(inconsistent, "base64url").toString()) as object;
  assert.deepEqual(point, { v: "meta.k8s.io/v1", rv: -1, start: "b\0" });
  const [names, about] = await ask(scene, `?continue=${inconsistent}&limit=2`);
  assert.equal(names, "ccd");
  assert.match(String(about), /^at \d+, more from d\+ at \d+, 1 left$/);
  assert.deepEqual(await ask(scene, "?resourceVersionMatch=Exact&resourceVersion=$a"), [
    410,
    "Expired",
    "The resourceVersion for the provided list is too old.",
  ]);
});

test("a token leads out of no namespace", async () => {
  await using scene = await openScene();
  const { api } = scene;
  const maps = "/api/v1/namespaces/other/configmaps";
  for (const name of ["x", "y", "z"]) await api.ask("POST", maps, { metadata: { name } });
  const whole = await firstPage(scene, "/api/v1/configmaps");
  assert.match(Buffer.from(whole, "base64url").toString(), /"start":"default\/b\\u0000"/);
  const rest = await api.ask("GET", `/api/v1/configmaps?continue=${whole}`);
  const names = (rest["items"] as AnyObject[]).map(({ metadata }) => metadata["name"]);
  assert.deepEqual(names, ["c", "d", "x", "y", "z"]);
  const inOther = await api.ask("GET", `${maps}?continue=${await firstPage(scene)}`);
  const found = (inOther["items"] as AnyObject[]).map(({ metadata }) => metadata["namespace"]);
  assert.deepEqual(found, ["other", "other", "other"]);
});

test("a version not reached yet is waited for, three seconds long", async () => {
  await using scene = await openScene();
  const { api } = scene;
  const soon = scene.revisions["$now"]! + 1;
  const waiting = api.ask("GET", `${MAPS}?resourceVersion=${soon}`);
  await settle();
  await api.ask("POST", MAPS, { metadata: { name: "e" } });
  assert.equal(((await waiting)["items"] as unknown[]).length, 5);
  for (const query of ["", "&resourceVersionMatch=Exact", "&limit=1"]) {
    const refused = api.ask("GET", `${MAPS}?resourceVersion=9999${query}`).then(
      () => assert.fail("it answered"),
      (error: StatusError) => error,
    );
    await settle();
    await api.clock.advance(3_000);
    const { status, message } = await refused;
    assert.equal(status.code, 504);
    assert.equal(message, `Timeout: Too large resource version: 9999, current: ${soon}`);
    assert.deepEqual(status.details, {
      causes: [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }],
      retryAfterSeconds: 1,
    });
  }
});
