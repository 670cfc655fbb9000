import { createHash } from "node:crypto";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { MEDIA_TYPES } from "../../../format/oci/image-manifest.ts";
import type { ImageBlobs } from "../../../format/oci/image-writer.ts";

/** A registry in this process, as small as the protocol allows. */
export interface FakeRegistry extends AsyncDisposable {
  /** "127.0.0.1:4321". */
  readonly host: string;
  /** "GET /v2/app/manifests/1", with the range if one was asked for; in the order they came. */
  readonly requests: string[];
  /** `Authorization` of these requests. */
  readonly proofs: (string | undefined)[];
  /** Behaviour of the next answers. */
  readonly mood: {
    /** Who may ask: nobody proves anything, by password, or by a token for that password. */
    auth: "none" | "basic" | "token";
    /** So many downloads of this blob break off half-way; then all answers have that status. */
    breaks?: { digest: string; times: number; then?: number };
    /** Half of this blob comes, and then nothing. */
    held?: string;
    /** Answers blobs from here. */
    redirectTo?: string;
    /** All answers are this one. */
    status?: number;
    /** Replaces the bytes of this digest. */
    forged?: { digest: string; bytes: Uint8Array };
  };
  push(name: string, image: ImageBlobs): void;
  /** Makes `name` an index of images by architecture. Returns its digest. */
  pushIndex(name: string, images: Readonly<Record<string, ImageBlobs>>): string;
}

/** User and password that a registry in the mood for it wants. */
export const USER = { username: "me", password: "secret" };
const BASIC = `Basic ${Buffer.from("me:secret").toString("base64")}`;
const TOKEN = "a-token";

/** Listens on a free port of 127.0.0.1. */
export async function startFakeRegistry(): Promise<FakeRegistry> {
  const blobs = new Map<string, Uint8Array>();
  const types = new Map<string, string>();
  const tags = new Map<string, string>();
  const requests: string[] = [];
  const proofs: (string | undefined)[] = [];
  const mood: FakeRegistry["mood"] = { auth: "none" };
  const server = http.createServer((request, response) => {
    const { method = "", url = "", headers } = request;
    requests.push([method, url, headers.range].filter(Boolean).join(" "));
    proofs.push(headers.authorization);
    const refuse = (status: number, code: string, more: http.OutgoingHttpHeaders = {}) => {
      response.writeHead(status, { "content-type": "application/json", ...more });
      response.end(JSON.stringify({ errors: [{ code, message: code.toLowerCase() }] }));
    };
    if (mood.status) return refuse(mood.status, "MOODY");
    if (url.startsWith("/token")) {
      if (headers.authorization !== BASIC) return refuse(401, "DENIED");
      return response.end(JSON.stringify({ token: TOKEN }));
    }
    const wanted = { none: undefined, basic: BASIC, token: `Bearer ${TOKEN}` }[mood.auth];
    if (wanted && headers.authorization !== wanted) {
      const realm = `Bearer realm="http://${host}/token",service="fake"`;
      const challenge = mood.auth === "basic" ? 'Basic realm="fake"' : realm;
      return refuse(401, "UNAUTHORIZED", { "www-authenticate": challenge });
    }
    const [, , repository = "", kind = "", name = ""] = url.split("/");
    const digest = tags.get(`${repository}:${name}`) ?? name;
    const found = mood.forged?.digest === digest ? mood.forged.bytes : blobs.get(digest);
    if (!found) return refuse(404, kind === "manifests" ? "MANIFEST_UNKNOWN" : "BLOB_UNKNOWN");
    if (kind === "blobs" && mood.redirectTo) {
      return response.writeHead(307, { location: `${mood.redirectTo}${url}` }).end();
    }
    const start = Number(/^bytes=(\d+)-$/.exec(headers.range ?? "")?.[1] ?? 0);
    const whole = { "content-length": found.length - start };
    response.writeHead(start > 0 ? 206 : 200, {
      ...whole,
      "content-type": types.get(digest) ?? "application/octet-stream",
      "docker-content-digest": digest,
      ...(start > 0 && { "content-range": `bytes ${start}-${found.length - 1}/${found.length}` }),
    });
    if (method === "HEAD") return response.end();
    if (mood.held === digest) return response.write(found.subarray(start, found.length / 2));
    if (mood.breaks?.digest === digest && mood.breaks.times > 0) {
      mood.breaks.times--;
      if (mood.breaks.then) mood.status = mood.breaks.then;
      const half = found.subarray(start, start + Math.ceil((found.length - start) / 2));
      return response.write(half, () => response.destroy());
    }
    return response.end(found.subarray(start));
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const add = (image: ImageBlobs) => {
    for (const [digest, bytes] of image.blobs) blobs.set(digest, bytes);
    types.set(image.manifest.digest, image.manifest.mediaType);
  };
  return {
    host,
    requests,
    proofs,
    mood,
    push(name, image) {
      add(image);
      tags.set(name, image.manifest.digest);
    },
    pushIndex(name, images) {
      const manifests = Object.entries(images).map(([architecture, image]) => {
        add(image);
        return { ...image.manifest, platform: { os: "linux", architecture } };
      });
      const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, manifests }));
      const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
      blobs.set(digest, bytes);
      types.set(digest, MEDIA_TYPES.index);
      tags.set(name, digest);
      return digest;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
