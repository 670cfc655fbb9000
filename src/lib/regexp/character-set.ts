/** Which characters may stand at a place: ranges of code points, and classes of Unicode. */
export interface CharacterSet {
  /** Inclusive. */
  readonly ranges: readonly (readonly [number, number])[];
  readonly classes: readonly { pattern: RegExp; negated: boolean }[];
  readonly negated: boolean;
  readonly foldCase: boolean;
}

const ASCII = 128;

/** A test for code points; those of ASCII are looked up. */
export function setMatcher(set: CharacterSet): (code: number) => boolean {
  const table = new Uint8Array(ASCII);
  for (let code = 0; code < ASCII; code++) table[code] = contains(set, code) ? 1 : 0;
  return (code) => (code < ASCII ? table[code] === 1 : contains(set, code));
}

function contains(set: CharacterSet, code: number): boolean {
  const inside = variants(set, code).some((each) => containsPlain(set, each));
  return inside !== set.negated;
}

function variants({ foldCase }: CharacterSet, code: number): number[] {
  if (!foldCase) return [code];
  const text = String.fromCodePoint(code);
  const forms = [text, text.toLowerCase(), text.toUpperCase()];
  // The Kelvin sign and the long s fold to letters of ASCII.
  if (text === "k" || text === "K") forms.push("\u212a");
  if (text === "s" || text === "S") forms.push("\u017f");
  return forms.filter((form) => form.length <= 2).map((form) => form.codePointAt(0) ?? code);
}

function containsPlain({ ranges, classes }: CharacterSet, code: number): boolean {
  for (const [low, high] of ranges) if (code >= low && code <= high) return true;
  if (classes.length === 0) return false;
  const text = String.fromCodePoint(code);
  return classes.some(({ pattern, negated }) => pattern.test(text) !== negated);
}

/** A set of one character. */
export function singleton(code: number, foldCase: boolean): CharacterSet {
  return { ranges: [[code, code]], classes: [], negated: false, foldCase };
}

type Ranges = readonly (readonly [number, number])[];

const DIGIT: Ranges = [[0x30, 0x39]];
const SPACE: Ranges = [
  [0x09, 0x0a],
  [0x0c, 0x0d],
  [0x20, 0x20],
];
const UPPER: Ranges = [[0x41, 0x5a]];
const LOWER: Ranges = [[0x61, 0x7a]];
const WORD: Ranges = [...DIGIT, ...UPPER, [0x5f, 0x5f], ...LOWER];

/** Ranges of `\d`, `\s` and `\w`. */
export const PERL_CLASSES: Readonly<Record<string, Ranges>> = { d: DIGIT, s: SPACE, w: WORD };

/** Ranges of `[:alpha:]` and its kin. */
export const POSIX_CLASSES: Readonly<Record<string, Ranges>> = {
  alnum: [...DIGIT, ...UPPER, ...LOWER],
  alpha: [...UPPER, ...LOWER],
  ascii: [[0, 0x7f]],
  blank: [
    [0x09, 0x09],
    [0x20, 0x20],
  ],
  cntrl: [
    [0, 0x1f],
    [0x7f, 0x7f],
  ],
  digit: DIGIT,
  graph: [[0x21, 0x7e]],
  lower: LOWER,
  print: [[0x20, 0x7e]],
  punct: [
    [0x21, 0x2f],
    [0x3a, 0x40],
    [0x5b, 0x60],
    [0x7b, 0x7e],
  ],
  space: [
    [0x09, 0x0d],
    [0x20, 0x20],
  ],
  upper: UPPER,
  word: WORD,
  xdigit: [...DIGIT, [0x41, 0x46], [0x61, 0x66]],
};

/** What is not in the ranges. */
export function complement(ranges: Ranges): [number, number][] {
  const gaps: [number, number][] = [];
  let next = 0;
  for (const [low, high] of ranges.toSorted(([a], [b]) => a - b)) {
    if (low > next) gaps.push([next, low - 1]);
    next = Math.max(next, high + 1);
  }
  if (next <= 0x10_ffff) gaps.push([next, 0x10_ffff]);
  return gaps;
}
