import { deepEqual } from "./deep-equal.ts";
import { JsonPointerError, parsePointer } from "./json-pointer.ts";

/** One operation of a JSON patch (RFC 6902). */
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
const WITH_VALUE: readonly unknown[] = ["add", "replace", "test"];
const WITH_FROM: readonly unknown[] = ["move", "copy"];

/** Checks the shape of a decoded patch. @throws JsonPatchError "malformed" | "unapplicable" */
export function parseJsonPatch(patch: unknown): JsonPatchOperation[] {
  if (!Array.isArray(patch)) throw malformed("a JSON patch must be an array of operations");
  return patch.map((operation: unknown, at) => {
    if (typeof operation !== "object" || operation === null) {
      throw malformed(`operation ${at} must be an object`);
    }
    const { op, path, from } = operation as Record<string, unknown>;
    if (!OPERATIONS.includes(op)) {
      const kind = typeof op === "string" ? op : JSON.stringify(op);
      throw new JsonPatchError("unapplicable", `Unexpected kind: ${kind}`);
    }
    if (typeof path !== "string") throw malformed(`operation ${at} has no path`);
    if (WITH_FROM.includes(op) && typeof from !== "string") {
      throw malformed(`operation ${at} has no from`);
    }
    if (WITH_VALUE.includes(op) && !Object.hasOwn(operation, "value")) {
      throw malformed(`operation ${at} has no value`);
    }
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
      copied += JSON.stringify(valueAt(result, operation, operation.from)).length;
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
  const { op, path, from, value } = operation;
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
      if (from === path) return document;
      if (path.startsWith(`${from}/`)) throw unapplicable(operation, "cannot move into itself");
      const without = change(document, operation, { path: from ?? "", put: "remove" });
      return change(without, operation, { path, put: "insert", value: source });
    }
    case "test": {
      const found = findValue(document, operation, path);
      if (!deepEqual(found ?? null, value)) {
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
  if (tokens.length === 0) {
    if (edit.put === "remove") throw unapplicable(operation, "the whole document cannot go");
    return edit.value;
  }
  const descend = (node: unknown, depth: number): unknown => {
    const token = tokens[depth] ?? "";
    const last = depth === tokens.length - 1;
    if (Array.isArray(node)) {
      const list = [...node] as unknown[];
      if (last) editList(list, token, { operation, edit });
      else {
        const at = indexIn(list, token, operation);
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
    const at = token === "-" ? list.length : numberIn(token, list.length, operation);
    list.splice(at, 0, edit.value);
  } else {
    const at = indexIn(list, token, operation);
    if (edit.put === "remove") list.splice(at, 1);
    else list[at] = edit.value;
  }
}

/** Negative numbers count from the end, as the reference implementation allows. */
function numberIn(token: string, max: number, operation: JsonPatchOperation): number {
  const number = /^(0|-?[1-9][0-9]*)$/.test(token) ? Number(token) : Number.NaN;
  const at = number < 0 ? number + max : number;
  if (!(at >= 0 && at <= max)) throw unapplicable(operation, `invalid index ${token}`);
  return at;
}

function indexIn(list: readonly unknown[], token: string, operation: JsonPatchOperation): number {
  const at = numberIn(token, list.length, operation);
  if (at === list.length) throw unapplicable(operation, `index ${token} is out of bounds`);
  return at;
}

/** `undefined` when the last token names nothing. */
function findValue(document: unknown, operation: JsonPatchOperation, path: string): unknown {
  let node = document;
  const tokens = tokensOf(path);
  tokens.forEach((token, depth) => {
    if (Array.isArray(node)) node = node[indexIn(node, token, operation)];
    else if (typeof node === "object" && node !== null) {
      node = Object.hasOwn(node, token) ? (node as Record<string, unknown>)[token] : undefined;
      if (node === undefined && depth < tokens.length - 1) {
        throw unapplicable(operation, "missing path");
      }
    } else throw unapplicable(operation, "missing path");
  });
  return node;
}

function valueAt(document: unknown, operation: JsonPatchOperation, path = ""): unknown {
  const value = findValue(document, operation, path);
  if (value === undefined) throw unapplicable(operation, "missing from");
  return value;
}

function tokensOf(path: string): string[] {
  try {
    return parsePointer(path);
  } catch (error) {
    if (error instanceof JsonPointerError) throw malformed(error.message);
    throw error;
  }
}

function malformed(message: string): JsonPatchError {
  return new JsonPatchError("malformed", message);
}

function unapplicable(operation: JsonPatchOperation, why: string): JsonPatchError {
  const { op, path } = operation;
  return new JsonPatchError("unapplicable", `${op} operation does not apply to ${path}: ${why}`);
}
