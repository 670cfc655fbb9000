import assert from "node:assert/strict";
import https from "node:https";
import { test } from "node:test";
import type { AnyObject, HttpsFixture } from "../api-server-fixture.ts";
import { addService, type Extension, startAggregated, until } from "./extension-fixture.ts";
import { aggregatedResources } from "./remote-resources.ts";

const API_SERVICES = "/apis/apiregistration.k8s.io/v1/apiservices";
const REMOTE = "/apis/wardle.example.com/v1alpha1";

type Json = Record<string, unknown>;

const flunder = {
  name: "flunders",
  singularName: "flunder",
  namespaced: true,
  kind: "Flunder",
  verbs: ["get", "list"],
  shortNames: ["fl"],
};
const DOCUMENT = {
  kind: "APIResourceList",
  apiVersion: "v1",
  groupVersion: "wardle.example.com/v1alpha1",
  resources: [flunder, { ...flunder, name: "flunders/status", verbs: ["get"] }],
};

const OPEN_API = `/openapi/v3${REMOTE}`;
const PAGES: Readonly<Record<string, Json>> = {
  [REMOTE]: DOCUMENT,
  "/openapi/v3": { paths: { [REMOTE.slice(1)]: { serverRelativeURL: `${OPEN_API}?hash=AB12` } } },
  "/openapi/v2": {
    paths: { [`${REMOTE}/flunders`]: { get: { schema: { $ref: "#/definitions/Flunder" } } } },
    definitions: { Flunder: { type: "object", description: "A flunder." } },
  },
  [`${OPEN_API}?hash=AB12`]: { openapi: "3.0.0", info: { title: "wardle" } },
};

interface World extends AsyncDisposable {
  api: HttpsFixture;
  extension: Extension;
  register(spec?: Json): Promise<AnyObject>;
  /** Waits until the APIService says so. */
  condition(reason: string): Promise<Json>;
}

