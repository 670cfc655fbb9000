import assert from "node:assert/strict";
import { test } from "node:test";
import { startHttpsServer } from "../api-server-fixture.ts";

const MAPS = "/api/v1/namespaces/default/configmaps";
const HEAD = "the object provided is unrecognized (must be of type ConfigMap): ";
const PARSE = `${HEAD}couldn't get version/kind; json parse error: `;
const HEADER =
  'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; ' +
  'Kind string "json:\\"kind,omitempty\\"" }';

test("a body that is no object is refused with its beginning", async () => {
  await using api = await startHttpsServer(Date.now());
  const long = `{"metadata":{"labels":{"a":"b"}}`;
  const cases: [body: string, message: string][] = [
    ["", `${PARSE}unexpected end of JSON input (<empty>)`],
    ["{", `${PARSE}unexpected end of JSON input ({)`],
    [long, `${PARSE}unexpected end of JSON input (${long.slice(0, 30)} ...)`],
    ["[]", `${PARSE}json: cannot unmarshal array into Go value of type ${HEADER} (5b5d)`],
    [
      '{"kind":[]}',
      `${PARSE}json: cannot unmarshal array into Go struct field .kind of type string ({"kind":[]})`,
    ],
    [
      '{"apiVersion":"a/b/c"}',
      `${HEAD}unexpected GroupVersion string: a/b/c ({"apiVersion":"a/b/c"})`,
    ],
  ];
  for (const [body, message] of cases) {
    const headers = { "content-type": "application/json" };
    const answer = await api.http(MAPS, { method: "POST", body, headers });
    assert.equal((JSON.parse(answer.text) as { message: string }).message, message);
  }
});

test("what is to be patched is looked for before the patch is read", async () => {
  await using api = await startHttpsServer(Date.now());
  const body = "{";
  for (const type of ["merge-patch", "strategic-merge-patch", "json-patch"]) {
    const headers = { "content-type": `application/${type}+json` };
    const answer = await api.http(`${MAPS}/nope`, { method: "PATCH", body, headers });
    assert.equal(answer.status, 404);
  }
  const headers = { "content-type": "application/apply-patch+yaml" };
  const path = `${MAPS}/nope?fieldManager=a`;
  assert.equal((await api.http(path, { method: "PATCH", body, headers })).status, 400);
});

test("a watch from any state does not continue a list", async () => {
  await using api = await startHttpsServer(Date.now());
  for (const query of ["", "&resourceVersion=0"]) {
    const answer = await api.http(`${MAPS}?watch=true&continue=a&timeoutSeconds=1${query}`);
    assert.equal(answer.status, 422);
    assert.match(answer.text, /resourceVersionMatch is forbidden when continue is provided/);
  }
});
