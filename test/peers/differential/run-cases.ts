import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { Agent, request } from "node:https";
import type { ServerUnderTest } from "../server-under-test.ts";
import { setTimeout } from "node:timers/promises";
import type { Answer, Case, CaseRequest, Definition } from "./case.ts";

const REQUEST_MS = 20_000;
const AT_ONCE = 4;
const DEFINITION_MS = 20_000;
const POLL_MS = 50;

/** Answers of a case, one for each of its steps. */
export type Answers = ReadonlyMap<string, readonly Answer[]>;

/** Name of a case's own namespace. */
export function namespaceOf({ name }: Case): string {
  return `d-${name.toLowerCase().replace(/[^a-z0-9]+/g, "-")}`.slice(0, 63).replace(/-+$/, "");
}

/** Sends the requests of all cases, a few at a time */
export async function runCases(
  { target }: ServerUnderTest,
  { cases, translate }: { cases: readonly Case[]; translate: (one: CaseRequest) => CaseRequest },
): Promise<Answers> {
  const { caPem: ca, certPem: cert, keyPem: key, server } = target;
  const agent = new Agent({ keepAlive: true, ca, cert, key });
  const answers = new Map<string, readonly Answer[]>();
  const waiting = cases.values();
  const send = (one: CaseRequest) => sendRequest(one, { agent, server });
  const work = async () => {
    for (const each of waiting) {
      const namespace = namespaceOf(each);
      if (each.definition) await define(each.definition, send);
      for (const prepared of preparationOf(each, namespace)) await send(prepared);
      const received: Answer[] = [];
      for (const step of each.steps) received.push(await send(translate(inside(namespace, step))));
      answers.set(each.name, received);
    }
  };
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  } finally {
    agent.destroy();
  }
  return answers;
}

/** Waits until every version is served: that is some moments after the definition is there. */
async function define(
  { plural, body }: Definition,
  send: (one: CaseRequest) => Promise<Answer>,
): Promise<void> {
  const path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
  await send({ method: "POST", path, body });
  const { group, versions } = body.spec;
  const deadline = AbortSignal.timeout(DEFINITION_MS);
  for (const { name } of versions) {
    const served = { method: "GET", path: `/apis/${group}/${name}/${plural}` } as const;
    while ((await send(served)).status !== 200) {
      deadline.throwIfAborted();
      await setTimeout(POLL_MS);
    }
  }
}

function preparationOf({ steps }: Case, namespace: string): CaseRequest[] {
  if (!steps.some(({ path }) => path.includes("$ns"))) return [];
  const of = (kind: string, name: string) => ({ apiVersion: "v1", kind, metadata: { name } });
  const inNamespace = `/api/v1/namespaces/${namespace}`;
  return [
    { method: "POST", path: "/api/v1/namespaces", body: of("Namespace", namespace) },
    {
      method: "POST",
      path: `${inNamespace}/serviceaccounts`,
      body: of("ServiceAccount", "default"),
    },
  ];
}

function inside(namespace: string, step: CaseRequest): CaseRequest {
  return { ...step, path: step.path.replaceAll("$ns", namespace) };
}

async function sendRequest(
  { method, path, body, type, accept = "application/json" }: CaseRequest,
  { agent, server }: { agent: Agent; server: string },
): Promise<Answer> {
  const entity = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
  const sent = request(`${server}${path}`, {
    agent,
    method,
    signal: AbortSignal.timeout(REQUEST_MS),
    headers: {
      accept,
      // Names the field manager.
      "user-agent": "differential/1.0",
      ...(entity === undefined
        ? {}
        : {
            "content-type": type ?? "application/json",
            "content-length": Buffer.byteLength(entity),
          }),
    },
  });
  sent.end(entity);
  let response: IncomingMessage;
  try {
    [response] = (await once(sent, "response")) as [IncomingMessage];
  } catch (error) {
    // A handler that panics closes the connection: that is its answer.
    return { status: 0, contentType: "", body: { message: (error as Error).message } };
  }
  sent.on("error", (error) => response.destroy(error));
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return {
    status: response.statusCode ?? 0,
    contentType: response.headers["content-type"] ?? "",
    body: parse(Buffer.concat(chunks).toString()),
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
