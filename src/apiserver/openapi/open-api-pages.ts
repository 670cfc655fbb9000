import { createHash } from "node:crypto";
import { gunzipSync, gzipSync } from "node:zlib";
import type { Resource } from "../../api/resource.ts";
import type { SchemaModel } from "../../api/schema/model.ts";
import type { JsonSchema } from "./schemas.ts";
import { buildOpenApiV3, openApiKeyOf, openApiV3Index } from "./v3.ts";

/** What is served now. */
export interface OpenApiInput {
  model: SchemaModel;
  /** Such as "v1.32.0"; part of the hashes, so that clients drop documents of older servers. */
  version: string;
  /** All resources, custom ones too. */
  resources(): readonly Resource[];
  /** Grows whenever `resources` or a custom schema changes. */
  generation(): number;
  /** JSON schema of a custom kind; `undefined` for a built-in one. */
  customSchema?(resource: Resource): JsonSchema | undefined;
}

/** An answer of `OpenApiPages`. */
export interface OpenApiPage {
  contentType: string;
  etag: string;
  bytes: Uint8Array;
}

interface Document {
  hash: string;
  resources: readonly Resource[];
  /** Built when first asked for. */
  compressed: Buffer | undefined;
}

/** Serves /openapi/v3. Documents are built on demand and kept compressed. */
export class OpenApiPages {
  readonly #input: OpenApiInput;
  #generation = -1;
  #documents: ReadonlyMap<string, Document> = new Map();

  constructor(input: OpenApiInput) {
    this.#input = input;
  }

  /** `undefined` when nothing is served at the path. */
  page(path: string): OpenApiPage | undefined {
    const [, key] = /^\/openapi\/v3(?:\/(.*))?$/.exec(path) ?? [];
    if (key) return this.#document(key);
    return path.startsWith("/openapi/v3") ? this.#index() : undefined;
  }

  #index(): OpenApiPage {
    const hashes = new Map([...this.#current()].map(([key, { hash }]) => [key, hash]));
    const bytes = Buffer.from(JSON.stringify(openApiV3Index(hashes)));
    return { contentType: "application/json", etag: `"${hashOf(bytes)}"`, bytes };
  }

  #document(key: string): OpenApiPage | undefined {
    const document = this.#current().get(key);
    if (!document) return undefined;
    document.compressed ??= this.#build(document.resources);
    const bytes = gunzipSync(document.compressed);
    return { contentType: "application/json", etag: `"${document.hash}"`, bytes };
  }

  #build(resources: readonly Resource[]): Buffer {
    const { model, version } = this.#input;
    const customSchema = (resource: Resource) => this.#input.customSchema?.(resource);
    const document = buildOpenApiV3({ model, version, resources, customSchema });
    return gzipSync(JSON.stringify(document));
  }

  /** Documents whose resources did not change stay built. */
  #current(): ReadonlyMap<string, Document> {
    const generation = this.#input.generation();
    if (generation === this.#generation) return this.#documents;
    const groups = new Map<string, Resource[]>();
    for (const resource of this.#input.resources()) {
      const key = openApiKeyOf(resource);
      groups.set(key, [...(groups.get(key) ?? []), resource]);
    }
    const documents = new Map<string, Document>();
    for (const [key, resources] of groups) {
      const hash = this.#hash(resources);
      const old = this.#documents.get(key);
      documents.set(key, old?.hash === hash ? old : { hash, resources, compressed: undefined });
    }
    this.#documents = documents;
    this.#generation = generation;
    return documents;
  }

  /** Of what a document is made from, so that an index needs no document. */
  #hash(resources: readonly Resource[]): string {
    const custom = resources.map((resource) => this.#input.customSchema?.(resource) ?? null);
    return hashOf(Buffer.from(JSON.stringify([this.#input.version, resources, custom])));
  }
}

function hashOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex").toUpperCase();
}
