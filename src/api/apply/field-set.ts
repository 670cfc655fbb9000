/**
 * A set of field paths in the form of `metav1.FieldsV1`, so that stored sets need no conversion:
 * "f:name" is a member of an object, `k:{"name":"a"}` and `v:"a"` are elements of keyed and plain
 * lists. A node that is empty or has the key "." is in the set itself. Sets are never changed;
 * results of operations share nodes with their operands, and are an operand when equal to it.
 */
export interface FieldSet {
  readonly [element: string]: FieldSet;
}

type MutableSet = Record<string, FieldSet>;

/** The set without members; as a node of a set: a member without children. */
export const NO_FIELDS: FieldSet = Object.freeze({});

/** Whether the node has no children; for a whole set: whether it has no members. */
export function isEmpty(node: FieldSet): boolean {
  for (const _ in node) return false;
  return true;
}

/** Whether the path that leads to this node is in the set. */
export function isMember(node: FieldSet): boolean {
  return node["."] !== undefined || isEmpty(node);
}

/** All paths of both. */
export function unionOf(a: FieldSet, b: FieldSet): FieldSet {
  if (isEmpty(b) || a === b) return a;
  return isEmpty(a) ? b : uniteNodes(a, b);
}

/** The paths of `a` that are not in `b`; children of a path in `b` stay. */
export function differenceOf(a: FieldSet, b: FieldSet): FieldSet {
  if (isEmpty(a) || isEmpty(b)) return a;
  return subtractNodes(a, b) ?? NO_FIELDS;
}

/** The paths of `a` that are neither in `b` nor below a path in `b`. */
export function withoutSubtrees(a: FieldSet, b: FieldSet): FieldSet {
  if (isEmpty(a) || isEmpty(b)) return a;
  return pruneNodes(a, b) ?? NO_FIELDS;
}

/** The paths in both. */
export function intersectionOf(a: FieldSet, b: FieldSet): FieldSet {
  if (isEmpty(a) || isEmpty(b)) return NO_FIELDS;
  return intersectNodes(a, b) ?? NO_FIELDS;
}

/** The set of these paths, each a list of elements such as `["f:metadata", "f:name"]`. */
export function fieldSetOf(...paths: readonly (readonly string[])[]): FieldSet {
  return paths
    .map((path) => path.reduceRight<FieldSet>((node, element) => ({ [element]: node }), NO_FIELDS))
    .reduce(unionOf, NO_FIELDS);
}

function uniteNodes(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b) return a;
  if (isEmpty(a)) {
    if (isEmpty(b)) return a;
    return isMember(b) ? b : { ".": NO_FIELDS, ...b };
  }
  if (isEmpty(b)) return a["."] ? a : { ".": NO_FIELDS, ...a };
  let result: MutableSet | undefined;
  for (const element in b) {
    const [mine, other = NO_FIELDS] = [a[element], b[element]];
    const united = mine ? uniteNodes(mine, other) : other;
    if (united === mine) continue;
    result ??= { ...a };
    result[element] = united;
  }
  return result ?? a;
}

/** `undefined` when nothing is left. */
function subtractNodes(a: FieldSet, b: FieldSet): FieldSet | undefined {
  if (isEmpty(a)) return isMember(b) ? undefined : a;
  if (isEmpty(b)) return a["."] ? withElement(a, ".", undefined) : a;
  let result: FieldSet = a;
  for (const element in b) {
    const [mine, other = NO_FIELDS] = [result[element], b[element]];
    if (!mine) continue;
    const rest = element === "." ? undefined : subtractNodes(mine, other);
    if (rest === mine) continue;
    const next = withElement(result, element, rest);
    if (!next) return undefined;
    result = next;
    if (isEmpty(result)) return subtractNodes(result, b);
  }
  return result;
}

function pruneNodes(a: FieldSet, b: FieldSet): FieldSet | undefined {
  if (isMember(b)) return undefined;
  let result: FieldSet = a;
  for (const element in b) {
    const [mine, other = NO_FIELDS] = [result[element], b[element]];
    if (!mine) continue;
    const rest = pruneNodes(mine, other);
    if (rest === mine) continue;
    const next = withElement(result, element, rest);
    if (!next || isEmpty(next)) return next;
    result = next;
  }
  return result;
}

/** The node with an element changed or, for `undefined`, gone; `undefined` when none is left. */
function withElement(
  node: FieldSet,
  element: string,
  value: FieldSet | undefined,
): FieldSet | undefined {
  const result: MutableSet = {};
  let size = 0;
  for (const key in node) {
    const kept = key === element ? value : node[key];
    if (!kept) continue;
    result[key] = kept;
    size++;
  }
  if (size === 0) return undefined;
  return size === 1 && result["."] ? NO_FIELDS : result;
}

function intersectNodes(a: FieldSet, b: FieldSet): FieldSet | undefined {
  if (a === b) return a;
  const member = isMember(a) && isMember(b);
  let result: MutableSet | undefined;
  for (const element in b) {
    const [mine, other = NO_FIELDS] = [a[element], b[element]];
    if (!mine || element === ".") continue;
    const shared = intersectNodes(mine, other);
    if (!shared) continue;
    result ??= member ? { ".": NO_FIELDS } : {};
    result[element] = shared;
  }
  return result ?? (member ? NO_FIELDS : undefined);
}

/** The paths as users read them, sorted: `.spec.containers[name="web"].image`. */
export function formatPaths(set: FieldSet): string[] {
  const paths: string[] = [];
  const visit = (node: FieldSet, prefix: string) => {
    for (const element of Object.keys(node)) {
      if (element === ".") continue;
      const child = node[element] ?? NO_FIELDS;
      const path = prefix + formatElement(element);
      if (isMember(child)) paths.push(path);
      visit(child, path);
    }
  };
  visit(set, "");
  return paths.sort();
}

function formatElement(element: string): string {
  const [kind, text] = [element.slice(0, 2), element.slice(2)];
  if (kind === "f:") return `.${text}`;
  if (kind === "v:") return `[=${text}]`;
  if (kind === "i:") return `[${text}]`;
  const keys = Object.entries(JSON.parse(text) as Record<string, unknown>);
  return `[${keys.map(([key, value]) => `${key}=${JSON.stringify(value)}`).join(",")}]`;
}

/** Whether a decoded value has the form of a set, as clients may send any. */
export function isFieldSet(value: unknown): value is FieldSet {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  return Object.entries(value).every(([element, child]) => isElement(element) && isFieldSet(child));
}

function isElement(element: string): boolean {
  if (element === "." || element.startsWith("f:")) return true;
  if (/^i:[0-9]+$/.test(element)) return true;
  if (!/^[kv]:/.test(element)) return false;
  try {
    const value: unknown = JSON.parse(element.slice(2));
    return element.startsWith("v:") || (typeof value === "object" && value !== null);
  } catch {
    return false;
  }
}
