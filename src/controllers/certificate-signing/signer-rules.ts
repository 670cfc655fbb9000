import type { CertificateSigningRequest } from "../../api/generated/types/certificates-v1.ts";
import {
  type CertificateRequest,
  parseCertificateRequest,
} from "../../format/x509/certificate-request.ts";
import { decodePem } from "../../format/x509/pem-codec.ts";

export const CLIENT_SIGNER = "kubernetes.io/kube-apiserver-client";
export const KUBELET_CLIENT_SIGNER = "kubernetes.io/kube-apiserver-client-kubelet";
export const KUBELET_SERVING_SIGNER = "kubernetes.io/kubelet-serving";
export const LEGACY_SIGNER = "kubernetes.io/legacy-unknown";

const NODE_GROUP = "system:nodes";
const NODE_PREFIX = "system:node:";

type Rule = (request: CertificateRequest, usages: readonly string[]) => string | undefined;

/** What each built-in signer demands; `undefined` means that it signs. */
const RULES: Readonly<Record<string, Rule>> = {
  [CLIENT_SIGNER]: (_request, usages) => clientUsages(usages),
  [KUBELET_CLIENT_SIGNER]: kubeletClient,
  [KUBELET_SERVING_SIGNER]: kubeletServing,
  // Kept for compatibility: no rule was ever made for it.
  [LEGACY_SIGNER]: () => undefined,
};

/** Signers that this cluster's own authority stands behind. */
export const BUILT_IN_SIGNERS: readonly string[] = Object.keys(RULES);

/** Why the signer refuses the request, or `undefined`. */
export function refusalOf(
  signerName: string,
  request: CertificateRequest,
  usages: readonly string[],
): string | undefined {
  return RULES[signerName]?.(request, usages);
}

/** The request inside an API object. @throws Error in the words of upstream, or a DerError */
export function requestOf({ spec }: CertificateSigningRequest): CertificateRequest {
  const pem = Buffer.from(spec.request, "base64").toString("latin1");
  const [der] = decodePem("CERTIFICATE REQUEST", pem);
  if (!der) throw new Error("PEM block type must be CERTIFICATE REQUEST");
  return parseCertificateRequest(der);
}

/** Whether a node asks for its client certificate, by the rules of that signer. */
export function isKubeletClient(
  { spec }: CertificateSigningRequest,
  request: CertificateRequest,
): boolean {
  if (spec.signerName !== KUBELET_CLIENT_SIGNER) return false;
  return kubeletClient(request, spec.usages ?? []) === undefined;
}

function clientUsages(usages: readonly string[]): string | undefined {
  const allowed = ["digital signature", "key encipherment", "client auth"];
  const foreign = usages.find((usage) => !allowed.includes(usage));
  if (foreign) return `invalid usage for client certificate: ${foreign}`;
  if (usages.includes("client auth")) return undefined;
  return "missing required usage for client certificate: client auth";
}

function nodeSubject({ subject }: CertificateRequest): string | undefined {
  const [group, ...others] = subject.organizations;
  if (group === NODE_GROUP && others.length === 0) return undefined;
  return "subject organization is not system:nodes";
}

function nodeName({ subject }: CertificateRequest): string | undefined {
  if (subject.commonName.startsWith(NODE_PREFIX)) return undefined;
  return "subject common name does not begin with system:node:";
}

/** Newer kubelets with elliptic keys leave key encipherment out. */
function exactUsages(usages: readonly string[], purpose: string): string | undefined {
  const wanted = ["digital signature", "key encipherment", purpose].sort();
  const given = new Set(usages);
  const covered = [...given].every((usage) => wanted.includes(usage));
  if (covered && given.has("digital signature") && given.has(purpose)) return undefined;
  return `usages did not match [${wanted.join(" ")}]`;
}

function kubeletClient(request: CertificateRequest, usages: readonly string[]): string | undefined {
  const { dns, email, ip, uri } = request.names;
  return (
    nodeSubject(request) ??
    (dns > 0 ? "DNS subjectAltNames are not allowed" : undefined) ??
    (email > 0 ? "Email subjectAltNames are not allowed" : undefined) ??
    (ip > 0 ? "IP subjectAltNames are not allowed" : undefined) ??
    (uri > 0 ? "URI subjectAltNames are not allowed" : undefined) ??
    nodeName(request) ??
    exactUsages(usages, "client auth")
  );
}

function kubeletServing(
  request: CertificateRequest,
  usages: readonly string[],
): string | undefined {
  const { dns, email, ip, uri } = request.names;
  return (
    nodeSubject(request) ??
    (dns + ip === 0 ? "DNS or IP subjectAltName is required" : undefined) ??
    (email > 0 ? "Email subjectAltNames are not allowed" : undefined) ??
    (uri > 0 ? "URI subjectAltNames are not allowed" : undefined) ??
    exactUsages(usages, "server auth") ??
    nodeName(request)
  );
}
