import { type FieldSet, isEmpty, unionOf } from "../../api/apply/field-set.ts";
import type { LeafChange } from "../../api/apply/leaf-change.ts";
import { type ManagedFieldsEntry, setOfLeaf } from "../../api/apply/managed-fields.ts";
import { deepEqual } from "../../lib/deep-equal.ts";
import { deepFreeze, fieldOf, type KubeObject } from "../kube-object.ts";

/** So many are remembered of a kind. */
const SHAPES_MAX = 8;
/** Longer ones are not, in UTF-16 code units. */
const SHAPE_MAX_CHARS = 4_096;
/** Where objects have little in common, only one in so many that are new is remembered. */
const LEARNED_IN = 8;

const MEMBER = ',"managedFields":';
const TIME = '"time":"';
/** RFC 3339 with whole seconds. */
const TIME_TEXT = /^[0-9TZ:-]{20}$/;
const TIME_CHARS = 20;

/** The managers of an object and what they own, whenever they last wrote. */
interface Shape {
  /** The JSON of their list, cut up where the times are. */
  readonly pieces: readonly string[];
  readonly entries: readonly ManagedFieldsEntry[];
}

/** A set that grew by another one before. */
interface Union {
  readonly added: FieldSet;
  readonly set: FieldSet;
}

/**
 * Who owns what is half of most objects, and the same in many of one kind but for the times. What
 * was seen lately is neither read nor written again: objects share the sets, which are frozen.
 */
export class KnownManagers {
  readonly #shapes: Shape[] = [];
  readonly #unions = new WeakMap<FieldSet, Union>();
  /** One manager of each set, and the JSON around the time. */
  readonly #texts = new WeakMap<FieldSet, Shape | undefined>();
  #leaf: (LeafChange & { readonly set: FieldSet }) | undefined;
  #missed = 0;

  /** Parses canonical JSON of an object. What is shared of it is frozen. */
  parse(text: string): KubeObject {
    const at = text.indexOf(MEMBER);
    if (at < 0) return JSON.parse(text) as KubeObject;
    const known = this.#parseKnown(text, at);
    if (known) return known;
    const object = JSON.parse(text) as KubeObject;
    if (this.#isLearned()) this.#learn(object, { text, at });
    return object;
  }

  /** `unionOf`, remembered for sets that are, and of nothing. */
  union(set: FieldSet, added: FieldSet): FieldSet {
    const last = this.#unions.get(set);
    if (last && deepEqual(last.added, added)) return last.set;
    const united = unionOf(set, added);
    if (united === set || !(this.#texts.has(set) || isEmpty(set)) || !this.#isLearned()) {
      return united;
    }
    if (JSON.stringify(united).length > SHAPE_MAX_CHARS) return united;
    this.#unions.set(set, { added, set: this.#remember(united) });
    return united;
  }

  /** `setOfLeaf`; the last one is remembered, as it is that of many objects. */
  leaf(leaf: LeafChange): FieldSet {
    const last = this.#leaf;
    if (last && last.name === leaf.name && last.field === leaf.field) return last.set;
    const set = setOfLeaf(leaf);
    this.#leaf = { ...leaf, set };
    return set;
  }

  /** The JSON of a list of managers; `undefined` where it is not known. */
  textOf(entries: readonly ManagedFieldsEntry[] = []): string | undefined {
    let text = "";
    for (const entry of entries) {
      const { fieldsV1, time = "" } = entry;
      if (!fieldsV1 || !this.#texts.has(fieldsV1)) return undefined;
      let shape = this.#texts.get(fieldsV1);
      if (!shape || !isOfSame(shape.entries[0], entry)) {
        shape = shapeOf([entry]);
        if (!shape) return undefined;
        this.#texts.set(fieldsV1, shape);
      }
      const [before = "", after = ""] = shape.pieces;
      text += `${text && ","}${before.slice(1)}${time}${after.slice(0, -1)}`;
    }
    return text ? `[${text}]` : undefined;
  }

  #isLearned(): boolean {
    return this.#missed++ % LEARNED_IN === 0;
  }

  #parseKnown(text: string, at: number): KubeObject | undefined {
    const shapes = this.#shapes;
    for (let index = 0; index < shapes.length; index++) {
      const shape = shapes[index] as Shape;
      const object = parseAs(shape, { text, at });
      if (!object) continue;
      if (index > 0) shapes.unshift(...shapes.splice(index, 1));
      return object;
    }
    return undefined;
  }

  #learn(object: KubeObject, of: { text: string; at: number }): void {
    const shape = shapeOf(object.metadata.managedFields ?? []);
    // Text that is in another order, or of another object within this one.
    if (!shape || !deepEqual(parseAs(shape, of), object)) return;
    for (const { fieldsV1 } of shape.entries) if (fieldsV1) this.#remember(fieldsV1);
    this.#shapes.unshift(shape);
    this.#shapes.splice(SHAPES_MAX);
  }

