import { strictDecodingError } from "../../api/schema/decode.ts";
import { remarkKeys } from "../../format/json-parser.ts";
import type { Body } from "./body.ts";
import type { DecodeOptions } from "./codec.ts";

/** More than these are not told, as in upstream's reader. */
const REMARKS_MAX = 100;

/** What a strict reader has found. */
export interface Objections {
  /** Of JSON the paths of keys that stand twice; of YAML what its reader says of them. */
  duplicates: readonly string[];
  unknownFields: readonly string[];
}

/**
 * Warns of what a strict reader objects to, or refuses it, in the order that upstream has: that of
 * the text for built-in kinds in JSON, duplicates first for all else.
 * @throws StatusError BadRequest
 */
export function reportObjections(
  found: Objections,
  of: { body: Body; custom: boolean; options: DecodeOptions },
): void {
  const { options } = of;
  const inPatch = options.inPatch ?? [];
  if (found.duplicates.length + found.unknownFields.length + inPatch.length === 0) return;
  if (options.fieldValidation === "Ignore") return;
  const isStrict = options.fieldValidation === "Strict";
  const messages = [...inPatch, ...messagesOf(found, { ...of, isStrict })];
  if (isStrict) throw strictDecodingError(messages);
  for (const message of messages) options.warn(message);
}

function messagesOf(
  { duplicates, unknownFields }: Objections,
  { body, custom, isStrict }: { body: Body; custom: boolean; isStrict: boolean },
): string[] {
  if (body.kind !== "bytes") {
    const repeated = isStrict ? yamlErrors(duplicates) : duplicates;
    const sorted = custom ? byPath(unknownFields) : unknownFields.toSorted(compareBySteps);
    return [...repeated, ...sorted.map(unknownField)];
  }
  if (custom) {
    return [
      ...[...new Set(duplicates)].map(duplicateField),
      ...byPath(unknownFields).map(unknownField),
    ];
  }
  const remarks =
    duplicates.length > 0 || unknownFields.length > 1
      ? remarkKeys(Buffer.from(body.bytes).toString(), new Set(unknownFields))
      : unknownFields.map((path) => ({ kind: "unknown" as const, path }));
  return remarks
    .slice(0, REMARKS_MAX)
    .map(({ kind, path }) => (kind === "unknown" ? unknownField(path) : duplicateField(path)));
}

/** The one error that the reader of YAML makes of all its complaints. */
export function yamlErrors(complaints: readonly string[]): string[] {
  if (complaints.length === 0) return [];
  return [["yaml: unmarshal errors:", ...complaints].join("\n  ")];
}

export function duplicateField(path: string): string {
  return `duplicate field "${path}"`;
}

export function unknownField(path: string): string {
  return `unknown field "${path}"`;
}

/** Metadata first: it is read before the rest. */
function byPath(paths: readonly string[]): string[] {
  const isMeta = (path: string) => path.startsWith("metadata.");
  return [...paths.filter(isMeta).toSorted(), ...paths.filter((path) => !isMeta(path)).toSorted()];
}

/** The order of a document whose objects have their keys sorted. */
function compareBySteps(a: string, b: string): number {
  const [left, right] = [stepsOf(a), stepsOf(b)];
  for (const [at, step] of left.entries()) {
    const other = right[at];
    if (other === undefined) return 1;
    if (step === other) continue;
    if (typeof step === "number" && typeof other === "number") return step - other;
    return step < other ? -1 : 1;
  }
  return left.length - right.length;
}

function stepsOf(path: string): (string | number)[] {
  return path
    .split(/\.|(?=\[)/)
    .map((step) => (step.startsWith("[") ? Number(step.slice(1, -1)) : step));
}
