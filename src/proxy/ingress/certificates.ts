import { createSecureContext, type SecureContext } from "node:tls";
import type { Secret } from "../../api/generated/types/core-v1.ts";
import type { Ingress } from "../../api/generated/types/networking-v1.ts";
import type { Lister } from "../../client/informer.ts";
import type { Logger } from "../../lib/logger.ts";
import { tlsHostsOf, wildcardOf } from "./route-table.ts";

/** Secrets by the host names that Ingresses use them for. */
export interface Certificates {
  /** Names what is used from now on; of two Ingresses that claim a host the first has it. */
  use(ingresses: readonly Ingress[]): void;
  /** `undefined` when no Ingress has a usable certificate for the name or its wildcard. */
  contextOf(serverName: string): SecureContext | undefined;
}

interface Parsed {
  resourceVersion: string | undefined;
  context: SecureContext | undefined;
}

/** Keys are parsed once for each version of a Secret, when somebody first asks for a name. */
export function createCertificates(secrets: Lister<Secret>, logger: Logger): Certificates {
  let secretOfHost = new Map<string, string>();
  const parsed = new Map<string, Parsed>();

  const contextFor = (key: string): SecureContext | undefined => {
    const [namespace, name = ""] = key.split("/");
    const secret = secrets.get(namespace, name);
    const resourceVersion = secret?.metadata?.resourceVersion;
    const known = parsed.get(key);
    if (known && known.resourceVersion === resourceVersion) return known.context;
    const context = secret && parse(secret, logger);
    parsed.set(key, { resourceVersion, context });
    return context;
  };

  return {
    use(ingresses) {
      secretOfHost = new Map();
      for (const ingress of ingresses) {
        for (const { hosts, secretName } of ingress.spec?.tls ?? []) {
          if (!secretName) continue;
          const key = `${ingress.metadata?.namespace}/${secretName}`;
          for (const host of tlsHostsOf(ingress, hosts)) {
            if (!secretOfHost.has(host)) secretOfHost.set(host, key);
          }
        }
      }
      const used = new Set(secretOfHost.values());
      for (const key of parsed.keys()) if (!used.has(key)) parsed.delete(key);
    },
    contextOf(serverName) {
      const key = secretOfHost.get(serverName) ?? secretOfHost.get(wildcardOf(serverName));
      return key === undefined ? undefined : contextFor(key);
    },
  };
}

function parse({ metadata, data = {} }: Secret, logger: Logger): SecureContext | undefined {
  const text = (key: string) => Buffer.from(data[key] ?? "", "base64").toString();
  try {
    return createSecureContext({ cert: text("tls.crt"), key: text("tls.key") });
  } catch (error) {
    const { namespace, name } = metadata ?? {};
    logger.warn("a TLS secret has no usable certificate", { namespace, name, error });
    return undefined;
  }
}
