import assert from "node:assert/strict";
import { test } from "node:test";
import { type AnyObject, type HttpsFixture, startHttpsServer } from "../api-server-fixture.ts";

const DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments";
const MAPS = "/api/v1/namespaces/default/configmaps";

/** A Deployment, with more text at three places. */
function deploymentText({ spec = "", container = "" } = {}): string {
  return (
    '{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"d"},"spec":{' +
    `${spec}"selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},` +
    `"spec":{"containers":[{"name":"c","image":"i"${container}}]}}}}`
  );
}

const WRONG = {
  spec: '"unknown1":1,"unknownDupe":{"in":1,"in":2},"unknownDupe":2,"paused":true,"paused":false,',
  container: ',"unknownNested":1,"imagePullPolicy":"Always","imagePullPolicy":"Never"',
};
const CONTAINER = "spec.template.spec.containers[0]";

interface Sent {
  warnings: string[];
  status: AnyObject & { message: string; code: number };
}

async function send(
  api: HttpsFixture,
  path: string,
  of: { method: string; type: string; body: string },
): Promise<Sent> {
  const { method, type, body } = of;
  const answer = await api.http(path, { method, body, headers: { "content-type": type } });
  const header = String(answer.headers["warning"] ?? "");
  const warnings = [...header.matchAll(/299 - "((?:[^"\\]|\\.)*)"/g)].map(([, text = ""]) =>
    text.replace(/\\(.)/g, "$1"),
  );
  return { warnings, status: answer.json() as Sent["status"] };
}

/** Warnings by default, then the message and code when it is strict. */
async function both(
  api: HttpsFixture,
  path: string,
  of: { method: string; type: string; body: string },
): Promise<{ warnings: string[]; message: string; code: number }> {
  const at = `${path}${path.includes("?") ? "&" : "?"}dryRun=All`;
  const { warnings } = await send(api, at, of);
  const { status } = await send(api, `${at}&fieldValidation=Strict`, of);
  const ignored = await send(api, `${at}&fieldValidation=Ignore`, of);
  assert.deepEqual(ignored.warnings, []);
  return { warnings, message: status.message, code: status.code };
}

test("JSON is objected to in the order of its text, and not inside what is unknown", async () => {
  await using api = await startHttpsServer(Date.now());
  const body = deploymentText(WRONG);
  const found = await both(api, DEPLOYMENTS, { method: "POST", type: "application/json", body });
  assert.deepEqual(found.warnings, [
    'unknown field "spec.unknown1"',
    'unknown field "spec.unknownDupe"',
    'duplicate field "spec.paused"',
    `unknown field "${CONTAINER}.unknownNested"`,
    `duplicate field "${CONTAINER}.imagePullPolicy"`,
  ]);
  assert.equal(found.message, `strict decoding error: ${found.warnings.join(", ")}`);
  assert.equal(found.code, 400);
});

test("YAML is objected to by line, then by sorted fields", async () => {
  await using api = await startHttpsServer(Date.now());
  const body = [
    "kind: Deployment",
    "metadata: {name: d}",
    "spec:",
    "  unknown1: 1",
    "  paused: true",
    "  paused: false",
    "  selector: {matchLabels: {a: b}}",
    "  template:",
    "    metadata: {labels: {a: b}}",
    "    spec:",
    "      containers:",
    "      - name: c",
    "        image: i",
    "        unknownNested: 1",
    "        image: j",
  ].join("\n");
  const found = await both(api, DEPLOYMENTS, { method: "POST", type: "application/yaml", body });
  const lines = [
    'line 6: key "paused" already set in map',
    'line 15: key "image" already set in map',
  ];
  const fields = [`unknown field "${CONTAINER}.unknownNested"`, 'unknown field "spec.unknown1"'];
  assert.deepEqual(found.warnings, [...lines, ...fields]);
  assert.equal(
    found.message,
    `strict decoding error: yaml: unmarshal errors:\n  ${lines.join("\n  ")}, ${fields.join(", ")}`,
  );
});

test("a patch is objected to for its text, then for its result", async () => {
  await using api = await startHttpsServer(Date.now());
  await api.ask("POST", DEPLOYMENTS, JSON.parse(deploymentText()) as object);
  const patch = (type: string, body: string) =>
    both(api, `${DEPLOYMENTS}/d`, { method: "PATCH", type: `application/${type}`, body });
  for (const type of ["merge-patch+json", "strategic-merge-patch+json"]) {
    const found = await patch(
      type,
      '{"spec":{"zz":1,"paused":true,"paused":false,"replicas":0,"aa":2,"aa":3}}',
    );
    assert.deepEqual(found.warnings, [
      'duplicate field "spec.paused"',
      'duplicate field "spec.aa"',
      'unknown field "spec.aa"',
      'unknown field "spec.zz"',
    ]);
    assert.equal(found.code, 422);
    assert.match(
      found.message,
      /^ "" is invalid: patch: Invalid value: "(\{.*\}|map\[.*\])": strict/,
    );
    assert.ok(found.message.endsWith(found.warnings.join(", ")), found.message);
  }
  const found = await patch(
    "json-patch+json",
    '[{"op":"add","path":"/spec/unknown1","value":1,"foo":2},' +
      '{"op":"add","path":"/spec/unknown2","path":"/spec/unknown3","value":{"a":1,"a":2}}]',
  );
  assert.deepEqual(found.warnings, [
    'json patch unknown field "[0].foo"',
    'json patch duplicate field "[1].path"',
    'json patch duplicate field "[1].value.a"',
    'unknown field "spec.unknown1"',
    'unknown field "spec.unknown3"',
  ]);
});

test("what is applied is read as YAML, and may name no unknown field", async () => {
  await using api = await startHttpsServer(Date.now());
  const type = "application/apply-patch+yaml";
  const path = `${DEPLOYMENTS}/d?fieldManager=m`;
  const twice = deploymentText({ spec: '\n"paused":true,\n"paused":false,' });
  const found = await both(api, path, { method: "PATCH", type, body: twice });
  assert.deepEqual(found.warnings, ['line 3: key "paused" already set in map']);
  assert.equal(
    found.message,
    "error strict decoding patch: error converting YAML to JSON: yaml: unmarshal errors:\n" +
      '  line 3: key "paused" already set in map',
  );
  const body = deploymentText({ spec: '"unknown1":1,', container: ',"unknownNested":1' });
  const { status } = await send(api, path, { method: "PATCH", type, body });
  assert.equal(
    status.message,
    "failed to create typed patch object (/d; apps/v1, Kind=Deployment): errors:\n" +
      "  .spec.unknown1: field not declared in schema\n" +
      `  .${CONTAINER}.unknownNested: field not declared in schema`,
  );
});

test("no more than a hundred objections are told", async () => {
  await using api = await startHttpsServer(Date.now());
  const many = Array.from({ length: 150 }, (_, at) => `"f${at}":1`).join(",");
  const body = `{"metadata":{"name":"m"},${many}}`;
  const found = await both(api, MAPS, { method: "POST", type: "application/json", body });
  assert.equal(found.warnings.length, 100);
  assert.match(found.message, /unknown field "f99"$/);
});
