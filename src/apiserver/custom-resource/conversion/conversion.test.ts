import assert from "node:assert/strict";
import { test } from "node:test";
import { StatusError } from "../../../api/errors.ts";
import type { Clock } from "../../../lib/clock.ts";
import { settle } from "../../../lib/virtual-clock.ts";
import { seededRandom } from "../../../lib/random.ts";
import { type ServerFixture, startServer } from "../../api-server-fixture.ts";
import { WebhookClient } from "../../remote/webhook-client.ts";
import {
  startWebhookServer,
  type WebhookHandler,
  type WebhookServerFixture,
} from "../../remote/webhook-server-fixture.ts";

const DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const V1 = "/apis/a.example/v1/namespaces/default/crontabs";
const V2 = "/apis/a.example/v2/namespaces/default/crontabs";

type Json = Record<string, unknown>;

/** v1 has "hostPort", v2 has "host" and "port". */
function convertOne(object: Json, to: string): Json {
  const { hostPort, host, port, ...rest } = object;
  if (to === "a.example/v2") {
    const [left = "", right = ""] = String(hostPort).split(":");
    return { ...rest, apiVersion: to, host: left, port: right };
  }
  return { ...rest, apiVersion: to, hostPort: `${String(host)}:${String(port)}` };
}

interface ConversionRequest {
  uid: string;
  desiredAPIVersion: string;
  objects: Json[];
}

const requestIn = (body: Json) => body["request"] as ConversionRequest;

const converts: WebhookHandler = ({ body }) => {
  const { uid, desiredAPIVersion, objects } = requestIn(body);
  const convertedObjects = objects.map((object) => convertOne(object, desiredAPIVersion));
  return { ...body, response: { uid, result: { status: "Success" }, convertedObjects } };
};

function definition(hook: WebhookServerFixture, stored: "v1" | "v2" = "v1"): Json {
  const text = { type: "string" };
  const version = (name: string, properties: Json) => ({
    name,
    served: true,
    storage: name === stored,
    schema: { openAPIV3Schema: { type: "object", properties } },
  });
  return {
    metadata: { name: "crontabs.a.example" },
    spec: {
      group: "a.example",
      scope: "Namespaced",
      names: { plural: "crontabs", kind: "CronTab" },
      versions: [
        version("v1", { hostPort: text }),
        version("v2", { host: text, port: text, zone: { ...text, default: "here" } }),
      ],
      conversion: {
        strategy: "Webhook",
        webhook: { clientConfig: hook.clientConfig("/convert"), conversionReviewVersions: ["v1"] },
      },
    },
  };
}

/** Asks again and again until it is true. */
async function until(isTrue: () => Promise<boolean>): Promise<void> {
  for (let turn = 0; turn < 100_000; turn++) {
    if (await isTrue()) return;
    await settle();
  }
  throw new assert.AssertionError({ message: "it never came true" });
}

interface World extends AsyncDisposable {
  api: ServerFixture;
  hook: WebhookServerFixture;
  handle(handler: WebhookHandler): void;
}

const still: Clock = { now: () => 0, monotonicMs: () => 0, setTimer: () => ({ cancel() {} }) };

async function start(): Promise<World> {
  let handler = converts;
  const hook = await startWebhookServer((...of) => handler(...of), { now: Date.now() });
  const api = await startServer({
    security: (reader) => {
      const webhooks = new WebhookClient({ reader, random: seededRandom(4), clock: still });
      return {
        authenticators: [],
        authorizer: { authorize: () => ({ allowed: true, reason: "" }) },
        admission: [],
        webhooks,
        connections: [webhooks],
      };
    },
  });
  await api.ask("POST", DEFINITIONS, definition(hook));
  await until(async () => {
    const list = await api.ask("GET", V2).catch(() => undefined);
    return list !== undefined;
  });
  return {
    api,
    hook,
    handle: (next) => {
      handler = next;
    },
    [Symbol.asyncDispose]: async () => {
      await api[Symbol.asyncDispose]();
      await hook[Symbol.asyncDispose]();
    },
  };
}

async function refusal(promise: Promise<unknown>): Promise<StatusError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof StatusError, String(error));
  return error;
}

