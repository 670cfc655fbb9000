import { createHash } from "node:crypto";
import {
  type Descriptor,
  isManifest,
  MANIFEST_MEDIA_TYPES,
} from "../../../format/oci/image-manifest.ts";
import { ImageError } from "../contract.ts";
import { DOCUMENT_MAX_BYTES, type ImageSource } from "../image-source.ts";
import { RegistryError } from "./registry-error.ts";
import type { RegistrySession } from "./registry-session.ts";

const ACCEPT = { accept: MANIFEST_MEDIA_TYPES.join(", ") };
const DIGEST = /^sha256:[0-9a-f]{64}$/;

/** Digest that a tag stands for; undefined when the registry does not tell without the manifest. */
export async function resolveTag(
  session: RegistrySession,
  tag: string,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const path = `/manifests/${tag}`;
  const answer = await session.ask({ method: "HEAD", path, headers: ACCEPT, signal });
  answer.destroy();
  const digest = answer.headers["docker-content-digest"];
  return typeof digest === "string" && DIGEST.test(digest) ? digest : undefined;
}

/** What a tag or a digest points to, and its bytes. @throws RegistryError, ImageError */
export async function fetchManifest(
  session: RegistrySession,
  name: string,
  signal: AbortSignal | undefined,
): Promise<{ descriptor: Descriptor; text: string }> {
  const { bytes, type } = await fetchDocument(session, `/manifests/${name}`, signal);
  const digest = digestOf(bytes);
  if (DIGEST.test(name) && name !== digest) throw mismatch(session, name, digest);
  const text = bytes.toString("utf8");
  const mediaType = type || declaredType(text);
  return { descriptor: { mediaType, digest, size: bytes.length }, text };
}

/** The documents of an image in a registry; its layers are downloaded apart. */
export function registrySource(
  session: RegistrySession,
  root: { descriptor: Descriptor; text: string },
  signal: AbortSignal | undefined,
): ImageSource {
  return {
    async document(name, blob) {
      if (name === "index.json") return JSON.stringify({ manifests: [root.descriptor] });
      if (!blob) return undefined;
      if (blob.digest === root.descriptor.digest) return root.text;
      const path = `/${isManifest(blob) ? "manifests" : "blobs"}/${blob.digest}`;
      const { bytes } = await fetchDocument(session, path, signal);
      const digest = digestOf(bytes);
      if (digest !== blob.digest) throw mismatch(session, blob.digest, digest);
      return bytes.toString("utf8");
    },
    stream: (name) => {
      throw new ImageError("pull-failed", `"${name}" of ${session.repository} was not downloaded`);
    },
  };
}

async function fetchDocument(
  session: RegistrySession,
  path: string,
  signal: AbortSignal | undefined,
): Promise<{ bytes: Buffer; type: string }> {
  const answer = await session.ask({ method: "GET", path, headers: ACCEPT, signal });
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of answer) {
      chunks.push(chunk as Buffer);
      length += (chunk as Buffer).length;
      if (length <= DOCUMENT_MAX_BYTES) continue;
      const message = `registry ${session.host} sends more than 4 MiB for ${path}`;
      throw new RegistryError("malformed", message);
    }
  } catch (cause) {
    if (cause instanceof RegistryError || signal?.aborted) throw cause;
    const message = `registry ${session.host} broke off its answer: ${(cause as Error).message}`;
    throw new RegistryError("unavailable", message, { cause });
  } finally {
    answer.destroy();
  }
  const type = (answer.headers["content-type"] ?? "").split(";")[0]?.trim() ?? "";
  return { bytes: Buffer.concat(chunks), type };
}

/** For a registry that does not say it in the header. */
function declaredType(text: string): string {
  try {
    const { mediaType } = JSON.parse(text) as { mediaType?: unknown };
    return typeof mediaType === "string" ? mediaType : "";
  } catch {
    return "";
  }
}

function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

function mismatch(session: RegistrySession, wanted: string, actual: string): ImageError {
  return new ImageError(
    "digest-mismatch",
    `registry ${session.host} sent ${actual} for ${wanted} of ${session.repository}`,
  );
}
