import assert from "node:assert/strict";
import { test } from "node:test";
import { StatusError } from "../../../api/errors.ts";
import { silentLogger } from "../../../lib/logger.ts";
import { seededRandom } from "../../../lib/random.ts";
import { VirtualClock } from "../../../lib/virtual-clock.ts";
import { type ServerFixture, startServer } from "../../api-server-fixture.ts";
import type { SecurityParts } from "../../api-server.ts";
import { WebhookClient } from "../../remote/webhook-client.ts";
import {
  type ReceivedCall,
  startWebhookServer,
  type WebhookHandler,
} from "../../remote/webhook-server-fixture.ts";
import { mutatingWebhooksPlugin } from "./mutating-webhooks.ts";
import { validatingWebhooksPlugin } from "./validating-webhooks.ts";

const MAPS = "/api/v1/namespaces/default/configmaps";
const HOOKS = "/apis/admissionregistration.k8s.io/v1";

type Json = Record<string, unknown>;

/** A server whose webhooks have a clock of their own, which only the test moves. */
async function start(): Promise<ServerFixture & { timeouts: VirtualClock }> {
  const timeouts = new VirtualClock();
  const api = await startServer({
    security: (reader, kinds): SecurityParts => {
      const random = seededRandom(4);
      const client = new WebhookClient({ reader, random, clock: timeouts });
      const conditions = (all: readonly { expression: string }[]) => ({
        matches: all.every(({ expression }) => expression === "true"),
        ...(all.some(({ expression }) => expression === "object.broken")
          ? { error: "it broke" }
          : {}),
      });
      const parts = { reader, kinds, client, conditions, random, logger: silentLogger };
      return {
        authenticators: [],
        authorizer: { authorize: () => ({ allowed: true, reason: "" }) },
        admission: [mutatingWebhooksPlugin(parts), validatingWebhooksPlugin(parts)],
        connections: [client],
      };
    },
  });
  await api.ask("POST", "/api/v1/namespaces", {
    metadata: { name: "default", labels: { a: "b" } },
  });
  return { ...api, timeouts };
}

const ALL_MAPS = {
  operations: ["*"],
  apiGroups: [""],
  apiVersions: ["v1"],
  resources: ["configmaps"],
};

function configuration(name: string, ...webhooks: Json[]): Json {
  return {
    metadata: { name },
    webhooks: webhooks.map((webhook, at) => ({
      name: `w${at}.${name}.example`,
      rules: [ALL_MAPS],
      sideEffects: "None",
      admissionReviewVersions: ["v1"],
      ...webhook,
    })),
  };
}

const validating = (api: ServerFixture, name: string, ...webhooks: Json[]) =>
  api.ask("POST", `${HOOKS}/validatingwebhookconfigurations`, configuration(name, ...webhooks));
const mutating = (api: ServerFixture, name: string, ...webhooks: Json[]) =>
  api.ask("POST", `${HOOKS}/mutatingwebhookconfigurations`, configuration(name, ...webhooks));

function requestIn({ body }: ReceivedCall): Json {
  return body["request"] as Json;
}

function answer(call: ReceivedCall, response: Json): Json {
  const { apiVersion, kind } = call.body;
  return { apiVersion, kind, response: { uid: requestIn(call)["uid"], ...response } };
}

const patchOf = (...operations: Json[]) => ({
  allowed: true,
  patchType: "JSONPatch",
  patch: Buffer.from(JSON.stringify(operations)).toString("base64"),
});
const setKey = (key: string, value: string) => ({ op: "add", path: `/data/${key}`, value });

async function refusal(promise: Promise<unknown>): Promise<StatusError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof StatusError, String(error));
  return error;
}

const serve = (handler: WebhookHandler) => startWebhookServer(handler, { now: Date.now() });

