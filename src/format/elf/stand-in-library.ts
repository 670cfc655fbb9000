import type { SyscallArchitecture } from "../seccomp/syscall-numbers.ts";
import type { LibraryImport } from "./library-imports.ts";

const ELF_MACHINE = { x64: 62, arm64: 183 } as const;
/** The largest page of the machine. */
const PAGE_BYTES = { x64: 0x1000, arm64: 0x10000 } as const;
const HEADER_BYTES = 64;
const SEGMENT_BYTES = 56;
const SEGMENTS = 3;
/** PT_LOAD, PT_DYNAMIC, PT_GNU_STACK. */
const [LOAD, DYNAMIC, STACK] = [1, 2, 0x6474e551];
const READ_WRITE = 6;
/** STB_GLOBAL and STT_FUNC. */
const GLOBAL_FUNCTION = 0x12;
const BLOOM_WORDS = 4;
const BLOOM_SHIFT = 6;

/**
 * A shared library that has the given functions, none of which does anything: nothing in it can be
 * executed, so a call of one ends the process. For programs that link with a library, and with all
 * that it needs itself, of which they call nothing.
 * Source: elf(5), "Linux Standard Base, Symbol Versioning", the GNU hash table of binutils.
 */
export function standInLibrary(
  machine: SyscallArchitecture,
  { soname, functions }: { soname: string; functions: readonly LibraryImport[] },
): Uint8Array {
  const strings = new Strings();
  const versions = [soname, ...new Set(functions.map(({ version }) => version))];
  const hashes = hashTable(functions);
  const symbols = [symbol(0), ...functions.map(({ name }) => symbol(strings.add(name)))];
  const numbers = [0, ...functions.map(({ version }) => versions.indexOf(version, 1) + 1)];
  const parts = {
    hashes,
    symbols: concat(symbols),
    numbers: new Uint8Array(new Uint16Array(numbers).buffer),
    definitions: concat(
      versions.map((name, at) => definition(name, { at, of: versions, strings })),
    ),
    soname: strings.add(soname),
  };
  return assemble(machine, parts, strings.bytes());
}

class Strings {
  #bytes: number[] = [0];

  /** Where it is from now on. */
  add(text: string): number {
    const at = this.#bytes.length;
    this.#bytes.push(...new TextEncoder().encode(text), 0);
    return at;
  }

  bytes(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }
}

function symbol(name: number): Uint8Array {
  const bytes = new Uint8Array(24);
  if (name === 0) return bytes;
  const view = new DataView(bytes.buffer);
  view.setUint32(0, name, true);
  view.setUint8(4, GLOBAL_FUNCTION);
  view.setUint16(6, 1, true); // in a section: it is defined
  view.setBigUint64(8, BigInt(HEADER_BYTES), true);
  return bytes;
}

/** One bucket with all, and a filter that keeps most others away from it. */
function hashTable(functions: readonly LibraryImport[]): Uint8Array {
  const bytes = new Uint8Array(16 + 8 * BLOOM_WORDS + 4 + 4 * functions.length);
  const view = new DataView(bytes.buffer);
  [1, 1, BLOOM_WORDS, BLOOM_SHIFT].forEach((value, at) => view.setUint32(4 * at, value, true));
  view.setUint32(16 + 8 * BLOOM_WORDS, functions.length > 0 ? 1 : 0, true);
  functions.forEach(({ name }, at) => {
    const hash = gnuHash(name);
    const word = 16 + 8 * ((hash >>> 6) % BLOOM_WORDS);
    const bits = (1n << BigInt(hash & 63)) | (1n << BigInt((hash >>> BLOOM_SHIFT) & 63));
    view.setBigUint64(word, view.getBigUint64(word, true) | bits, true);
    const isLast = at === functions.length - 1;
    const chained = isLast ? (hash | 1) >>> 0 : (hash & ~1) >>> 0;
    view.setUint32(20 + 8 * BLOOM_WORDS + 4 * at, chained, true);
  });
  return bytes;
}

