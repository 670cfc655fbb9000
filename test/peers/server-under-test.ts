import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import type { HttpsTransportOptions } from "../../src/client/https-transport.ts";
import type { Pki } from "../../src/apiserver/pki/pki.ts";

/** An API server in a directory of its own, ours or upstream's: comparisons treat them alike. */
export interface ServerUnderTest extends AsyncDisposable {
  name: string;
  /** Holds its state, logs, certificates and kubeconfig; removed when it is disposed. */
  directory: string;
  /** Of the administrator. */
  kubeconfig: string;
  /** The same as data. */
  target: Required<Pick<HttpsTransportOptions, "server" | "caPem" | "certPem" | "keyPem">>;
  pki: Pki;
  /** By program: an API server may need others beside it. */
  pids: Readonly<Record<string, number>>;
}

/** The administrator's way to a server of this machine. */
export function targetAt(port: number, { admin, ca }: Pki): ServerUnderTest["target"] {
  const { certPem, keyPem } = admin;
  return { server: `https://127.0.0.1:${port}`, caPem: ca.pem.certPem, certPem, keyPem };
}

/** Whether the server calls itself ready. @throws Error when it does not answer */
export async function isReady(target: ServerUnderTest["target"]): Promise<boolean> {
  const { caPem: ca, certPem: cert, keyPem: key, server } = target;
  const signal = AbortSignal.timeout(5_000);
  const asked = request(`${server}/readyz`, { ca, cert, key, agent: false, signal });
  asked.end();
  const [response] = (await once(asked, "response")) as [IncomingMessage];
  response.resume();
  return response.statusCode === 200;
}
