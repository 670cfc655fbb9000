import type { IncomingMessage } from "node:http";
import type { TLSSocket } from "node:tls";

/** Who knocks at a node's endpoint, as far as the connection and the headers tell. */
export interface NodeCaller {
  /** Value of the Authorization header. */
  authorization: string | undefined;
  /** In DER, verified against the client CA. */
  clientCertificate: Uint8Array | undefined;
  /** There was a certificate that the client CA does not vouch for. */
  isUntrusted: boolean;
}

/** What a request to the endpoint needs on the Node object, as a kubelet asks for it. */
export interface NodeAttributes {
  /** Of the API, such as "get". */
  verb: string;
  /** Such as "metrics". */
  subresource: string;
}

/**
 * Lets a caller in whom the API server knows and allows. @throws StatusError Unauthorized or
 * Forbidden, or what the API server says
 */
export type AskAccess = (caller: NodeCaller, needed: NodeAttributes) => Promise<void>;

const VERBS: ReadonlyMap<string, string> = new Map([
  ["GET", "get"],
  ["HEAD", "get"],
  ["POST", "create"],
  ["PUT", "update"],
  ["PATCH", "patch"],
  ["DELETE", "delete"],
]);
/** Roots of the paths that are no matter of `nodes/proxy`. */
const SUBRESOURCES: ReadonlyMap<string, string> = new Map([
  ["metrics", "metrics"],
  ["stats", "stats"],
  ["logs", "log"],
  ["checkpoint", "checkpoint"],
]);

/** Whoever sent a request. */
export function callerOf({ headers, socket }: IncomingMessage): NodeCaller {
  const connection = socket as TLSSocket;
  const { authorized } = connection;
  const shown = connection.getPeerCertificate().raw as Buffer | undefined;
  return {
    authorization: headers.authorization,
    clientCertificate: authorized ? shown : undefined,
    isUntrusted: !authorized && shown !== undefined,
  };
}

/** Source: the paths of kubelet's own endpoint. */
export function attributesOf({ method = "", url = "" }: IncomingMessage): NodeAttributes {
  const [, root = ""] = /^\/([^/?]*)/.exec(url) ?? [];
  return {
    verb: VERBS.get(method) ?? method.toLowerCase(),
    subresource: SUBRESOURCES.get(root) ?? "proxy",
  };
}