/** A version and its name; the first one is the library itself. */
function definition(
  name: string,
  { at, of, strings }: { at: number; of: readonly string[]; strings: Strings },
): Uint8Array {
  const bytes = new Uint8Array(28);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, 1, true);
  view.setUint16(2, at === 0 ? 1 : 0, true); // VER_FLG_BASE
  view.setUint16(4, at + 1, true);
  view.setUint16(6, 1, true);
  view.setUint32(8, elfHash(name), true);
  view.setUint32(12, 20, true);
  view.setUint32(16, at === of.length - 1 ? 0 : bytes.length, true);
  view.setUint32(20, strings.add(name), true);
  return bytes;
}

interface Parts {
  hashes: Uint8Array;
  symbols: Uint8Array;
  numbers: Uint8Array;
  definitions: Uint8Array;
  soname: number;
}

function assemble(machine: SyscallArchitecture, parts: Parts, strings: Uint8Array): Uint8Array {
  const { hashes, symbols, numbers, definitions } = parts;
  const blocks = [hashes, symbols, strings, numbers, definitions];
  const offsets: number[] = [];
  let end = HEADER_BYTES + SEGMENTS * SEGMENT_BYTES;
  for (const block of blocks) {
    offsets.push(end);
    end = (end + block.length + 7) & ~7;
  }
  const [hashesAt = 0, symbolsAt = 0, stringsAt = 0, numbersAt = 0, definitionsAt = 0] = offsets;
  const entries = [
    [14, parts.soname], // DT_SONAME
    [0x6ffffef5, hashesAt], // DT_GNU_HASH
    [5, stringsAt], // DT_STRTAB
    [10, strings.length], // DT_STRSZ
    [6, symbolsAt], // DT_SYMTAB
    [11, 24], // DT_SYMENT
    [0x6ffffff0, numbersAt], // DT_VERSYM
    [0x6ffffffc, definitionsAt], // DT_VERDEF
    [0x6ffffffd, definitions.length / 28], // DT_VERDEFNUM
    [0, 0],
  ] as const;
  const dynamicBytes = 16 * entries.length;
  const bytes = new Uint8Array(end + dynamicBytes);
  blocks.forEach((block, at) => bytes.set(block, offsets[at]));
  const view = new DataView(bytes.buffer);
  entries.flat().forEach((value, at) => view.setBigUint64(end + 8 * at, BigInt(value), true));
  writeHeader(view, machine);
  writeSegment(view, 0, { type: LOAD, offset: 0, size: bytes.length, align: PAGE_BYTES[machine] });
  writeSegment(view, 1, { type: DYNAMIC, offset: end, size: dynamicBytes, align: 8 });
  writeSegment(view, 2, { type: STACK, offset: 0, size: 0, align: 16 });
  return bytes;
}

function writeHeader(view: DataView, machine: SyscallArchitecture): void {
  // Magic number, 64 bits, little-endian, version 1.
  [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1].forEach((value, at) => view.setUint8(at, value));
  view.setUint16(16, 3, true); // ET_DYN
  view.setUint16(18, ELF_MACHINE[machine], true);
  view.setUint32(20, 1, true);
  view.setBigUint64(32, BigInt(HEADER_BYTES), true);
  view.setUint16(52, HEADER_BYTES, true);
  view.setUint16(54, SEGMENT_BYTES, true);
  view.setUint16(56, SEGMENTS, true);
}

function writeSegment(
  view: DataView,
  index: number,
  of: { type: number; offset: number; size: number; align: number },
): void {
  const at = HEADER_BYTES + SEGMENT_BYTES * index;
  view.setUint32(at, of.type, true);
  view.setUint32(at + 4, READ_WRITE, true);
  for (const field of [8, 16, 24]) view.setBigUint64(at + field, BigInt(of.offset), true);
  for (const field of [32, 40]) view.setBigUint64(at + field, BigInt(of.size), true);
  view.setBigUint64(at + 48, BigInt(of.align), true);
}

function gnuHash(name: string): number {
  let hash = 5381;
  for (const byte of new TextEncoder().encode(name)) hash = (Math.imul(hash, 33) + byte) >>> 0;
  return hash;
}

function elfHash(name: string): number {
  let hash = 0;
  for (const byte of new TextEncoder().encode(name)) {
    hash = ((hash << 4) + byte) >>> 0;
    const high = hash & 0xf0000000;
    hash = (hash ^ (high >>> 24)) & ~high;
  }
  return hash >>> 0;
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}