test("an object is read and written in any version, and stored in one", async () => {
  await using world = await start();
  const { api, hook } = world;
  const made = await api.ask("POST", V2, { metadata: { name: "a" }, host: "h", port: "1" });
  assert.equal(made["apiVersion"], "a.example/v2");
  assert.equal(made["host"], "h");
  assert.equal(made["zone"], "here");
  const old = await api.ask("GET", `${V1}/a`);
  assert.equal(old["apiVersion"], "a.example/v1");
  assert.equal(old["hostPort"], "h:1");
  assert.equal(old["host"], undefined);
  assert.deepEqual(old.metadata, {
    ...made.metadata,
    managedFields: old.metadata["managedFields"],
  });
  const updated = await api.ask("PUT", `${V1}/a`, { ...old, hostPort: "h:2" });
  assert.equal(updated["hostPort"], "h:2");
  assert.equal((await api.ask("GET", `${V2}/a`))["port"], "2");
  const patched = await api.patch(`${V2}/a`, { type: "merge-patch+json", body: { port: "3" } });
  assert.equal(patched["port"], "3");
  assert.equal((await api.ask("GET", `${V1}/a`))["hostPort"], "h:3");
  const calls = hook.calls.length;
  await api.ask("GET", `${V2}/a`);
  await api.ask("GET", `${V2}/a`);
  assert.equal(hook.calls.length, calls, "each state is converted once");
  await api.ask("DELETE", `${V2}/a`);
  assert.equal((await refusal(api.ask("GET", `${V1}/a`))).reason, "NotFound");
});

test("a list is one call, for those that need it", async () => {
  await using world = await start();
  const { api, hook } = world;
  for (const name of ["a", "b", "c"]) {
    await api.ask("POST", V1, { metadata: { name }, hostPort: `${name}:1` });
  }
  const before = hook.calls.length;
  const { items } = await api.ask("GET", V2);
  assert.deepEqual(
    (items as Json[]).map(({ host }) => host),
    ["a", "b", "c"],
  );
  assert.equal(hook.calls.length - before, 1);
  await api.ask("GET", V1);
  assert.equal(hook.calls.length - before, 1);
  const { spec } = definition(hook, "v2");
  const stored = { spec };
  await api.patch(`${DEFINITIONS}/crontabs.a.example`, { type: "merge-patch+json", body: stored });
  await until(async () => {
    const { status } = await api.ask("GET", `${DEFINITIONS}/crontabs.a.example`);
    return (status as { storedVersions: string[] }).storedVersions.includes("v2");
  });
  await api.ask("POST", V2, { metadata: { name: "d" }, host: "d", port: "1" });
  const listed = await api.ask("GET", V1);
  assert.deepEqual(
    (listed["items"] as Json[]).map(({ hostPort }) => hostPort),
    ["a:1", "b:1", "c:1", "d:1"],
  );
});

test("a watch shows changes in its own version and in order", async () => {
  await using world = await start();
  const { api } = world;
  await api.ask("POST", V1, { metadata: { name: "a" }, hostPort: "a:1" });
  const seen: string[] = [];
  let done = () => {};
  const all = new Promise<void>((resolve) => {
    done = resolve;
  });
  const sink = {
    event: (type: string, object: unknown) => {
      seen.push(`${type} ${String((object as Json)["host"])}:${String((object as Json)["port"])}`);
      if (seen.length === 4) done();
    },
    closed: () => {},
  };
  using _watch = await api.transport.watch({ method: "GET", path: V2 }, sink);
  await api.ask("POST", V1, { metadata: { name: "b" }, hostPort: "b:1" });
  await api.patch(`${V1}/b`, { type: "merge-patch+json", body: { hostPort: "b:2" } });
  await api.ask("DELETE", `${V1}/a`);
  await all;
  assert.deepEqual(seen, ["ADDED a:1", "ADDED b:1", "MODIFIED b:2", "DELETED a:1"]);
});

