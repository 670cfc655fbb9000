import type { Secret } from "../../api/generated/types/core-v1.ts";
import type { Ingress } from "../../api/generated/types/networking-v1.ts";
import type { Lister } from "../../client/informer.ts";
import type { Logger } from "../../lib/logger.ts";
import type { Endpoint, EndpointTls } from "./upstream.ts";

/** What an Ingress says of the certificates between us and its backends. */
export interface BackendTls {
  /** "namespace/name" of the Ingress. */
  ingress: string;
  /** Nobody is spoken to whose certificate the authority of the Secret did not sign. */
  verifies: boolean;
  /** "namespace/name" of a Secret with `ca.crt`, and `tls.crt` and `tls.key` to show to backends. */
  secret: string | undefined;
  /** Whom the certificate must be for, and whom we ask for. */
  serverName: string;
}

/** Each name of ours, then the one that most write. */
const annotationNames = (ours: string, common: string) => [
  `nephos.dev/backend-tls-${ours}`,
  `nginx.ingress.kubernetes.io/proxy-ssl-${common}`,
];
const VERIFY = annotationNames("verify", "verify");
const SECRET = annotationNames("secret", "secret");
const NAME = annotationNames("name", "name");

/** What the annotations of an Ingress ask for; undefined when they ask for nothing. */
export function backendTlsOf({ metadata }: Ingress, service: string): BackendTls | undefined {
  const { annotations = {}, namespace = "" } = metadata ?? {};
  const textOf = (names: readonly string[]) => names.map((name) => annotations[name]).find(Boolean);
  const verifies = ["on", "true"].includes(textOf(VERIFY)?.toLowerCase() ?? "");
  const given = textOf(SECRET);
  const name = textOf(NAME);
  if (!verifies && !given && !name) return undefined;
  const [first = "", second] = given?.split("/") ?? [];
  // Nobody gets to use what another namespace keeps secret.
  const isOwn = second === undefined || first === namespace;
  const secret = given && isOwn ? `${namespace}/${second ?? first}` : undefined;
  const ingress = `${namespace}/${metadata?.name}`;
  return { ingress, verifies, secret, serverName: name ?? `${service}.${namespace}.svc` };
}

/** Gives endpoints what their Ingress says of their certificates. */
export interface BackendTrust {
  /** The endpoints with it; none while they would have to be verified and cannot be. */
  apply(endpoints: readonly Endpoint[], wanted: BackendTls | undefined): readonly Endpoint[];
}

interface Applied {
  version: string;
  endpoints: readonly Endpoint[];
}

/** `secrets` holds those of type kubernetes.io/tls. */
export function createBackendTrust(secrets: Lister<Secret>, logger: Logger): BackendTrust {
  /** By list of endpoints, which stays the same until it changes, and by what is wanted. */
  const applied = new WeakMap<readonly Endpoint[], WeakMap<BackendTls, Applied>>();
  return {
    apply(endpoints, wanted) {
      if (!wanted || endpoints.length === 0) return endpoints;
      const [namespace, name = ""] = wanted.secret?.split("/") ?? [];
      const secret = wanted.secret ? secrets.get(namespace, name) : undefined;
      const version = secret?.metadata?.resourceVersion ?? "";
      const byWish = applied.get(endpoints) ?? new WeakMap<BackendTls, Applied>();
      applied.set(endpoints, byWish);
      const known = byWish.get(wanted);
      if (known?.version === version) return known.endpoints;
      const tls = tlsOf(wanted, secret);
      if (!tls) {
        logger.warn(
          "backends cannot be verified: the Ingress names no Secret of its namespace of " +
            "type kubernetes.io/tls that has ca.crt",
          { ingress: wanted.ingress, secret: wanted.secret },
        );
      }
      const ready = tls ? endpoints.map((endpoint) => ({ ...endpoint, tls })) : [];
      byWish.set(wanted, { version, endpoints: ready });
      return ready;
    },
  };
}

function tlsOf(
  { verifies, serverName }: BackendTls,
  secret: Secret | undefined,
): EndpointTls | undefined {
  const pem = (key: string) => {
    const text = secret?.data?.[key];
    return text ? Buffer.from(text, "base64").toString() : undefined;
  };
  const [ca, cert, key] = [pem("ca.crt"), pem("tls.crt"), pem("tls.key")];
  if (verifies && !ca) return undefined;
  return {
    id: `${secret?.metadata?.uid ?? ""} ${secret?.metadata?.resourceVersion ?? ""} ${serverName}`,
    rejectUnauthorized: verifies,
    servername: serverName,
    ...(ca ? { ca } : {}),
    ...(cert && key ? { cert, key } : {}),
  };
}
