import { deepEqual } from "./deep-equal.ts";
import { unescapeToken } from "./json-pointer.ts";

/**
 * One operation of a JSON patch (RFC 6902). A value that is missing is null, as the reference
 * implementation has it.
 */
export interface JsonPatchOperation {
  op: "add" | "remove" | "replace" | "move" | "copy" | "test";
  path: string;
  from?: string;
  value?: unknown;
}

/**
 * Why a patch was not applied. "malformed": it is no JSON patch; "unapplicable": it does not fit
 * the document; "testFailed": a test operation found another value; "tooLarge": it copies too much.
 */
export type JsonPatchErrorCode = "malformed" | "unapplicable" | "testFailed" | "tooLarge";

/** A patch that was not applied; the document is untouched. */
export class JsonPatchError extends Error {
  override readonly name = "JsonPatchError";
  readonly code: JsonPatchErrorCode;

  constructor(code: JsonPatchErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

const OPERATIONS: readonly unknown[] = ["add", "remove", "replace", "move", "copy", "test"];
const NAMES = ["op", "path", "from"] as const;
const WITH_FROM: readonly unknown[] = ["move", "copy"];

/** Checks the shape of a decoded patch. @throws JsonPatchError "malformed" | "unapplicable" */
export function parseJsonPatch(patch: unknown): JsonPatchOperation[] {
  if (!Array.isArray(patch)) throw malformed("a JSON patch must be an array of operations");
  return patch.map((operation: unknown, at) => {
    if (typeof operation !== "object" || operation === null || Array.isArray(operation)) {
      throw malformed(`operation ${at} must be an object`);
    }
    const named = operation as Partial<Record<(typeof NAMES)[number], unknown>>;
    for (const name of NAMES) {
      if (typeof (named[name] ?? "") !== "string")
        throw malformed(`the ${name} of operation ${at} must be text`);
    }
    const { op, path, from } = named;
    if (!OPERATIONS.includes(op)) {
      const kind = typeof op === "string" ? op : "unknown";
      throw new JsonPatchError("unapplicable", `Unexpected kind: ${kind}`);
    }
    if (typeof path !== "string") throw incomplete(at, "path");
    if (WITH_FROM.includes(op) && typeof from !== "string") throw incomplete(at, "from");
    return operation as JsonPatchOperation;
  });
}

/**
 * Applies a JSON patch as a whole or not at all. The document does not change; the result shares
 * every sub-tree that no operation touched. `copySizeMax` bounds, in characters of JSON, what copy
 * operations may add up to; 0 means no bound. @throws JsonPatchError
 */
export function applyJsonPatch(
  document: unknown,
  patch: readonly JsonPatchOperation[],
  options: { copySizeMax?: number } = {},
): unknown {
  const copySizeMax = options.copySizeMax ?? 0;
  let result = document;
  let copied = 0;
  for (const operation of patch) {
    if (operation.op === "copy" && copySizeMax > 0) {
      copied += JSON.stringify(valueAt(result, operation, operation.from ?? "")).length;
      if (copied > copySizeMax) {
        throw new JsonPatchError(
          "tooLarge",
          `Unable to complete the copy, the accumulated size increase of copy is ${copied}, ` +
            `exceeding the limit ${copySizeMax}`,
        );
      }
    }
    result = applyOperation(result, operation);
  }
  return result;
}

function applyOperation(document: unknown, operation: JsonPatchOperation): unknown {
  const { op, path, from = "", value = null } = operation;
  switch (op) {
    case "add":
      return change(document, operation, { path, put: "insert", value });
    case "replace":
      return change(document, operation, { path, put: "replace", value });
    case "remove":
      return change(document, operation, { path, put: "remove" });
    case "copy": {
      const source = valueAt(document, operation, from);
      return change(document, operation, { path, put: "insert", value: source });
    }
    case "move": {
      const source = valueAt(document, operation, from);
      const without = change(document, operation, { path: from, put: "remove" });
      return change(without, operation, { path, put: "insert", value: source });
    }
    case "test": {
      const found = path === "" ? document : valueAt(document, operation, path);
      if (!deepEqual(found, value)) {
        throw new JsonPatchError("testFailed", `testing value ${path} failed: test failed`);
      }
      return document;
    }
  }
}

interface Change {
  path: string;
  put: "insert" | "replace" | "remove";
  value?: unknown;
}

function change(document: unknown, operation: JsonPatchOperation, edit: Change): unknown {
  const tokens = tokensOf(edit.path);
  if (edit.path === "" && edit.put === "replace") {
    return typeof edit.value === "object" && edit.value !== null ? edit.value : document;
  }
  if (tokens.length === 0) throw unapplicable(operation, "the path names no member");
  const descend = (node: unknown, depth: number): unknown => {
    const token = tokens[depth] ?? "";
    const last = depth === tokens.length - 1;
    if (Array.isArray(node)) {
      const list = [...node] as unknown[];
      if (last) editList(list, token, { operation, edit });
      else {
        const at = indexIn(token, list.length, operation);
        list[at] = descend(list[at], depth + 1);
      }
      return list;
    }
    if (typeof node !== "object" || node === null) throw unapplicable(operation, "missing path");
    const object = { ...node } as Record<string, unknown>;
    // Upstream takes the replacement of a missing member for an addition, and clients rely on it.
    if (!Object.hasOwn(object, token) && !(last && edit.put !== "remove")) {
      throw unapplicable(operation, "missing path");
    }
    if (token === "__proto__") throw unapplicable(operation, "missing path");
    if (!last) object[token] = descend(object[token], depth + 1);
    else if (edit.put === "remove") delete object[token];
    else object[token] = edit.value;
    return object;
  };
  return descend(document, 0);
}

function editList(
  list: unknown[],
  token: string,
  context: { operation: JsonPatchOperation; edit: Change },
): void {
  const { operation, edit } = context;
  if (edit.put === "insert") {
    const at = token === "-" ? list.length : indexIn(token, list.length + 1, operation);
    list.splice(at, 0, edit.value);
  } else {
    const at = indexIn(token, list.length, operation);
    if (edit.put === "remove") list.splice(at, 1);
    else list[at] = edit.value;
  }
}

/**
 * An index below `length`. Negative numbers count from the end, and signs and leading zeros are
 * read, as the reference implementation does. An addition counts its own element among the length.
 */
function indexIn(token: string, length: number, operation: JsonPatchOperation): number {
  const number = /^[+-]?[0-9]+$/.test(token) ? Number(token) : Number.NaN;
  const at = number < 0 ? number + length : number;
  if (!(at >= 0 && at < length)) throw unapplicable(operation, `invalid index ${token}`);
  return at;
}

/** The value at a path; null when only its last token names nothing, in an object. */
function valueAt(document: unknown, operation: JsonPatchOperation, path: string): unknown {
  let node = document;
  const tokens = tokensOf(path);
  if (tokens.length === 0) throw unapplicable(operation, "the path names no member");
  for (const token of tokens) {
    if (Array.isArray(node)) node = node[indexIn(token, node.length, operation)];
    else if (typeof node === "object" && node !== null) {
      node = Object.hasOwn(node, token) ? (node as Record<string, unknown>)[token] : null;
    } else throw unapplicable(operation, "missing path");
  }
  return node;
}

/** The tokens of a path. What stands before its first slash is nothing to upstream. */
function tokensOf(path: string): string[] {
  return path.split("/").slice(1).map(unescapeToken);
}

function malformed(message: string): JsonPatchError {
  return new JsonPatchError("malformed", message);
}

function incomplete(at: number, member: string): JsonPatchError {
  return new JsonPatchError("unapplicable", `operation ${at} has no ${member}`);
}

function unapplicable(operation: JsonPatchOperation, why: string): JsonPatchError {
  const { op, path } = operation;
  return new JsonPatchError("unapplicable", `${op} operation does not apply to ${path}: ${why}`);
}