test("what is no conversion is refused in the words of upstream", async () => {
  await using world = await start();
  const { api } = world;
  await api.ask("POST", V1, { metadata: { name: "a" }, hostPort: "a:1" });
  const failed = "conversion webhook for a.example/v1, Kind=CronTab failed: ";
  const invalid =
    "conversion webhook for a.example/v1, Kind=CronTab returned invalid converted object at index 0: ";
  const answering =
    (change: (converted: Json) => Json): WebhookHandler =>
    (call, response, request) => {
      const review = converts(call, response, request) as {
        response: { convertedObjects: Json[] };
      };
      const { convertedObjects } = review.response;
      review.response.convertedObjects = convertedObjects.map(change);
      return review;
    };
  const withMetadata = (change: Json) =>
    answering((object) => ({
      ...object,
      metadata: { ...(object["metadata"] as Json), ...change },
    }));
  const cases: [WebhookHandler, string][] = [
    [({ body }) => ({ ...body, response: undefined }), `${failed}no response provided`],
    [({ body }) => ({ ...body, response: { uid: "x" } }), `${failed}expected response.uid="`],
    [
      ({ body }) => ({
        ...body,
        response: { uid: requestIn(body).uid, result: { status: "Failure", message: "no way" } },
      }),
      `${failed}no way`,
    ],
    [
      ({ body }) => ({
        ...body,
        response: { uid: requestIn(body).uid, result: { status: "Success" } },
      }),
      `${failed}returned 0 objects, expected 1`,
    ],
    [withMetadata({ name: "b" }), `${invalid}must have the same name: b != a`],
    [withMetadata({ uid: "b" }), `${invalid}must have the same UID: b != `],
    [answering((object) => ({ ...object, kind: "Other" })), `${invalid}invalid kind (expected`],
    [answering((object) => ({ ...object, apiVersion: "x/v1" })), `${invalid}invalid groupVersion`],
    [withMetadata({ labels: { a: 1 } }), `${invalid}metadata.labels: must be a map of texts`],
    [(_call, response) => void response.end("{"), `${failed}couldn't get version/kind`],
  ];
  for (const [handler, message] of cases) {
    world.handle(handler);
    const error = await refusal(api.ask("GET", `${V2}/a`));
    assert.ok(error.message.startsWith(message), `${error.message} for ${message}`);
    assert.deepEqual([error.status.code, error.status.reason], [500, undefined]);
  }
  world.handle(withMetadata({ labels: { l: "1" }, resourceVersion: "1", finalizers: ["x/y"] }));
  const { metadata } = await api.ask("GET", `${V2}/a`);
  assert.deepEqual(metadata["labels"], { l: "1" });
  assert.equal(metadata["finalizers"], undefined);
  world.handle(() => undefined);
  const path = `${DEFINITIONS}/crontabs.a.example`;
  await api.ask("DELETE", path);
  await until(() =>
    api.ask("GET", path).then(
      () => false,
      () => true,
    ),
  );
});

test("a definition whose conversion cannot work is refused", async () => {
  await using world = await start();
  const { api, hook } = world;
  const create = (conversion: Json) => {
    const { spec } = definition(hook) as { spec: Json };
    const names = { plural: "others", kind: "Other" };
    const metadata = { name: "others.a.example" };
    return refusal(
      api.ask("POST", DEFINITIONS, { metadata, spec: { ...spec, names, conversion } }),
    );
  };
  const webhook = { clientConfig: hook.clientConfig(), conversionReviewVersions: ["v1"] };
  const cases: [Json, RegExp][] = [
    [{ strategy: "Magic" }, /spec.conversion.strategy: Unsupported value: "Magic"/],
    [{ strategy: "Webhook" }, /webhookClientConfig: Required value: required when strategy/],
    [{ strategy: "None", webhook }, /webhookClientConfig: Forbidden: should not be set/],
    [
      { strategy: "Webhook", webhook: { ...webhook, conversionReviewVersions: ["v9"] } },
      /must include at least one of v1, v1beta1/,
    ],
    [
      { strategy: "Webhook", webhook: { ...webhook, clientConfig: { url: "http://a.example" } } },
      /'https' is the only allowed URL scheme/,
    ],
  ];
  for (const [conversion, why] of cases) assert.match((await create(conversion)).message, why);
});
