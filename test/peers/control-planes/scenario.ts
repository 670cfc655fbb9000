import { setTimeout as delay } from "node:timers/promises";
import { isAlreadyExists } from "../../../src/api/errors.ts";
import type { Transport } from "../../../src/api/transport.ts";

const POLL_MS = 200;
const PATIENCE_MS = 60_000;

/** Any object, as JSON has it. */
export interface Observed {
  metadata: { name: string; generation?: number; [field: string]: unknown };
  spec?: Record<string, unknown>;
  status?: Record<string, unknown>;
  [field: string]: unknown;
}

/** What a scenario does to a cluster, in a namespace of its own. */
export interface Stage {
  readonly namespace: string;
  create(path: string, object: object): Promise<void>;
  patch(path: string, patch: object): Promise<void>;
  remove(path: string, options?: object): Promise<void>;
  /** Waits until `done` holds for the object at a path; `undefined` stands for 404. */
  until(
    path: string,
    done: (object: Observed | undefined) => boolean,
    options?: { patienceMs?: number },
  ): Promise<void>;
}

/** Something that users do, and what has to have come of it in the end. */
export interface Scenario {
  name: string;
  /** Why our controllers cannot do it for an API server of 1.20. */
  tooNew?: string;
  /** Why controllers of 1.20 cannot do it for our API server. */
  tooOld?: string;
  play(stage: Stage): Promise<void>;
}

/** A stage on a cluster; paths are relative to the namespace, or whole with a leading slash. */
export function stageOn(transport: Transport, namespace: string): Stage {
  // "apps/v1/deployments/web" stands for the path with the namespace in it.
  const whole = (path: string) => {
    if (path.startsWith("/")) return path;
    const [first = "", ...rest] = path.split("/");
    if (first === "v1") return `/api/v1/namespaces/${namespace}/${rest.join("/")}`;
    const [version = "", ...more] = rest;
    return `/apis/${first}/${version}/namespaces/${namespace}/${more.join("/")}`;
  };
  const read = async (path: string) => {
    try {
      return (await transport.request({ method: "GET", path: whole(path) })).body as Observed;
    } catch {
      return undefined;
    }
  };
  return {
    namespace,
    async create(path, body) {
      await transport
        .request({ method: "POST", path: whole(path), body })
        .catch((error: unknown) => {
          if (!isAlreadyExists(error)) throw error;
        });
    },
    async patch(path, body) {
      const contentType = "application/merge-patch+json";
      await transport.request({ method: "PATCH", path: whole(path), body, contentType });
    },
    async remove(path, body = {}) {
      await transport.request({ method: "DELETE", path: whole(path), body });
    },
    async until(path, done, { patienceMs = PATIENCE_MS } = {}) {
      const endMs = Date.now() + patienceMs;
      for (;;) {
        const found = await read(path);
        if (done(found)) return;
        if (Date.now() > endMs) {
          throw new Error(`never: ${path} is ${JSON.stringify(found?.status ?? found ?? null)}`);
        }
        await delay(POLL_MS);
      }
    },
  };
}
