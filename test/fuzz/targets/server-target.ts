import { BUILT_IN_RESOURCES } from "../../../src/api/generated/resources.ts";
import { pathOf, type Resource } from "../../../src/api/resource.ts";
import { builtInModel } from "../../../src/api/schema/built-in-model.ts";
import { StatusError } from "../../../src/api/errors.ts";
import { tableFor } from "../../../src/api/table/table.ts";
import { type ServerFixture, startServer } from "../../../src/apiserver/api-server-fixture.ts";
import { ProtobufEncoder } from "../../../src/apiserver/codec/protobuf-encoder.ts";
import { exactJson } from "../../../src/format/json-text.ts";
import { silentLogger } from "../../../src/lib/logger.ts";
import { type AnyTarget, jsonTarget } from "../fuzz-target.ts";
import { SAMPLE_OBJECTS } from "./sample-objects.ts";
import { sampleOfStruct } from "./sample-of-struct.ts";

/** What a client sends: an object of some resource, and then another in its place. */
interface Exchange {
  resource: string;
  create: unknown;
  update: unknown;
}

/** The whole way of a write through the server, for every kind that there is. */
export function serverTarget(): AnyTarget {
  const model = builtInModel();
  const encoder = new ProtobufEncoder(model);
  const resources = new Map<string, Resource>();
  const seeds: Exchange[] = [];
  for (const resource of BUILT_IN_RESOURCES) {
    const struct = model.root(resource);
    if (!struct || !(resource.verbs ?? ["create"]).includes("create")) continue;
    const { apiVersion: _, kind: __, ...sample } = sampleOfStruct(model, struct.name);
    const create = { ...sample, metadata: { name: "a" } };
    const name = pathOf(resource);
    resources.set(name, resource);
    seeds.push({ resource: name, create, update: create });
    const accepted = SAMPLE_OBJECTS.find((object) => object["kind"] === resource.kind);
    if (accepted) seeds.push({ resource: name, create: accepted, update: accepted });
  }
  let running: Promise<Running> | undefined;
  return jsonTarget({
    name: "writes to the server",
    cost: 6,
    seeds,
    refusals: [],
    run: async (input) => {
      const { resource: name, create, update } = (input ?? {}) as Exchange;
      const resource = resources.get(name);
      if (!resource) return;
      running ??= start();
      const server = await running;
      const at = { namespace: "default" };
      const made = await server.send({ method: "POST", path: pathOf(resource, at), body: create });
      const { name: given } = (made?.["metadata"] ?? {}) as { name?: string };
      if (!made || !given) return;
      encoder.encode(made);
      tableFor({ resource, objects: [made], includeObject: "Object", nowMs: 0 });
      const path = pathOf(resource, { ...at, name: given });
      await server.send({ method: "PUT", path, body: update });
      await server.send({ method: "DELETE", path: `${path}?gracePeriodSeconds=0` });
    },
    close: async () => {
      await (await running)?.fixture[Symbol.asyncDispose]();
      running = undefined;
    },
  });
}

interface Running {
  fixture: ServerFixture;
  /** The answer, or nothing when it was refused. @throws what the server did not expect */
  send(request: Request): Promise<Record<string, unknown> | undefined>;
}

interface Request {
  method: "POST" | "PUT" | "DELETE";
  path: string;
  body?: unknown;
}

async function start(): Promise<Running> {
  const unexpected: unknown[] = [];
  const logger = {
    ...silentLogger,
    error: (_message: string, fields?: Readonly<Record<string, unknown>>) => {
      unexpected.push(fields?.["error"]);
    },
  };
  const fixture = await startServer({ logger });
  return {
    fixture,
    send: async ({ method, path, body }) => {
      try {
        const bytes = body === undefined ? {} : { body: Buffer.from(exactJson(body)) };
        return (await fixture.transport.request({ method, path, ...bytes })).body as Record<
          string,
          unknown
        >;
      } catch (error) {
        if (unexpected.length > 0) throw unexpected.pop();
        if (!(error instanceof StatusError) || error.status.code === 500) throw error;
        return undefined;
      }
    },
  };
}