  #remember(set: FieldSet): FieldSet {
    if (!this.#texts.has(set)) this.#texts.set(deepFreeze(set), undefined);
    return set;
  }
}

/** Whether two entries with the same fields differ in nothing but their times. */
function isOfSame(known: ManagedFieldsEntry | undefined, entry: ManagedFieldsEntry): boolean {
  if (known === undefined) return false;
  return (
    known.manager === entry.manager &&
    known.operation === entry.operation &&
    known.apiVersion === entry.apiVersion &&
    known.fieldsType === entry.fieldsType &&
    known.subresource === entry.subresource &&
    entry.time?.length === TIME_CHARS
  );
}

/** `undefined` for what is too long to be remembered, or has no times to cut it up at. */
function shapeOf(entries: readonly object[]): Shape | undefined {
  const pieces: string[] = [];
  let piece = "[";
  let chars = 0;
  for (const entry of entries as readonly ManagedFieldsEntry[]) {
    const { time = "" } = entry;
    const json = JSON.stringify(entry);
    const timeAt = json.indexOf(TIME) + TIME.length;
    chars += json.length;
    const isCut = TIME_TEXT.test(time) && json.startsWith(time, timeAt);
    if (!isCut || chars > SHAPE_MAX_CHARS) return undefined;
    pieces.push(piece + json.slice(0, timeAt));
    piece = `${json.slice(timeAt + TIME_CHARS)},`;
  }
  if (pieces.length === 0) return undefined;
  pieces.push(`${piece.slice(0, -1)}]`);
  return { pieces, entries };
}

/**
 * The object, if its managers are of this shape. Then only their times are parsed: in place of the
 * list, so that it shows whether that was the object's own.
 */
function parseAs(
  { pieces, entries }: Shape,
  { text, at }: { text: string; at: number },
): KubeObject | undefined {
  const listAt = at + MEMBER.length;
  let end = listAt;
  let times = "";
  for (let index = 0; index < pieces.length; index++) {
    const piece = pieces[index] as string;
    if (index > 0) {
      if (text.indexOf('"', end) !== end + TIME_CHARS) return undefined;
      times += `${times && ","}"${text.slice(end, end + TIME_CHARS)}"`;
      end += TIME_CHARS;
    }
    // Far cheaper than `startsWith`, which goes from character to character.
    if (text.slice(end, end + piece.length) !== piece) return undefined;
    end += piece.length;
  }
  const rest = `${text.slice(0, listAt)}[${times}]${text.slice(end)}`;
  const object = JSON.parse(rest) as KubeObject;
  const metadata = fieldOf(object, "metadata");
  const kept = metadata["managedFields"] as readonly unknown[] | undefined;
  if (!Array.isArray(kept) || typeof kept[0] !== "string") return undefined;
  const managers: ManagedFieldsEntry[] = [];
  for (let index = 0; index < entries.length; index++) {
    // Assigned: a literal that has a member twice is slow.
    const entry: ManagedFieldsEntry = { ...entries[index] };
    entry.time = kept[index] as string;
    managers.push(entry);
  }
  metadata["managedFields"] = managers;
  return object;
}
