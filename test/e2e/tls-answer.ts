import { execFileSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import { tmpdir } from "node:os";
import path from "node:path";
import type { TLSSocket } from "node:tls";
import type { HttpAnswer } from "./http-answer.ts";

/** A certificate that vouches for itself, and its key, in PEM. */
export interface OwnCertificate {
  certificate: string;
  key: string;
  fingerprint: string;
}

/** Makes a certificate for a DNS name, good for a day. */
export function makeCertificate(name: string): OwnCertificate {
  const directory = mkdtempSync(path.join(tmpdir(), "nephos-e2e-tls-"));
  try {
    const [certificateFile, keyFile] = ["tls.crt", "tls.key"].map((file) =>
      path.join(directory, file),
    ) as [string, string];
    const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    const names = ["-subj", `/CN=${name}`, "-addext", `subjectAltName=DNS:${name}`];
    const files = ["-out", certificateFile, "-keyout", keyFile];
    const args = ["req", "-x509", "-days", "1", ...curve, ...names, ...files];
    execFileSync("openssl", args, { stdio: "ignore" });
    const certificate = readFileSync(certificateFile, "utf8");
    const { fingerprint256 } = new X509Certificate(certificate);
    return { certificate, key: readFileSync(keyFile, "utf8"), fingerprint: fingerprint256 };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** One request by TLS; whoever answers is believed, and told by its certificate. */
export async function askByTls(of: {
  ip: string;
  host: string;
}): Promise<HttpAnswer & { fingerprint: string }> {
  const asked = request({
    host: of.ip,
    port: 443,
    servername: of.host,
    headers: { host: of.host },
    agent: false,
    rejectUnauthorized: false,
    signal: AbortSignal.timeout(5_000),
  });
  asked.end();
  const [response] = (await once(asked, "response")) as [IncomingMessage];
  const { fingerprint256: fingerprint } = (response.socket as TLSSocket).getPeerCertificate();
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return { status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString(), fingerprint };
}