test("a validating webhook sees the request and its refusal is the answer", async () => {
  await using hook = await serve((call) =>
    answer(call, {
      allowed: requestIn(call)["name"] !== "bad",
      status: { code: 403, reason: "Forbidden", message: "no such thing" },
      warnings: ["mind the gap"],
    }),
  );
  await using api = await start();
  await validating(api, "v", { clientConfig: hook.clientConfig("/check") });
  await api.ask("POST", MAPS, { metadata: { name: "good" }, data: { x: "1" } });
  const { path, body } = hook.calls[0] as ReceivedCall;
  assert.equal(path, "/check?timeout=10s");
  assert.equal(body["apiVersion"], "admission.k8s.io/v1");
  const request = body["request"] as Json;
  assert.deepEqual(request["kind"], { group: "", version: "v1", kind: "ConfigMap" });
  assert.deepEqual(request["resource"], { group: "", version: "v1", resource: "configmaps" });
  assert.deepEqual(request["requestResource"], request["resource"]);
  assert.equal(request["operation"], "CREATE");
  assert.equal(request["namespace"], "default");
  assert.equal((request["userInfo"] as Json)["username"], "admin");
  assert.equal((request["object"] as Json)["apiVersion"], "v1");
  assert.equal(request["oldObject"], null);
  assert.equal(request["dryRun"], false);
  assert.deepEqual(request["options"], {
    kind: "CreateOptions",
    apiVersion: "meta.k8s.io/v1",
  });
  const error = await refusal(api.ask("POST", MAPS, { metadata: { name: "bad" } }));
  assert.equal(error.code, 403);
  assert.equal(error.reason, "Forbidden");
  const denied = 'admission webhook "w0.v.example" denied the request: no such thing';
  assert.equal(error.message, denied);
  await api.ask("DELETE", `${MAPS}/good`);
  const deletion = requestIn(hook.calls.at(-1) as ReceivedCall);
  assert.equal(deletion["operation"], "DELETE");
  assert.equal(deletion["object"], null);
  assert.equal(((deletion["oldObject"] as Json)["metadata"] as Json)["name"], "good");
});

test("a refusal without words has words, and a status of a refusal", async () => {
  let status: Json | undefined;
  await using hook = await serve((call) =>
    answer(call, { allowed: false, ...(status ? { status } : {}) }),
  );
  await using api = await start();
  await validating(api, "v", { clientConfig: hook.clientConfig() });
  const ask = () => refusal(api.ask("POST", MAPS, { metadata: { name: "a" } }));
  const denied = 'admission webhook "w0.v.example" denied the request';
  assert.equal((await ask()).message, `${denied} without explanation`);
  assert.equal((await ask()).code, 400);
  status = { code: 200, status: "Success", reason: "Because" };
  const error = await ask();
  assert.equal(error.message, `${denied}: Because`);
  assert.equal(error.code, 400);
  assert.equal(error.status.status, "Failure");
});

test("patches are applied in order, defaulted and validated", async () => {
  await using hook = await serve((call) => {
    const { data = {} } = requestIn(call)["object"] as { data?: Json };
    const [key = ""] = call.path.slice(1).split("?");
    const seen = Object.keys(data).sort().join("+");
    return answer(call, patchOf(setKey(key, `saw ${seen}`)));
  });
  await using api = await start();
  await mutating(api, "b", { clientConfig: hook.clientConfig("/second") });
  await mutating(api, "a", { clientConfig: hook.clientConfig("/first") });
  const made = await api.ask("POST", MAPS, { metadata: { name: "a" }, data: { x: "1" } });
  assert.deepEqual(made["data"], { x: "1", first: "saw x", second: "saw first+x" });
  const key = "not a key";
  await mutating(api, "c", { clientConfig: hook.clientConfig(`/${encodeURIComponent(key)}`) });
  const error = await refusal(api.ask("POST", MAPS, { metadata: { name: "b" }, data: { x: "1" } }));
  assert.equal(error.reason, "Invalid");
});

