import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "../../lib/random.ts";
import { settle, VirtualClock } from "../../lib/virtual-clock.ts";
import { startHttpsServer, startServer } from "../api-server-fixture.ts";
import { splitPath } from "../request/query.ts";
import { parseTarget } from "../request/target.ts";
import { verbOf } from "../request/verb.ts";
import { AuditLog } from "./audit-log.ts";
import type { AdmissionPlugin } from "../contract.ts";
import { decide, defaultAuditPolicy, readAuditPolicy } from "./audit-policy.ts";

type Json = Record<string, unknown>;

const POLICY = { apiVersion: "audit.k8s.io/v1", kind: "Policy" };
const JANE = { name: "jane", groups: ["dev"] };

function subjectOf(method: string, path: string, user = JANE) {
  const { path: plain, query } = splitPath(path);
  const target = parseTarget(plain);
  const verb = target ? verbOf(method, target, query) : method.toLowerCase();
  return { user, verb, path: plain, target };
}

test("by default writes and connections are recorded, reads and heartbeats are not", () => {
  const policy = defaultAuditPolicy();
  const pods = "/api/v1/namespaces/a/pods";
  const cases: [string, string, string | undefined][] = [
    ["GET", pods, undefined],
    ["GET", `${pods}?watch=1`, undefined],
    ["POST", pods, "Metadata"],
    ["PATCH", `${pods}/p`, "Metadata"],
    ["DELETE", pods, "Metadata"],
    ["GET", `${pods}/p/exec?command=sh`, "Metadata"],
    ["GET", `${pods}/p/log`, undefined],
    ["GET", "/api/v1/nodes/n/proxy/logs", "Metadata"],
    ["POST", "/api/v1/namespaces/a/secrets", "Metadata"],
    ["POST", "/api/v1/namespaces/a/events", undefined],
    ["PUT", "/apis/coordination.k8s.io/v1/namespaces/a/leases/l", undefined],
    ["GET", "/healthz", undefined],
    ["POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", undefined],
  ];
  for (const [method, path, level] of cases) {
    assert.equal(decide(policy, subjectOf(method, path))?.level, level, `${method} ${path}`);
  }
});

test("the first rule that matches decides", () => {
  const policy = readAuditPolicy({
    ...POLICY,
    rules: [
      { level: "None", users: ["bot"] },
      { level: "Request", resources: [{ group: "", resources: ["pods/*"] }] },
      {
        level: "RequestResponse",
        resources: [{ group: "apps", resources: ["deployments"], resourceNames: ["web"] }],
        omitManagedFields: true,
      },
      { level: "Metadata", namespaces: ["kube-system"] },
      { level: "Metadata", nonResourceURLs: ["/metrics*"] },
      { level: "Request", userGroups: ["dev"], verbs: ["create"] },
    ],
  });
  const cases: [ReturnType<typeof subjectOf>, string | undefined][] = [
    [subjectOf("POST", "/api/v1/pods", { name: "bot", groups: ["dev"] }), undefined],
    [subjectOf("GET", "/api/v1/namespaces/a/pods/p/status"), "Request"],
    [subjectOf("GET", "/apis/apps/v1/namespaces/a/deployments/web"), "RequestResponse"],
    [subjectOf("GET", "/apis/apps/v1/namespaces/a/deployments/db"), undefined],
    [subjectOf("GET", "/apis/apps/v1/namespaces/kube-system/deployments/db"), "Metadata"],
    [subjectOf("GET", "/metrics/slis"), "Metadata"],
    [subjectOf("GET", "/version"), undefined],
    [subjectOf("POST", "/api/v1/namespaces/a/configmaps"), "Request"],
  ];
  for (const [subject, level] of cases) assert.equal(decide(policy, subject)?.level, level);
});

function withResource(resource: Json): Json {
  return { ...POLICY, rules: [{ level: "None", resources: [resource] }] };
}

test("a policy that says something unknown is refused", () => {
  const cases: [unknown, RegExp][] = [
    [undefined, /the policy must be an object/],
    [{ rules: [] }, /must be of apiVersion "audit.k8s.io\/v1"/],
    [{ ...POLICY, rules: [] }, /at least one rule/],
    [{ ...POLICY, rules: [{ level: "Some" }] }, /rules\[0\].level must be one of None, Metadata/],
    [{ ...POLICY, rules: [{ level: "None", user: ["a"] }] }, /rules\[0\].user is no field/],
    [{ ...POLICY, rules: [{ level: "None", verbs: "get" }] }, /rules\[0\].verbs must be a list/],
    [{ ...POLICY, omitStages: ["Never"], rules: [] }, /"Never" is no stage/],
    [
      { ...POLICY, rules: [{ level: "None", resources: [{}], nonResourceURLs: ["/"] }] },
      /cannot have nonResourceURLs beside/,
    ],
    [{ ...POLICY, omitManagedFields: "yes" }, /omitManagedFields must be true or false/],
    [{ ...POLICY, rules: [{ level: "None", nonResourceURLs: ["/a*b"] }] }, /"\/a\*b" must start/],
    [withResource({ group: 5 }), /resources\[0\].group must be a text/],
    [withResource({ group: "apps/v1" }), /a group without a version, not "apps\/v1"/],
    [withResource({ group: "", resourceNames: ["a"] }), /resourceNames needs resources/],
  ];
  for (const [document, why] of cases) assert.throws(() => readAuditPolicy(document), why);
});

