import { StatusError } from "../../api/errors.ts";
import { PROTOBUF_TYPE } from "../codec/protobuf-media-type.ts";

/** In which form a client wants objects. */
export interface Representation {
  /** The object itself, a `meta.k8s.io` Table, or its metadata only. */
  as: "object" | "table" | "metadata";
  /** Of the Table or PartialObjectMetadata. */
  version: "v1" | "v1beta1";
  format: Format;
  /** Whether the metadata is asked for of one object or of a list; of the other there is none. */
  of?: "one" | "list";
}

/** How values are written. */
export type Format = "json" | "yaml" | "protobuf";

/** What can be had of a resource. */
export interface Offer {
  /** Objects have no protobuf form, though their metadata and refusals have. */
  custom: boolean;
  /** As a stream of events. */
  watch: boolean;
  /** A review is an answer, no object that could be a row of a table. */
  review?: boolean;
}

const OBJECT_JSON: Representation = { as: "object", version: "v1", format: "json" };
const CACHE_MAX = 256;
/** In which what the server has itself is written. */
export const MEDIA_TYPES: readonly string[] = [
  "application/json",
  "application/yaml",
  PROTOBUF_TYPE,
];

/** One clause of an Accept header. */
export interface AcceptClause {
  type: string;
  parameters: ReadonlyMap<string, string>;
}

/** The clauses of an Accept header in order of preference. */
export function parseAccept(header: string): AcceptClause[] {
  const clauses = header.split(",").map((text) => {
    const [type = "", ...rest] = text.split(";").map((part) => part.trim());
    const parameters = new Map(
      rest.map((part): [string, string] => {
        const at = part.indexOf("=");
        return at < 0 ? [part, ""] : [part.slice(0, at), part.slice(at + 1)];
      }),
    );
    return { type: type.toLowerCase(), parameters };
  });
  return clauses.toSorted((a, b) => quality(b) - quality(a) || wildcards(a) - wildcards(b));
}

function quality({ parameters }: AcceptClause): number {
  return Number(parameters.get("q") ?? 1);
}

/** Of clauses that are wanted alike the more specific one counts. */
function wildcards({ type }: AcceptClause): number {
  if (type === "*/*") return 2;
  return type.endsWith("/*") ? 1 : 0;
}

function formatOf(type: string): Format | undefined {
  switch (type) {
    case "":
    case "*/*":
    case "application/*":
    case "application/json":
      return "json";
    case "application/yaml":
      return "yaml";
    case PROTOBUF_TYPE:
      return "protobuf";
    default:
      return undefined;
  }
}

const TRANSFORMS: Readonly<Record<string, Pick<Representation, "as" | "of">>> = {
  Table: { as: "table" },
  PartialObjectMetadata: { as: "metadata", of: "one" },
  PartialObjectMetadataList: { as: "metadata", of: "list" },
};

/** Whether a clause asks for something else than what is there: any part of a kind does. */
export function isTransform({ parameters }: AcceptClause): boolean {
  return parameters.has("as") || parameters.has("g") || parameters.has("v");
}

/** Whether a clause names a stream that its type has; YAML has none. */
export function hasStream({ type, parameters }: AcceptClause): boolean {
  const stream = parameters.get("stream");
  return !stream || (stream === "watch" && formatOf(type) !== "yaml");
}

function wantedBy(clause: AcceptClause): Representation | undefined {
  const { type, parameters } = clause;
  const format = formatOf(type);
  if (!format || !hasStream(clause)) return undefined;
  // The version of what a server says of itself.
  if ((parameters.get("sv") || "v1") !== "v1") return undefined;
  if (!isTransform(clause)) return { as: "object", version: "v1", format };
  const transform = TRANSFORMS[parameters.get("as") ?? ""];
  const version = parameters.get("v");
  const isMeta = parameters.get("g") === "meta.k8s.io";
  if (version !== "v1" && version !== "v1beta1") return undefined;
  return transform && isMeta ? { ...transform, version, format } : undefined;
}

