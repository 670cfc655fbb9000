import { ENDPOINT_SLICES, SERVICES } from "../../api/generated/resources.ts";
import type { Clock } from "../../lib/clock.ts";
import type { ObjectReader, UserInfo } from "../contract.ts";
import type { RemoteGroupVersion } from "./api-service-table.ts";
import type { RemoteClient } from "./remote-client.ts";

const TIMEOUT_MS = 5_000;
const ANSWER_MAX_BYTES = 4 * 1024 * 1024;
/** It may read the discovery document of every server. */
const CHECKER: UserInfo = { name: "system:kube-aggregator", groups: ["system:masters"] };

/** What a check found, in the words of the condition `Available`. */
export interface Availability {
  status: "True" | "False";
  reason: string;
  message: string;
}

/** What a check found, and the discovery document when there was one. */
export interface CheckResult {
  condition: Availability;
  document?: unknown;
  /** Hash of the group-version's OpenAPI document, where the server has one. */
  openApiHash?: string;
}

export const LOCAL: Availability = {
  status: "True",
  reason: "Local",
  message: "Local APIServices are always available",
};

/** Looks at the Service, at its endpoints, and asks for the discovery document. */
export async function checkAvailability(
  remote: RemoteGroupVersion,
  parts: { reader: ObjectReader; client: RemoteClient; clock: Clock },
): Promise<CheckResult> {
  const problem = serviceProblem(remote, parts.reader);
  if (problem) return { condition: { status: "False", ...problem } };
  try {
    const document = await fetchJson(remote, pathOf(remote), parts);
    const openApiHash = await findOpenApi(remote, parts);
    const message = "all checks passed";
    return { condition: { status: "True", reason: "Passed", message }, document, openApiHash };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const { name, namespace, port } = remote.service;
    const url = `https://${name}.${namespace}.svc:${port}${pathOf(remote)}`;
    const message = `failing or missing response from ${url}: ${why}`;
    return { condition: { status: "False", reason: "FailedDiscoveryCheck", message } };
  }
}

function pathOf({ group, version }: RemoteGroupVersion): string {
  return `/apis/${group}/${version}`;
}

function serviceProblem(
  { service }: RemoteGroupVersion,
  reader: ObjectReader,
): { reason: string; message: string } | undefined {
  const { name, namespace, port } = service;
  const what = `service/${name} in "${namespace}"`;
  const found = reader.get(SERVICES, { namespace, name });
  if (!found) return { reason: "ServiceNotFound", message: `${what} is not present` };
  if ((found.spec?.type ?? "ClusterIP") !== "ClusterIP") return undefined;
  const wanted = found.spec?.ports?.find((each) => each.port === port);
  if (!wanted) {
    const message = `${what} is not listening on port ${port}`;
    return { reason: "ServicePortError", message };
  }
  const slices = reader
    .list(ENDPOINT_SLICES, namespace)
    .filter(({ metadata }) => metadata?.labels?.["kubernetes.io/service-name"] === name);
  if (slices.length === 0) {
    return { reason: "EndpointsNotFound", message: `cannot find endpoints for ${what}` };
  }
  const portName = wanted.name ?? "";
  const isActive = slices.some(
    ({ endpoints, ports }) =>
      endpoints.some(({ conditions }) => conditions?.ready !== false) &&
      (ports ?? []).some((each) => (each.name ?? "") === portName),
  );
  if (isActive) return undefined;
  const message = `endpoints for ${what} have no addresses with port name "${portName}"`;
  return { reason: "MissingEndpoints", message };
}

/** Older servers have none: that is no reason to be unavailable. "" then. */
async function findOpenApi(
  remote: RemoteGroupVersion,
  parts: { client: RemoteClient; clock: Clock },
): Promise<string> {
  const index = await fetchJson(remote, "/openapi/v3", parts).catch(() => undefined);
  const { paths } = (index ?? {}) as { paths?: Record<string, { serverRelativeURL?: unknown }> };
  const url = paths?.[pathOf(remote).slice(1)]?.serverRelativeURL;
  return /[?&]hash=([\w-]+)/.exec(typeof url === "string" ? url : "")?.[1] ?? "";
}

/** A JSON document of another server, bounded in time and size. @throws Error without one */
export async function fetchJson(
  remote: RemoteGroupVersion,
  path: string,
  { client, clock }: { client: RemoteClient; clock: Clock },
): Promise<unknown> {
  const deadline = new AbortController();
  const timer = clock.setTimer(TIMEOUT_MS, () =>
    deadline.abort(new Error("context deadline exceeded")),
  );
  try {
    return await new Promise((resolve, reject) => {
      const request = client.open(remote, {
        method: "GET",
        path,
        user: CHECKER,
        headers: { accept: "application/json" },
        signal: deadline.signal,
      });
      request.once("error", reject);
      request.once("response", (response) => {
        const { statusCode = 0 } = response;
        const chunks: Buffer[] = [];
        let sizeBytes = 0;
        response.on("data", (chunk: Buffer) => {
          sizeBytes += chunk.byteLength;
          if (sizeBytes > ANSWER_MAX_BYTES) request.destroy(new Error("the answer is too large"));
          else chunks.push(chunk);
        });
        response.once("error", reject);
        response.once("end", () => {
          if (statusCode < 200 || statusCode >= 300) reject(new Error(`bad status: ${statusCode}`));
          else resolve(parse(Buffer.concat(chunks).toString()));
        });
      });
      request.end();
    });
  } catch (error) {
    throw deadline.signal.aborted ? (deadline.signal.reason as Error) : error;
  } finally {
    timer.cancel();
  }
}

/** Any answer proves that somebody serves; only a document can be shown in discovery. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
