import type { Page } from "../http/page.ts";
import { createHash } from "node:crypto";
import { gunzipSync, gzipSync } from "node:zlib";
import { GROUP_VERSION_FACTS } from "../../api/generated/facts.ts";
import type { Resource } from "../../api/resource.ts";
import type { SchemaModel } from "../../api/schema/model.ts";
import { preferredType } from "../http/negotiation.ts";
import type { JsonSchema } from "./schemas.ts";
import { buildOpenApiV2, type SwaggerDocument } from "./v2.ts";
import { type RemoteSwagger, withRemote } from "./v2-remote.ts";
import { allDescriptions } from "./descriptions.ts";
import { encodeOpenApiV2 } from "./v2-protobuf.ts";
import { encodeOpenApiV3 } from "./v3-protobuf.ts";
import { buildOpenApiV3, openApiKeyOf, openApiV3Address, openApiV3Index } from "./v3.ts";

/** What is served now. */
export interface OpenApiInput {
  model: SchemaModel;
  /** Such as "v1.32.0"; part of the hashes, so that clients drop documents of older servers. */
  version: string;
  /** All resources, custom ones too. */
  resources(): readonly Resource[];
  /** Grows whenever `resources` or a custom schema changes. */
  generation(): number;
  /** Hashes of documents that other servers have, by their keys; they are asked for there. */
  others?(): ReadonlyMap<string, string>;
  /** What other servers say in their own `/openapi/v2`. */
  otherSwaggers?(): Promise<readonly RemoteSwagger[]>;
  /** JSON schema of a custom kind; `undefined` for a built-in one. */
  customSchema?(resource: Resource): JsonSchema | undefined;
}

interface Document {
  hash: string;
  resources: readonly Resource[];
  /** Built when first asked for. */
  compressed: Buffer | undefined;
}

const JSON_TYPE = "application/json";
/** Clients ask for "v2@v1.0", but "@" in a media type is more than they can parse in answers. */
const SWAGGER_PROTOBUF = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";
const SWAGGER_TYPES = [
  JSON_TYPE,
  SWAGGER_PROTOBUF,
  "application/com.github.proto-openapi.spec.v2@v1.0+protobuf",
] as const;

const V3_PROTOBUF = "application/com.github.proto-openapi.spec.v3.v1.0+protobuf";
const V3_TYPES = [
  JSON_TYPE,
  V3_PROTOBUF,
  "application/com.github.proto-openapi.spec.v3@v1.0+protobuf",
] as const;

/** Serves /openapi/v2 and /openapi/v3. Documents are built on demand and kept compressed. */
export class OpenApiPages {
  readonly #input: OpenApiInput;
  #generation = -1;
  /** Hash of what all documents say of built-in kinds. */
  #texts: string | undefined;
  #documents: ReadonlyMap<string, Document> = new Map();

  constructor(input: OpenApiInput) {
    this.#input = input;
  }

  /**
   * An index or document below /openapi/v3; `undefined` when nothing is there.
   * @param asked.hash of a document, from its address in the index
   * @throws StatusError NotAcceptable; documents exist as JSON and protobuf. The
   * index is JSON, whatever is accepted, as upstream's.
   */
  page(
    path: string,
    asked: { accept?: string | undefined; hash?: string | undefined } = {},
  ): Page | undefined {
    const { accept, hash } = asked;
    const [found, key] = /^\/openapi\/v3(?:\/(.*))?$/.exec(path) ?? [];
    if (found === undefined) return undefined;
    if (key) return this.#document(key, { accept, hash });
    return this.#index();
  }

  #index(): Page {
    const own = [...this.#current()].map(([key, { hash }]) => [key, hash] as const);
    const hashes = new Map([...own, ...(this.#input.others?.() ?? [])]);
    const bytes = Buffer.from(JSON.stringify(openApiV3Index(hashes)));
    return { contentType: JSON_TYPE, etag: `"${hashOf(bytes)}"`, bytes };
  }

  #document(
    key: string,
    { accept, hash: wanted }: { accept: string | undefined; hash: string | undefined },
  ): Page | undefined {
    const document = this.#current().get(key);
    if (!document) return undefined;
    const asProtobuf = preferredType(accept, V3_TYPES) !== JSON_TYPE;
    const contentType = asProtobuf ? V3_PROTOBUF : JSON_TYPE;
    const { hash } = document;
    if (wanted && wanted !== hash) {
      const location = openApiV3Address(key, hash);
      return { contentType, location, bytes: Buffer.alloc(0) };
    }
    const immutable = wanted !== undefined;
    if (asProtobuf) {
      // Few clients ask for this form, so it is made anew.
      const bytes = encodeOpenApiV3(this.#value(document.resources));
      return { contentType, etag: `"${hash}P"`, immutable, bytes };
    }
    document.compressed ??= this.#build(document.resources);
    const bytes = gunzipSync(document.compressed);
    return { contentType, etag: `"${hash}"`, immutable, bytes };
  }

  /**
   * The document at /openapi/v2, with what other servers have. Only older clients ask for it, once
   * each, so it is made anew. @throws StatusError NotAcceptable; it exists as JSON and protobuf
   */
  async swagger(accept?: string): Promise<Page> {
    const asProtobuf = preferredType(accept, SWAGGER_TYPES) !== JSON_TYPE;
    const { version } = this.#input;
    const remotes = (await this.#input.otherSwaggers?.()) ?? [];
    const current = [...this.#current().values()];
    const documents = current.map(({ resources }) => this.#value(resources));
    const own = buildOpenApiV2(documents, version);
    const all = remotes.reduce(withRemote, own);
    const parts = [current.map((each) => each.hash), all === own ? "" : JSON.stringify(remotes)];
    const hash = hashOf(Buffer.from(parts.join()));
    if (asProtobuf) {
      const bytes = encodeAll(all, own);
      return { contentType: SWAGGER_PROTOBUF, etag: `"${hash}P"`, bytes };
    }
    const bytes = Buffer.from(JSON.stringify(all));
    return { contentType: JSON_TYPE, etag: `"${hash}"`, bytes };
  }

  #build(resources: readonly Resource[]): Buffer {
    return gzipSync(JSON.stringify(this.#value(resources)));
  }

  #value(resources: readonly Resource[]): JsonSchema {
    const { model, version } = this.#input;
    const customSchema = (resource: Resource) => this.#input.customSchema?.(resource);
    return buildOpenApiV3({ model, version, resources, customSchema });
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
    this.#texts ??= hashOf(Buffer.from(allDescriptions() + factsText()));
    return hashOf(
      Buffer.from(JSON.stringify([this.#input.version, this.#texts, resources, custom])),
    );
  }
}

/** What others say may be anything; where it makes no document ours stands alone. */
function encodeAll(all: SwaggerDocument, own: SwaggerDocument): Uint8Array {
  try {
    return encodeOpenApiV2(all);
  } catch (error) {
    if (all === own) throw error;
    return encodeOpenApiV2(own);
  }
}

function factsText(): string {
  return GROUP_VERSION_FACTS.map(({ text }) => text).join();
}

function hashOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex").toUpperCase();
}
