/** A name of an image in full. */
export interface ImageReference {
  /** "docker.io", "localhost:5000". */
  registry: string;
  /** "library/redis". */
  repository: string;
  tag?: string;
  /** "sha256:...". */
  digest?: string;
}

const COMPONENT = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*";
const REPOSITORY = new RegExp(`^${COMPONENT}(?:/${COMPONENT})*$`);
const REGISTRY = /^(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?|\[[0-9a-fA-F:]+\])(?::[0-9]+)?$/;
const TAG = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
const DIGEST = /^sha256:[0-9a-f]{64}$/;
const NAME_MAX = 255;

/**
 * Parses a name as Docker does: "redis" is "docker.io/library/redis:latest". Undefined when it is
 * malformed. Source: distribution/reference, the grammar.
 */
export function parseReference(text: string): ImageReference | undefined {
  const [named = "", digest, ...more] = text.split("@");
  if (more.length > 0 || (digest !== undefined && !DIGEST.test(digest))) return undefined;
  const colon = named.lastIndexOf(":");
  const hasTag = colon > named.lastIndexOf("/");
  const tag = hasTag ? named.slice(colon + 1) : undefined;
  if (tag !== undefined && !TAG.test(tag)) return undefined;
  const path = hasTag ? named.slice(0, colon) : named;
  const slash = path.indexOf("/");
  const first = path.slice(0, Math.max(0, slash));
  const qualified = /[.:]/.test(first) || first === "localhost" || first !== first.toLowerCase();
  const registry = qualified ? first : "docker.io";
  let repository = qualified ? path.slice(slash + 1) : path;
  if (!REGISTRY.test(registry) || !REPOSITORY.test(repository)) return undefined;
  if (registry === "docker.io" && !repository.includes("/")) repository = `library/${repository}`;
  if (registry.length + repository.length > NAME_MAX) return undefined;
  const reference: ImageReference = { registry, repository };
  if (tag !== undefined) reference.tag = tag;
  else if (digest === undefined) reference.tag = "latest";
  if (digest !== undefined) reference.digest = digest;
  return reference;
}

/** The normal form: registry, repository, then the tag and the digest that are present. */
export function formatReference(reference: ImageReference): string {
  const { registry, repository, tag, digest } = reference;
  return `${registry}/${repository}${tag ? `:${tag}` : ""}${digest ? `@${digest}` : ""}`;
}