test("a webhook is called again when another changed what it saw", async () => {
  await using hook = await serve((call) => {
    const { data = {} } = requestIn(call)["object"] as { data?: Json };
    const first = call.path.startsWith("/counts");
    if (!first)
      return answer(call, "late" in data ? { allowed: true } : patchOf(setKey("late", "1")));
    return answer(call, patchOf(setKey("count", String(Object.keys(data).length))));
  });
  await using api = await start();
  const again = { reinvocationPolicy: "IfNeeded" };
  await mutating(api, "a", { clientConfig: hook.clientConfig("/counts"), ...again });
  await mutating(api, "b", { clientConfig: hook.clientConfig("/late") });
  const made = await api.ask("POST", MAPS, { metadata: { name: "a" }, data: { x: "1" } });
  assert.deepEqual(made["data"], { x: "1", late: "1", count: "3" });
  assert.deepEqual(
    hook.calls.map(({ path }) => path.split("?")[0]),
    ["/counts", "/late", "/counts"],
  );
});

test("what no client could do, no webhook can", async () => {
  let patch: Json[] = [];
  await using hook = await serve((call) => answer(call, patchOf(...patch)));
  await using api = await start();
  await mutating(api, "m", { clientConfig: hook.clientConfig() });
  patch = [{ op: "replace", path: "/metadata/namespace", value: "other" }];
  const create = (name: string) =>
    api.ask("POST", MAPS, { metadata: { name, namespace: "default" }, data: {} });
  assert.equal((await refusal(create("a"))).reason, "BadRequest");
  patch = [{ op: "replace", path: "/metadata/name", value: "renamed" }];
  assert.equal((await create("a")).metadata["name"], "renamed");
  patch = [];
  await create("a");
  patch = [{ op: "replace", path: "/metadata/name", value: "renamed" }];
  const update = () => api.ask("PUT", `${MAPS}/a`, { metadata: { name: "a" }, data: { y: "1" } });
  assert.match((await refusal(update())).message, /metadata.name: .* field is immutable/);
  patch = [{ op: "replace", path: "/metadata/uid", value: "stolen" }];
  assert.match((await refusal(update())).message, /metadata.uid/);
  patch = [{ op: "replace", path: "/kind", value: "Secret" }];
  assert.equal((await refusal(update())).reason, "InternalError");
  patch = [{ op: "remove", path: "/no/such/place" }];
  assert.equal((await refusal(update())).reason, "InternalError");
  patch = [{ op: "add", path: "/data/z", value: { deep: true } }];
  assert.equal((await refusal(update())).reason, "InternalError");
  patch = [setKey("a", "x".repeat(1000))];
  for (let at = 0; at < 64; at++) patch.push({ op: "copy", from: "/data", path: `/data/k${at}` });
  assert.match((await refusal(update())).message, /accumulated size increase of copy/);
  patch = [setKey("x", "1")];
  const why = (await refusal(api.ask("DELETE", `${MAPS}/a`))).message;
  assert.match(why, /attempted to modify the object, which is not supported for this operation/);
});

test("the status stays what it was on the main endpoint, whatever a webhook patches", async () => {
  await using hook = await serve((call) =>
    answer(call, patchOf({ op: "add", path: "/status", value: { phase: "Failed" } })),
  );
  await using api = await start();
  const pods = "/api/v1/namespaces/default/pods";
  const spec = { containers: [{ name: "c", image: "i" }] };
  const pod = await api.ask("POST", pods, { metadata: { name: "p" }, spec });
  const rules = [{ ...ALL_MAPS, resources: ["pods"] }];
  await mutating(api, "m", { clientConfig: hook.clientConfig(), rules });
  const metadata = { ...pod.metadata, labels: { a: "b" } };
  const updated = await api.ask("PUT", `${pods}/p`, { ...pod, metadata });
  assert.deepEqual(updated["status"], pod["status"]);
});