/**
 * Checks that a route that writes these types is found for a header. Upstream looks for routes by
 * the names of types alone, without parameters, and knows no other wildcard than that for any type.
 * @throws StatusError NotAcceptable
 */
export function checkRouted(accept: string | undefined, types: readonly string[]): void {
  if (!accept) return;
  const isFound = accept.split(",").some((clause) => {
    const [type = ""] = clause.split(";");
    const name = type.trim();
    return name === "*/*" || types.includes(name);
  });
  if (!isFound) throw noneAccepted(types);
}

function isOffered({ as, version, format }: Representation, offer: Offer): boolean {
  if (offer.review && as !== "object") return false;
  if (format === "yaml") return !offer.watch;
  if (format === "json") return true;
  if (as === "object") return !offer.custom;
  // Tables have no protobuf form, and lists of the older metadata a form that nobody asks for.
  return as === "metadata" && version === "v1";
}

function representationOf(header: string, offer: Offer): Representation | undefined {
  if (!offer.custom) checkRouted(header, MEDIA_TYPES);
  for (const clause of parseAccept(header)) {
    const wanted = wantedBy(clause);
    if (wanted && isOffered(wanted, offer)) return wanted;
  }
  return undefined;
}

/** Reads Accept headers and remembers them: clients send the same few again and again. */
export class Negotiator {
  readonly #known = new Map<string, Representation | undefined>();

  /** @throws StatusError NotAcceptable */
  representation(accept: string | undefined, offer: Offer): Representation {
    if (!accept || accept === "application/json") return OBJECT_JSON;
    const { custom, watch, review = false } = offer;
    const key = `${Number(custom)}${Number(watch)}${Number(review)}${accept}`;
    let found = this.#known.get(key);
    if (!found && !this.#known.has(key)) {
      if (this.#known.size >= CACHE_MAX) this.#known.clear();
      found = representationOf(accept, offer);
      this.#known.set(key, found);
    }
    if (found) return found;
    throw notAcceptable(offer);
  }

  /** The format of a refusal: JSON when the client takes nothing else that there is. */
  refusalFormat(accept: string | undefined): Format {
    if (!accept || accept === "application/json") return "json";
    const clauses = parseAccept(accept).filter((clause) => !isTransform(clause));
    for (const clause of clauses) {
      const wanted = wantedBy(clause);
      if (wanted) return wanted.format;
    }
    return "json";
  }
}

/**
 * Checks that a list is not asked for as the metadata of one object, nor the other way round.
 * @throws StatusError NotAcceptable
 */
export function checkShape({ of }: Representation, found: "one" | "list", kind: string): void {
  if (of === undefined || of === found) return;
  const [asked, type] =
    of === "one"
      ? ["PartialObjectMetadata", `a list (${kind}List)`]
      : ["PartialObjectMetadataList", `not a list (${kind})`];
  throw new StatusError(
    "NotAcceptable",
    `you requested ${asked}, but the requested object is ${type}`,
  );
}

/**
 * Which of some media types a client likes best; the first of them where it takes any.
 * @throws StatusError NotAcceptable when it takes none of them
 */
export function preferredType<T extends string>(
  accept: string | undefined,
  offered: readonly [T, ...T[]],
): T {
  if (!accept) return offered[0];
  for (const { type } of parseAccept(accept)) {
    if (type === "*/*" || type === "application/*") return offered[0];
    const found = offered.find((each) => each.toLowerCase() === type);
    if (found) return found;
  }
  throw noneAccepted(offered);
}

function noneAccepted(types: readonly string[]): StatusError {
  return new StatusError(
    "NotAcceptable",
    `only the following media types are accepted: ${types.join(", ")}`,
  );
}

/** What a client gets that asks for a form in which nothing can be given here. */
export function notAcceptable({ watch }: { watch: boolean } = { watch: false }): StatusError {
  const types = watch
    ? ["application/json", PROTOBUF_TYPE].map((type) => `${type};stream=watch`)
    : MEDIA_TYPES;
  return noneAccepted(types);
}