async function start(): Promise<World> {
  const world = await startAggregated((url) => PAGES[url], Date.now());
  const { api, extension } = world;
  const name = "v1alpha1.wardle.example.com";
  return {
    api,
    extension,
    register: (spec = {}) =>
      api.ask("POST", API_SERVICES, {
        metadata: { name },
        spec: {
          group: "wardle.example.com",
          version: "v1alpha1",
          service: { name: "api", namespace: "default" },
          caBundle: extension.caBundle,
          groupPriorityMinimum: 2000,
          versionPriority: 200,
          ...spec,
        },
      }),
    condition: (reason) =>
      until(async () => {
        const { status } = await api.ask("GET", `${API_SERVICES}/${name}`);
        const [condition] = (status as { conditions?: Json[] }).conditions ?? [];
        return condition?.["reason"] === reason ? condition : undefined;
      }),
    [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
  };
}

test("an APIService becomes available with its Service, and its group is served", async () => {
  await using world = await start();
  const { api, extension } = world;
  await world.register();
  const missing = await world.condition("ServiceNotFound");
  assert.equal(missing["message"], 'service/api in "default" is not present');
  const unavailable = await api.http(`${REMOTE}/namespaces/default/flunders`);
  assert.equal(unavailable.status, 503);
  await addService(world);
  const passed = await world.condition("Passed");
  assert.equal(passed["status"], "True");
  assert.equal(passed["message"], "all checks passed");
  const check = extension.requests[0];
  assert.equal(check?.url, REMOTE);
  assert.equal(check?.authorized, true);
  assert.equal(check?.headers["x-remote-user"], "system:kube-aggregator");
  assert.equal(check?.headers["x-remote-group"], "system:masters");
  const headers = { "X-Remote-User": "forged", "X-Remote-Group": "forged", Authorization: "x" };
  const document = await api.http(REMOTE, { headers });
  assert.deepEqual(document.json(), DOCUMENT);
  const seen = extension.requests.at(-1)?.headers;
  assert.equal(seen?.["x-remote-user"], "admin");
  assert.equal(seen?.["x-remote-group"], "system:masters");
  assert.equal(seen?.authorization, undefined);
  assert.equal(seen?.host, "api.default.svc");
});

test("discovery and in-process callers know the group", async () => {
  await using world = await start();
  const { api } = world;
  await addService(world);
  await world.register();
  await world.condition("Passed");
  const { groups } = await api.ask("GET", "/apis");
  const names = (groups as { name: string }[]).map(({ name }) => name);
  assert.ok(names.includes("wardle.example.com"));
  const accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
  const { items } = (await api.http("/apis", { headers: { accept } })).json();
  const group = (items as { metadata: { name: string }; versions: Json[] }[]).find(
    ({ metadata }) => metadata.name === "wardle.example.com",
  );
  const [version] = group?.versions ?? [];
  assert.equal(version?.["freshness"], "Current");
  const [resource] = (version?.["resources"] ?? []) as Json[];
  assert.equal(resource?.["resource"], "flunders");
  assert.deepEqual(resource?.["shortNames"], ["fl"]);
  assert.equal(((resource?.["subresources"] ?? []) as Json[])[0]?.["subresource"], "status");
  assert.deepEqual(await api.ask("GET", REMOTE), DOCUMENT);
  const { paths } = (await api.http("/openapi/v3")).json() as { paths?: Record<string, Json> };
  const url = String(paths?.[REMOTE.slice(1)]?.["serverRelativeURL"]);
  assert.equal(url, `${OPEN_API}?hash=AB12`);
  assert.deepEqual((await api.http(url)).json()["info"], { title: "wardle" });
  const swagger = (await api.http("/openapi/v2")).json() as Record<string, Json>;
  assert.ok(swagger["paths"]?.[`${REMOTE}/flunders`]);
  assert.deepEqual(swagger["definitions"]?.["Flunder"], {
    type: "object",
    description: "A flunder.",
  });
  await assert.rejects(api.ask("GET", `${REMOTE}/nothing`), { code: 404 });
});

test("a group whose server is gone is stale, and others are current", async () => {
  await using world = await start();
  const { api } = world;
  await addService(world);
  await world.register();
  await world.condition("Passed");
  await api.ask("DELETE", "/api/v1/namespaces/default/services/api");
  await world.condition("ServiceNotFound");
  for (const as of ["v2", "v2beta1"]) {
    const accept = `application/json;g=apidiscovery.k8s.io;v=${as};as=APIGroupDiscoveryList`;
    const { items } = (await api.http("/apis", { headers: { accept } })).json();
    const freshness = (items as { metadata: { name: string }; versions: Json[] }[]).map(
      ({ metadata, versions }) => [metadata.name, versions[0]?.["freshness"]],
    );
    const stale = freshness.filter(([, state]) => state !== "Current");
    assert.deepEqual(stale, [["wardle.example.com", "Stale"]]);
  }
  const { text } = await api.http("/metrics");
  const labels = '{name="v1alpha1.wardle.example.com",reason="ServiceNotFound"}';
  assert.ok(text.includes(`aggregator_unavailable_apiservice_total${labels} 1\n`), text);
});

test("watches of in-process callers come line by line", async () => {
  await using world = await start();
  const { api, extension } = world;
  await addService(world);
  await world.register();
  await world.condition("Passed");
  const events: unknown[] = [];
  extension.answer = (_request, response) => {
    const lines = ["ADDED", "MODIFIED"].map((type) => JSON.stringify({ type, object: { a: 1 } }));
    response.write(`${lines[0]}\n${lines[1]?.slice(0, 5)}`);
    response.end(`${lines[1]?.slice(5)}\n`);
  };
  const closed = new Promise<unknown>((resolve) => {
    const sink = { event: (type: string) => void events.push(type), closed: resolve };
    void api.transport.watch({ method: "GET", path: `${REMOTE}/flunders` }, sink);
  });
  assert.equal(await closed, undefined);
  assert.deepEqual(events, ["ADDED", "MODIFIED"]);
});

test("a server that hangs or lies holds nobody up", async () => {
  await using world = await start();
  const { api, extension } = world;
  await addService(world);
  await world.register();
  await world.condition("Passed");
  const asked = extension.requests.length;
  extension.answer = () => {};
  const hanging = assert.rejects(api.ask("GET", `${REMOTE}/flunders`), {
    code: 503,
    message: "error trying to reach service: context deadline exceeded",
  });
  await until(() => Promise.resolve(extension.requests.length > asked || undefined));
  await api.clock.advance(60_000);
  await hanging;
  const lies = Array.from({ length: 100_000 }, (_, at) => ({ name: `a${at}`, verbs: 5 }));
  const document = { ...DOCUMENT, resources: [null, 7, ...lies] };
  const resources = aggregatedResources(document, { group: "g", version: "v1" });
  assert.equal(resources.length, 998);
  assert.deepEqual(resources[0]?.["verbs"], []);
});

test("a server that is not whom it should be is not believed", async () => {
  await using world = await start();
  await addService(world);
  await world.register({ caBundle: Buffer.from(world.api.ca.pem.certPem).toString("base64") });
  const condition = await world.condition("FailedDiscoveryCheck");
  assert.equal(condition["status"], "False");
  assert.match(String(condition["message"]), /certificate/);
  const path = `${API_SERVICES}/v1alpha1.wardle.example.com`;
  await world.api.patch(path, {
    type: "merge-patch+json",
    body: { spec: { caBundle: null, insecureSkipTLSVerify: true } },
  });
  await world.condition("Passed");
});

test("this server's own group-versions are registered, custom ones come and go", async () => {
  await using world = await start();
  const { api } = world;
  const find = (name: string) =>
    until(async () => {
      const found = await api.ask("GET", `${API_SERVICES}/${name}`).catch(() => undefined);
      return (found?.["status"] as Json | undefined)?.["conditions"] ? found : undefined;
    });
  const core = await find("v1.");
  assert.deepEqual(core?.["spec"], {
    groupPriorityMinimum: 18_000,
    version: "v1",
    versionPriority: 1,
  });
  const { conditions = [] } = (core?.["status"] ?? {}) as { conditions?: Json[] };
  assert.equal(conditions[0]?.["reason"], "Local");
  const definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
  await api.ask("POST", definitions, {
    metadata: { name: "toys.a.example" },
    spec: {
      group: "a.example",
      scope: "Cluster",
      names: { plural: "toys", kind: "Toy" },
      versions: [
        {
          name: "v1",
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: "object" } },
        },
      ],
    },
  });
  const custom = await find("v1.a.example");
  assert.equal(((custom?.["spec"] ?? {}) as Json)["groupPriorityMinimum"], 1000);
  await api.ask("DELETE", `${definitions}/toys.a.example`);
  await until(async () => {
    const found = await api.ask("GET", `${API_SERVICES}/v1.a.example`).catch(() => undefined);
    return found ? undefined : "gone";
  });
});

test("a connection that is upgraded is passed through", async () => {
  await using world = await start();
  const { api } = world;
  await addService(world);
  await world.register();
  await world.condition("Passed");
  const text = await new Promise<string>((resolve, reject) => {
    const request = https.request({
      host: "127.0.0.1",
      port: api.port,
      path: `${REMOTE}/namespaces/default/flunders/a/connect`,
      headers: { connection: "Upgrade", upgrade: "echo" },
      ca: api.ca.pem.certPem,
      cert: api.client.certPem,
      key: api.client.keyPem,
      agent: false,
    });
    request.once("error", reject);
    request.once("upgrade", (_response, socket, head) => {
      let received = head.toString();
      socket.on("data", (chunk: Buffer) => {
        received += chunk.toString();
        if (!received.endsWith("ping")) return;
        socket.destroy();
        resolve(received);
      });
      socket.write("ping");
    });
    request.end();
  });
  assert.equal(text, "adminping");
});