test("what is no answer fails the request, or is ignored", async () => {
  const cases: [WebhookHandler, RegExp][] = [
    [(_call, response) => void response.end("<html>"), /json parse error/],
    [(_call, response) => void response.end("[]"), /webhook response was no object/],
    [() => ({}), /expected webhook response of admission.k8s.io\/v1, Kind=AdmissionReview/],
    [({ body }) => ({ ...body, response: undefined }), /webhook response was absent/],
    [({ body }) => ({ ...body, response: { uid: "x" } }), /expected response.uid="[^"]+", got "x"/],
    [(call) => answer(call, patchOf(setKey("a", "b"))), /may not return response.patch/],
    [(_call, response) => void response.writeHead(500).end(), /status code 500/],
    [
      (_call, response) => void response.writeHead(302, { location: "https://127.0.0.1/" }).end(),
      /status code 302/,
    ],
    [(_call, response) => void response.destroy(), /socket hang up|ECONNRESET/],
    [
      (_call, response) => {
        const part = Buffer.alloc(1024 * 1024, 32);
        for (let at = 0; at < 12; at++) response.write(part);
        response.end();
        return undefined;
      },
      /larger than 10485760 bytes/,
    ],
  ];
  let handler: WebhookHandler = () => undefined;
  await using hook = await serve((...of) => handler(...of));
  await using api = await start();
  await validating(api, "v", { clientConfig: hook.clientConfig() });
  for (const [answering, why] of cases) {
    handler = answering;
    const error = await refusal(api.ask("POST", MAPS, { metadata: { name: "a" } }));
    assert.match(
      error.message,
      /^Internal error occurred: failed calling webhook "w0.v.example": /,
    );
    assert.match(error.message, why);
    assert.equal(error.code, 500);
  }
  await api.patch(`${HOOKS}/validatingwebhookconfigurations/v`, {
    type: "json-patch+json",
    body: [{ op: "replace", path: "/webhooks/0/failurePolicy", value: "Ignore" }],
  });
  await api.ask("POST", MAPS, { metadata: { name: "a" } });
});