function collector(rules: Json[], more: Json = {}) {
  const lines: string[] = [];
  const clock = new VirtualClock();
  const log = new AuditLog(readAuditPolicy({ ...POLICY, ...more, rules }), {
    sink: { write: (line) => void lines.push(line) },
    clock,
    random: seededRandom(2),
  });
  return { log, events: () => lines.map((line) => JSON.parse(line) as Json) };
}

test("a request over HTTPS leaves who, what, when and how it ended", async () => {
  const { log, events } = collector([{ level: "Metadata" }]);
  await using api = await startHttpsServer(Date.now(), { audit: log });
  const path = "/api/v1/namespaces/default/configmaps";
  const body = JSON.stringify({ metadata: { name: "a" }, data: { secret: "hidden" } });
  const headers = { "Content-Type": "application/json", "User-Agent": "tester/1" };
  const named = { ...headers, "Audit-ID": "of-the-client" };
  const answers = [
    await api.http(path, { method: "POST", body, headers }),
    await api.http(path, { method: "POST", body, headers: named }),
    await api.http("/api/v1/pods", { anonymous: true }),
  ];
  // The last event comes when the response is closed, after the client has it.
  for (let turn = 0; events().length < 6 && turn < 100_000; turn++) await settle();
  const all = events();
  assert.ok(!JSON.stringify(all).includes("hidden"));
  const [received, made, , again, , refused] = all;
  assert.deepEqual(
    answers.map((answer) => answer.headers["audit-id"]),
    [made, again, refused].map((event) => event?.["auditID"]),
  );
  assert.equal(again?.["auditID"], "of-the-client");
  assert.equal(received?.["stage"], "RequestReceived");
  assert.equal(made?.["stage"], "ResponseComplete");
  assert.equal(made?.["auditID"], received?.["auditID"]);
  assert.equal(made?.["verb"], "create");
  assert.equal(made?.["requestURI"], path);
  assert.equal(made?.["userAgent"], "tester/1");
  assert.deepEqual(made?.["sourceIPs"], ["127.0.0.1"]);
  assert.deepEqual(made?.["user"], { username: "admin", groups: ["system:masters"] });
  assert.deepEqual(made?.["objectRef"], {
    resource: "configmaps",
    namespace: "default",
    name: "a",
    apiVersion: "v1",
  });
  assert.deepEqual(made?.["responseStatus"], { metadata: {}, code: 201 });
  assert.equal(((made?.["annotations"] ?? {}) as Json)["authorization.k8s.io/decision"], "allow");
  assert.deepEqual(again?.["responseStatus"], {
    metadata: {},
    status: "Failure",
    message: 'configmaps "a" already exists',
    reason: "AlreadyExists",
    code: 409,
  });
  assert.equal(((refused?.["responseStatus"] ?? {}) as Json)["code"], 401);
});

test("bodies are recorded where the policy asks for them", async () => {
  const { log, events } = collector([{ level: "RequestResponse" }], {
    omitStages: ["RequestReceived"],
    omitManagedFields: true,
  });
  await using api = await startServer({ audit: log });
  const path = "/api/v1/namespaces/default/configmaps";
  await api.ask("POST", path, { metadata: { name: "a" }, data: { x: "1" } });
  await api.patch(`${path}/a`, { type: "merge-patch+json", body: { data: { x: "2" } } });
  const [created, patched] = events();
  assert.deepEqual(((created?.["requestObject"] ?? {}) as Json)["data"], { x: "1" });
  const response = (created?.["responseObject"] ?? { metadata: {} }) as { metadata: Json };
  assert.equal(response.metadata["name"], "a");
  assert.equal(response.metadata["managedFields"], undefined);
  assert.deepEqual(patched?.["requestObject"], { data: { x: "2" } });
  assert.equal(((patched?.["user"] ?? {}) as Json)["username"], "admin");
});

test("a mistake of the server's own ends the record with a panic", async () => {
  const { log, events } = collector([{ level: "Metadata" }]);
  const user = { name: "admin", groups: ["system:masters"] };
  const careless: AdmissionPlugin = {
    name: "Careless",
    handles: () => true,
    validate: () => Promise.reject(new TypeError("nobody thought of this")),
  };
  await using api = await startHttpsServer(Date.now(), {
    audit: log,
    security: () => ({
      authenticators: [{ authenticate: () => Promise.resolve(user) }],
      authorizer: { authorize: () => ({ allowed: true, reason: "" }) },
      admission: [careless],
    }),
  });
  const body = JSON.stringify({ metadata: { name: "a" } });
  const headers = { "Content-Type": "application/json" };
  const path = "/api/v1/namespaces/default/configmaps";
  const { status, text } = await api.http(path, { method: "POST", body, headers });
  assert.equal(status, 500);
  assert.doesNotMatch(text, /nobody thought/);
  for (let turn = 0; events().length < 2 && turn < 100_000; turn++) await settle();
  assert.deepEqual(
    events().map(({ stage }) => stage),
    ["RequestReceived", "Panic"],
  );
  assert.equal((events()[1]?.["responseStatus"] as Json | undefined)?.["code"], 500);
});
