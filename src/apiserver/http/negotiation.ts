import { StatusError } from "../../api/errors.ts";

/** In which form a client wants objects. */
export interface Representation {
  /** The object itself, a `meta.k8s.io` Table, or its metadata only. */
  as: "object" | "table" | "metadata";
  /** Version of the Table or PartialObjectMetadata: "v1" or "v1beta1". */
  version: string;
  format: "json" | "yaml";
}

const OBJECT_JSON: Representation = { as: "object", version: "v1", format: "json" };
const CACHE_MAX = 256;

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
  const quality = (clause: AcceptClause) => Number(clause.parameters.get("q") ?? 1);
  return clauses.toSorted((a, b) => quality(b) - quality(a));
}

function formatOf(type: string): Representation["format"] | undefined {
  switch (type) {
    case "":
    case "*/*":
    case "application/*":
    case "application/json":
      return "json";
    case "application/yaml":
    case "application/x-yaml":
    case "text/yaml":
      return "yaml";
    default:
      return undefined;
  }
}

const TRANSFORMS: Readonly<Record<string, Representation["as"]>> = {
  Table: "table",
  PartialObjectMetadata: "metadata",
  PartialObjectMetadataList: "metadata",
};

function representationOf(header: string): Representation | undefined {
  for (const { type, parameters } of parseAccept(header)) {
    const format = formatOf(type);
    if (!format) continue;
    const as = parameters.get("as");
    if (as === undefined) return { as: "object", version: "v1", format };
    const transform = TRANSFORMS[as];
    const version = parameters.get("v") ?? "v1";
    const known = version === "v1" || version === "v1beta1";
    if (transform && known && parameters.get("g") === "meta.k8s.io") {
      return { as: transform, version, format };
    }
  }
  return undefined;
}

/** Reads Accept headers and remembers them: clients send the same few again and again. */
export class Negotiator {
  readonly #known = new Map<string, Representation | undefined>();

  /** @throws StatusError NotAcceptable */
  representation(accept: string | undefined): Representation {
    if (!accept || accept === "application/json") return OBJECT_JSON;
    let found = this.#known.get(accept);
    if (!found && !this.#known.has(accept)) {
      if (this.#known.size >= CACHE_MAX) this.#known.clear();
      found = representationOf(accept);
      this.#known.set(accept, found);
    }
    if (found) return found;
    throw notAcceptable();
  }
}

/** What a client gets that asks for a form in which nothing can be given here. */
export function notAcceptable(): StatusError {
  return new StatusError(
    "NotAcceptable",
    "only the following media types are accepted: application/json, application/yaml",
  );
}
