import { readFileSync } from "node:fs";
import path from "node:path";
import { parse } from "yaml";
import type { HttpsTransportOptions } from "./https-transport.ts";

interface Kubeconfig {
  "current-context"?: string;
  contexts?: { name: string; context: { cluster: string; user?: string; namespace?: string } }[];
  clusters?: { name: string; cluster: Record<string, string | boolean> }[];
  users?: { name: string; user: Record<string, string> }[];
}

/** Where a kubeconfig's context leads. */
export interface KubeconfigTarget extends HttpsTransportOptions {
  /** Namespace of the context; "default" when it names none. */
  namespace: string;
}

/**
 * Reads one context (the current one by default) of a kubeconfig. Files that it names are read
 * relative to `directory`. Exec plugins are not run. @throws Error that says what is missing
 */
export function loadKubeconfig(
  text: string,
  options: { context?: string; directory?: string } = {},
): KubeconfigTarget {
  const config = parse(text) as Kubeconfig | null;
  const contextName = options.context ?? config?.["current-context"];
  const context = config?.contexts?.find(({ name }) => name === contextName)?.context;
  if (!context) throw new Error(`Cannot load kubeconfig: it has no context "${contextName}"`);
  const cluster = config?.clusters?.find(({ name }) => name === context.cluster)?.cluster;
  if (!cluster) throw new Error(`Cannot load kubeconfig: it has no cluster "${context.cluster}"`);
  const user = config?.users?.find(({ name }) => name === context.user)?.user ?? {};
  const server = cluster["server"];
  if (typeof server !== "string") {
    throw new Error(`Cannot load kubeconfig: cluster "${context.cluster}" names no server`);
  }
  const pem = (entry: Record<string, unknown>, field: string) =>
    readPem(entry, { field, directory: options.directory ?? "." });
  const caPem = pem(cluster, "certificate-authority");
  const certPem = pem(user, "client-certificate");
  const keyPem = pem(user, "client-key");
  const token = user["token"];
  return {
    server,
    namespace: context.namespace ?? "default",
    ...(caPem ? { caPem } : {}),
    ...(certPem ? { certPem } : {}),
    ...(keyPem ? { keyPem } : {}),
    ...(token ? { token } : {}),
  };
}

function readPem(
  entry: Record<string, unknown>,
  { field, directory }: { field: string; directory: string },
): string | undefined {
  const data = entry[`${field}-data`];
  if (typeof data === "string") return Buffer.from(data, "base64").toString();
  const file = entry[field];
  return typeof file === "string" ? readFileSync(path.resolve(directory, file), "utf8") : undefined;
}