test("a webhook that hangs is given up after its time, one that is not there at once", async () => {
  await using hook = await serve(() => undefined);
  await using api = await start();
  await validating(api, "v", { clientConfig: hook.clientConfig("/slow"), timeoutSeconds: 2 });
  const pending = refusal(api.ask("POST", MAPS, { metadata: { name: "a" } }));
  await hook.received(1);
  await api.timeouts.advance(2_000);
  assert.match((await pending).message, /\/slow\?timeout=2s": context deadline exceeded$/);
  await api.ask("DELETE", `${HOOKS}/validatingwebhookconfigurations/v`);
  const service = { name: "gone", namespace: "default", path: "/x" };
  await validating(api, "s", { clientConfig: { service } });
  const { message } = await refusal(api.ask("POST", MAPS, { metadata: { name: "a" } }));
  assert.match(
    message,
    /Post "https:\/\/gone.default.svc(:443)?\/x\?timeout=10s": service "gone" not found/,
  );
});

test("a Service is reached at an endpoint under its own name", async () => {
  const handler: WebhookHandler = (call) => answer(call, { allowed: true });
  const names = ["hook.default.svc"];
  await using hook = await startWebhookServer(handler, { now: Date.now(), names });
  await using api = await start();
  const ports = [{ port: 8443, targetPort: hook.port }];
  await api.ask("POST", "/api/v1/namespaces/default/services", {
    metadata: { name: "hook" },
    spec: { ports },
  });
  await api.ask("POST", "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices", {
    metadata: { name: "hook-1", labels: { "kubernetes.io/service-name": "hook" } },
    // By its name this address of the test's own server may be an endpoint.
    addressType: "FQDN",
    endpoints: [{ addresses: ["127.0.0.1"], conditions: { ready: true } }],
    ports: [{ port: hook.port }],
  });
  const service = { name: "hook", namespace: "default", port: 8443 };
  await validating(api, "v", { clientConfig: { service, caBundle: hook.caBundle } });
  await api.ask("POST", MAPS, { metadata: { name: "a" } });
  assert.equal(hook.calls.length, 1);
  const other = { ...service, name: "other" };
  await api.ask("POST", "/api/v1/namespaces/default/services", {
    metadata: { name: "other" },
    spec: { type: "ExternalName", externalName: "127.0.0.1", ports },
  });
  await validating(api, "w", {
    clientConfig: { service: { ...other, port: hook.port }, caBundle: hook.caBundle },
  });
  const { message } = await refusal(api.ask("POST", MAPS, { metadata: { name: "b" } }));
  assert.match(message, /Hostname\/IP does not match certificate's altnames/);
});

test("selectors, conditions and dry run decide who is asked", async () => {
  await using hook = await serve((call) => answer(call, { allowed: true }));
  await using api = await start();
  const config = { clientConfig: hook.clientConfig() };
  const cases: [Json, boolean][] = [
    [{ namespaceSelector: { matchLabels: { a: "b" } } }, true],
    [{ namespaceSelector: { matchLabels: { a: "c" } } }, false],
    [{ objectSelector: { matchLabels: { l: "1" } } }, true],
    [{ objectSelector: { matchLabels: { l: "2" } } }, false],
    [{ matchConditions: [{ name: "c", expression: "true" }] }, true],
    [{ matchConditions: [{ name: "c", expression: "false" }] }, false],
    [{ rules: [{ ...ALL_MAPS, scope: "Namespaced" }] }, true],
    [{ rules: [{ ...ALL_MAPS, scope: "Cluster" }] }, false],
    [{ rules: [{ ...ALL_MAPS, operations: ["UPDATE"] }] }, false],
    [{ rules: [{ ...ALL_MAPS, resources: ["*"] }] }, true],
    [{ rules: [{ ...ALL_MAPS, resources: ["*/*"] }] }, true],
    [{ rules: [{ ...ALL_MAPS, resources: ["configmaps/status"] }] }, false],
    [{ rules: [{ ...ALL_MAPS, apiGroups: ["apps"] }] }, false],
  ];
  for (const [at, [more, called]] of cases.entries()) {
    const before = hook.calls.length;
    await validating(api, "v", { ...config, ...more });
    await api.ask("POST", MAPS, { metadata: { name: `a${at}`, labels: { l: "1" } } });
    assert.equal(hook.calls.length - before, called ? 1 : 0, JSON.stringify(more));
    await api.ask("DELETE", `${HOOKS}/validatingwebhookconfigurations/v`);
  }
  await validating(api, "v", {
    ...config,
    matchConditions: [{ name: "c", expression: "object.broken" }],
  });
  const error = await refusal(api.ask("POST", MAPS, { metadata: { name: "b" } }));
  assert.equal(error.message, 'configmaps "b" is forbidden: it broke');
  await api.ask("DELETE", `${HOOKS}/validatingwebhookconfigurations/v`);
  await validating(api, "v", config);
  await api.ask("POST", `${MAPS}?dryRun=All`, { metadata: { name: "b" } });
  assert.equal(requestIn(hook.calls.at(-1) as ReceivedCall)["dryRun"], true);
});

test("an equivalent version of the object is shown as the webhook wants it", async () => {
  await using hook = await serve((call) =>
    answer(call, patchOf({ op: "add", path: "/metadata/labels", value: { seen: "yes" } })),
  );
  await using api = await start();
  const rules = [
    {
      operations: ["CREATE"],
      apiGroups: ["autoscaling"],
      apiVersions: ["v1"],
      resources: ["horizontalpodautoscalers"],
    },
  ];
  await mutating(api, "m", { clientConfig: hook.clientConfig(), rules });
  const path = "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers";
  const resource = { name: "cpu", target: { type: "Utilization", averageUtilization: 70 } };
  const made = await api.ask("POST", path, {
    metadata: { name: "h" },
    spec: {
      maxReplicas: 3,
      scaleTargetRef: { kind: "Deployment", name: "d", apiVersion: "apps/v1" },
      metrics: [{ type: "Resource", resource }],
    },
  });
  const request = requestIn(hook.calls[0] as ReceivedCall);
  assert.equal((request["kind"] as Json)["version"], "v1");
  assert.equal((request["requestKind"] as Json)["version"], "v2");
  const { spec } = request["object"] as { spec: Json };
  assert.equal(spec["targetCPUUtilizationPercentage"], 70);
  assert.deepEqual(made.metadata["labels"], { seen: "yes" });
  assert.deepEqual((made["spec"] as Json)["metrics"], [{ type: "Resource", resource }]);
});

test("a configuration that cannot work is refused", async () => {
  await using api = await start();
  const clientConfig = { url: "https://hook.example/x" };
  const cases: [Json, RegExp][] = [
    [{ name: "short" }, /webhooks\[0\].name: .* at least three segments/],
    [{ clientConfig: {} }, /clientConfig: Required value: exactly one of url or service/],
    [{ clientConfig: { url: "http://x.example" } }, /'https' is the only allowed URL scheme/],
    [{ clientConfig: { url: "https://a@x.example" } }, /user information is not permitted/],
    [{ clientConfig: { url: "https://x.example/?a=b" } }, /query parameters are not permitted/],
    [{ clientConfig: { service: { name: "a", namespace: "b", path: "x/" } } }, /must start with/],
    [{ sideEffects: "Unknown" }, /sideEffects: Unsupported value: "Unknown"/],
    [{ timeoutSeconds: 31 }, /must be between 1 and 30 seconds/],
    [{ admissionReviewVersions: ["v2"] }, /must include at least one of v1, v1beta1/],
    [{ rules: [{ ...ALL_MAPS, operations: ["*", "CREATE"] }] }, /if '\*' is present/],
    [{ rules: [{ ...ALL_MAPS, resources: ["pods/*", "pods/log"] }] }, /must not specify pods\/log/],
    [{ namespaceSelector: { matchLabels: { "a b": "c" } } }, /namespaceSelector/],
  ];
  for (const [more, why] of cases) {
    const error = await refusal(validating(api, "v", { clientConfig, ...more }));
    assert.match(error.message, why);
  }
  await validating(api, "v", { clientConfig });
});

test("subresources are shown as the kinds that they are", async () => {
  await using hook = await serve((call) => {
    const { kind } = requestIn(call)["object"] as { kind: string };
    const scaled = { op: "replace", path: "/spec/replicas", value: 7 };
    return answer(call, kind === "Scale" ? patchOf(scaled) : { allowed: true });
  });
  await using api = await start();
  const pods = "/api/v1/namespaces/default/pods";
  const sets = "/apis/apps/v1/namespaces/default/replicasets";
  const spec = { containers: [{ name: "c", image: "i" }] };
  await api.ask("POST", pods, { metadata: { name: "p" }, spec });
  const labels = { a: "b" };
  const template = { metadata: { labels }, spec };
  const set = { selector: { matchLabels: labels }, replicas: 1, template };
  await api.ask("POST", sets, { metadata: { name: "s" }, spec: set });
  const rules = [{ operations: ["*"], apiGroups: ["*"], apiVersions: ["*"], resources: ["*/*"] }];
  await mutating(api, "m", { clientConfig: hook.clientConfig(), rules });
  await api.ask("POST", `${pods}/p/binding`, {
    metadata: { name: "p" },
    target: { name: "n" },
  });
  const scale = await api.ask("PUT", `${sets}/s/scale`, { metadata: {}, spec: { replicas: 3 } });
  await api.ask("POST", `${pods}/p/eviction`, { metadata: { name: "p" } });
  assert.equal((scale["spec"] as Json)["replicas"], 7);
  const seen = hook.calls.map((call) => {
    const { operation, object, subResource, kind } = requestIn(call);
    const body = (object ?? {}) as Json;
    return `${String(operation)} ${String(subResource)} ${String((kind as Json)["kind"])} ${String(body["kind"])}`;
  });
  assert.deepEqual(seen, [
    "CREATE binding Binding Binding",
    "UPDATE scale Scale Scale",
    "CREATE eviction Eviction Eviction",
  ]);
});
