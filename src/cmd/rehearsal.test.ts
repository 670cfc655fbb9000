import assert from "node:assert/strict";
import { test } from "node:test";
import type { ApiRequest, Transport } from "../api/transport.ts";
import type { Logger } from "../lib/logger.ts";
import { rehearse } from "./rehearsal.ts";

/** An API server that answers with the pod or refuses it, and what was asked and told. */
function stage({ refusal, webhooks = "" }: { refusal?: Error; webhooks?: string } = {}) {
  const asked: ApiRequest[] = [];
  const told: { message: string; fields: Record<string, unknown> | undefined }[] = [];
  const api: Transport = {
    request: (request) => {
      if (request.method === "GET") {
        const isThere = webhooks !== "" && request.path.includes(webhooks);
        const items = isThere ? [{ metadata: { name: "hook" } }] : [];
        return Promise.resolve({ status: 200, body: { metadata: {}, items } });
      }
      asked.push(request);
      return refusal ? Promise.reject(refusal) : Promise.resolve({ status: 201, body: {} });
    },
    watch: () => Promise.reject(new Error("nothing is watched")),
  };
  const tell = (message: string, fields?: Record<string, unknown>) => {
    told.push({ message, fields });
  };
  const logger: Logger = { debug: tell, info: tell, warn: tell, error: tell, with: () => logger };
  return { api, asked, told, logger };
}

test("a pod and a token are created in a dry run, and a pod is placed in memory", async () => {
  const { api, asked, told, logger } = stage();
  await rehearse(api, logger);
  assert.deepEqual(
    asked.map(({ method, path }) => `${method} ${path}`),
    [
      "POST /api/v1/namespaces/default/pods?dryRun=All",
      "POST /api/v1/namespaces/default/serviceaccounts/default/token?dryRun=All",
    ],
  );
  const placed = { message: "a pod was rehearsed", fields: { placement: "Scheduled" } };
  assert.deepEqual(told, [placed]);
});

test("no webhook of anybody is asked about the pod", async () => {
  for (const webhooks of ["mutatingwebhookconfigurations", "validatingwebhookconfigurations"]) {
    const { api, asked, told, logger } = stage({ webhooks });
    await rehearse(api, logger);
    assert.deepEqual(asked, []);
    assert.deepEqual(
      told.map(({ fields }) => fields?.["placement"]),
      ["Scheduled"],
    );
  }
});

test("a pod that is refused ends the rehearsal and nothing else", async () => {
  const refusal = new Error("pods are forbidden");
  const { api, told, logger } = stage({ refusal });
  await rehearse(api, logger);
  assert.deepEqual(
    told.map(({ message, fields }) => [message, fields?.["error"]]),
    [["the rehearsal of a pod ended early", refusal]],
  );
});
