/** A function that a program takes from a library, and the version that it asks for. */
export interface LibraryImport {
  name: string;
  version: string;
}

const HEADER_BYTES = 64;
const SECTION_BYTES = 64;
const SYMBOL_BYTES = 24;
/** SHT_DYNSYM, SHT_GNU_verneed, SHT_GNU_versym. */
const [SYMBOLS, NEEDED_VERSIONS, SYMBOL_VERSIONS] = [11, 0x6ffffffe, 0x6fffffff];
/** PT_INTERP. */
const INTERPRETER = 3;
const ANY_VERSION_MASK = 0x7fff;

/**
 * What an executable or a library for 64-bit little-endian machines takes, with versions, from the
 * library `soname`. Empty for other files, and for one that takes nothing from it.
 * Source: elf(5), "Linux Standard Base, Symbol Versioning".
 */
export function importsFrom(file: Uint8Array, soname: string): LibraryImport[] {
  if (!isKnown(file)) return [];
  try {
    const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
    return readImports(view, soname);
  } catch (error) {
    if (error instanceof RangeError) return []; // cut short
    throw error;
  }
}

/** Whether an executable, of which `head` has the first bytes, leaves its linking to the start. */
export function isLinkedAtStart(head: Uint8Array): boolean {
  if (!isKnown(head)) return false;
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const start = Number(view.getBigUint64(32, true));
  const segments = Array.from({ length: view.getUint16(56, true) }, (_, at) => start + 56 * at);
  return segments.some((at) => at + 4 <= head.length && view.getUint32(at, true) === INTERPRETER);
}

/** Magic number, 64 bits, little-endian. */
function isKnown(file: Uint8Array): boolean {
  const magic = [0x7f, 0x45, 0x4c, 0x46, 2, 1];
  return file.length >= HEADER_BYTES && magic.every((byte, at) => file[at] === byte);
}

interface Section {
  type: number;
  offset: number;
  size: number;
  /** Index of its strings. */
  link: number;
}

function readImports(view: DataView, soname: string): LibraryImport[] {
  const sections = readSections(view);
  const [symbols, needed, versions] = [SYMBOLS, NEEDED_VERSIONS, SYMBOL_VERSIONS].map((type) =>
    sections.find((section) => section.type === type),
  );
  const strings = symbols && sections[symbols.link];
  if (!symbols || !needed || !versions || !strings) return [];
  const text = (at: number) => readText(view, strings.offset + at);
  const wanted = readVersions(view, { needed, soname, text });
  const result: LibraryImport[] = [];
  for (let index = 1; index < symbols.size / SYMBOL_BYTES; index++) {
    const at = versions.offset + 2 * index;
    const version = wanted.get(view.getUint16(at, true) & ANY_VERSION_MASK);
    if (version === undefined) continue;
    const name = text(view.getUint32(symbols.offset + SYMBOL_BYTES * index, true));
    result.push({ name, version });
  }
  return result;
}

function readSections(view: DataView): Section[] {
  const start = Number(view.getBigUint64(40, true));
  const count = start === 0 ? 0 : view.getUint16(60, true);
  return Array.from({ length: count }, (_, index) => {
    const at = start + SECTION_BYTES * index;
    return {
      type: view.getUint32(at + 4, true),
      offset: Number(view.getBigUint64(at + 24, true)),
      size: Number(view.getBigUint64(at + 32, true)),
      link: view.getUint32(at + 40, true),
    };
  });
}

/** The versions that are asked of one library, by the number that symbols have for them. */
function readVersions(
  view: DataView,
  { needed, soname, text }: { needed: Section; soname: string; text: (at: number) => string },
): Map<number, string> {
  const result = new Map<number, string>();
  for (let at = needed.offset, next = 1; next !== 0; at += next) {
    next = view.getUint32(at + 12, true);
    if (text(view.getUint32(at + 4, true)) !== soname) continue;
    let entry = at + view.getUint32(at + 8, true);
    for (let left = view.getUint16(at + 2, true); left > 0; left--) {
      result.set(view.getUint16(entry + 6, true), text(view.getUint32(entry + 8, true)));
      entry += view.getUint32(entry + 12, true);
    }
  }
  return result;
}

function readText(view: DataView, start: number): string {
  let end = start;
  while (view.getUint8(end) !== 0) end++;
  return new TextDecoder().decode(
    new Uint8Array(view.buffer, view.byteOffset + start, end - start),
  );
}
