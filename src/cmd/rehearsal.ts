import {
  MUTATING_WEBHOOK_CONFIGURATIONS,
  NODES,
  PODS,
  VALIDATING_WEBHOOK_CONFIGURATIONS,
} from "../api/generated/resources.ts";
import type { Pod } from "../api/generated/types/core-v1.ts";
import type { Transport } from "../api/transport.ts";
import type { RecordedEvent } from "../client/event-recorder.ts";
import { createInformerFactory } from "../client/informer-factory.ts";
import { MemoryTransport } from "../client/memory-transport.ts";
import { createClient } from "../client/resource-client.ts";
import { sleep } from "../lib/clock.ts";
import { type Logger, silentLogger } from "../lib/logger.ts";
import { runScheduler } from "../scheduler/scheduler.ts";
import { systemClock } from "../sys/clock.ts";
import { systemRandom } from "../sys/random.ts";

const NAMESPACE = "default";
/** Longer than that, nothing is waited for. */
const PATIENCE_MS = 1_000;

/** What most pods ask for, so that their code is the one that is compiled. */
const POD: Pod = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "rehearsal", namespace: NAMESPACE, labels: { app: "rehearsal" } },
  spec: {
    containers: [
      {
        name: "main",
        image: "rehearsal.invalid/none:1",
        command: ["true"],
        env: [{ name: "REHEARSAL", value: "1" }],
        resources: { requests: { cpu: "10m", memory: "1Mi" } },
      },
    ],
  },
};

const TOKEN_REQUEST = { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: {} };

/**
 * Does once what the first pod of a young process would wait for, as V8 compiles a function when it
 * is called first: a pod and a token are created in a dry run, unless webhooks would be asked about
 * them, and another pod is placed in memory. Nothing is stored, nothing is told but to the audit
 * log. Never throws.
 */
export async function rehearse(api: Transport, logger: Logger): Promise<void> {
  try {
    if (!(await hasWebhooks(api))) await createDry(api);
    logger.debug("a pod was rehearsed", { placement: await place() });
  } catch (error) {
    // Admission may refuse such a pod; what was compiled until then is compiled.
    logger.debug("the rehearsal of a pod ended early", { error });
  }
}

/** Whoever decides outside about pods is not to be asked about one that nobody wants. */
async function hasWebhooks(api: Transport): Promise<boolean> {
  const client = createClient(api);
  const lists = await Promise.all([
    client.for(MUTATING_WEBHOOK_CONFIGURATIONS).list({}),
    client.for(VALIDATING_WEBHOOK_CONFIGURATIONS).list({}),
  ]);
  return lists.some(({ items }) => items.length > 0);
}

async function createDry(api: Transport): Promise<void> {
  const create = async (what: string, object: object) => {
    const path = `/api/v1/namespaces/${NAMESPACE}/${what}?dryRun=All`;
    await api.request({ method: "POST", path, body: Buffer.from(JSON.stringify(object)) });
  };
  await create("pods", POD);
  await create("serviceaccounts/default/token", TOKEN_REQUEST);
}

/** What the scheduler says of the pod in the end, "Scheduled"; undefined when that takes long. */
async function place(): Promise<string | undefined> {
  const sources = { clock: systemClock, random: systemRandom, logger: silentLogger };
  const client = createClient(new MemoryTransport());
  const status = { allocatable: { cpu: "1", memory: "1Gi", pods: "1" } };
  await client.for(NODES).create({ metadata: { name: "rehearsal" }, spec: {}, status });
  await client.for(PODS).create({ ...POD, status: {} });
  await using informers = createInformerFactory({ ...sources, client });
  const ended = new AbortController();
  let verdict: string | undefined;
  const events = {
    record: ({ reason }: RecordedEvent) => {
      verdict = reason;
      ended.abort();
    },
  };
  using _scheduler = runScheduler({ ...sources, client, informers, events });
  await sleep(systemClock, PATIENCE_MS, ended.signal);
  return verdict;
}
