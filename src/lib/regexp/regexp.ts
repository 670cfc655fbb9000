import { type Assertion, parseRegexp, type Tree } from "./regexp-parser.ts";
import { type Instruction, programOf } from "./regexp-program.ts";

/**
 * A regular expression in the syntax and with the results of RE2. Time is linear in the text,
 * whatever the pattern: JavaScript's own would let one pattern stop the process.
 */
export interface LinearRegexp {
  /** Whether it matches anywhere. */
  test(text: string): boolean;
  /** The leftmost match at or after an offset: where it starts and ends. */
  find(text: string, from?: number): [number, number] | undefined;
}

/** Compiles a pattern. @throws RegexpSyntaxError */
export function compileRegexp(pattern: string): LinearRegexp {
  return new Machine(programOf(parseRegexp(pattern), pattern), plainTextOf(parseRegexp(pattern)));
}

/** Remembered states per pattern; more are forgotten and made again. */
const STATES_MAX = 500;

/** Where in the program a match may stand, after the same characters. */
interface State {
  readonly places: readonly number[];
  readonly matched: boolean;
  /** Whether a match would be complete if the text ended here. */
  readonly matchesAtEnd: boolean;
  readonly next: Map<number, State>;
}

interface Around {
  start: boolean;
  end: boolean;
  before: number;
  after: number;
}

const NOWHERE = -1;
const LINE_FEED = 0x0a;

class Machine implements LinearRegexp {
  readonly #program: readonly Instruction[];
  /** The text to look for when the pattern is nothing else. */
  readonly #plain: string | undefined;
  /** Only the ends of the text are asserted, so that states depend on nothing around. */
  readonly #simple: boolean;
  #states = new Map<string, State>();

  constructor(program: readonly Instruction[], plain: string | undefined) {
    this.#program = program;
    this.#plain = plain;
    this.#simple = program.every((each) => each.kind !== "assert" || each.at.startsWith("text"));
  }

  test(text: string): boolean {
    if (this.#plain !== undefined) return text.includes(this.#plain);
    return this.#simple ? this.#testByStates(text) : this.find(text) !== undefined;
  }

  #testByStates(text: string): boolean {
    let state = this.#stateOf([this.#program.length - 1], true);
    for (let at = 0; at < text.length; ) {
      if (state.matched) return true;
      const code = text.codePointAt(at) ?? 0;
      let next = state.next.get(code);
      if (!next) {
        next = this.#stateAfter(state, code);
        if (code < 0x80) state.next.set(code, next);
      }
      if (next.places.length === 0 && next === state) return false;
      state = next;
      at += code > 0xffff ? 2 : 1;
    }
    return state.matchesAtEnd;
  }

  #stateAfter(state: State, code: number): State {
    const places: number[] = [];
    for (const place of state.places) {
      const instruction = this.#program[place];
      if (instruction?.kind === "character" && instruction.matches(code)) {
        places.push(instruction.next);
      }
    }
    // A match may begin anywhere: the start is a place after every character.
    places.push(this.#program.length - 1);
    return this.#stateOf(places, false);
  }

  #stateOf(seeds: readonly number[], start: boolean): State {
    const around = { start, end: false, before: NOWHERE, after: NOWHERE };
    const places = this.#closure(seeds, around);
    const key = places.join(",");
    const known = this.#states.get(key);
    if (known) return known;
    const ending = this.#closure(places, { ...around, end: true });
    const isMatch = (place: number) => this.#program[place]?.kind === "match";
    const state: State = {
      places: places.filter((place) => this.#program[place]?.kind !== "split"),
      matched: places.some(isMatch),
      matchesAtEnd: ending.some(isMatch),
      next: new Map(),
    };
    if (this.#states.size >= STATES_MAX) this.#states = new Map();
    this.#states.set(key, state);
    return state;
  }

  /** All places that can be reached without a character; assertions that do not hold yet stay. */
  #closure(seeds: readonly number[], around: Around): number[] {
    const seen = new Set<number>();
    const stack = seeds.toReversed();
    while (stack.length > 0) {
      const place = stack.pop() ?? 0;
      if (seen.has(place)) continue;
      seen.add(place);
      const instruction = this.#program[place];
      if (instruction?.kind === "split") stack.push(instruction.other, instruction.next);
      else if (instruction?.kind === "assert" && holds(instruction.at, around)) {
        stack.push(instruction.next);
      }
    }
    return [...seen];
  }

  find(text: string, from = 0): [number, number] | undefined {
    let threads: { place: number; start: number }[] = [];
    let found: [number, number] | undefined;
    for (let at = from; ; ) {
      const code = at < text.length ? (text.codePointAt(at) ?? NOWHERE) : NOWHERE;
      const around = {
        start: at === 0,
        end: at >= text.length,
        before: at > 0 ? text.charCodeAt(at - 1) : NOWHERE,
        after: code,
      };
      if (!found) threads.push({ place: this.#program.length - 1, start: at });
      const next: { place: number; start: number }[] = [];
      for (const { place, start } of this.#expand(threads, around)) {
        const instruction = this.#program[place];
        if (instruction?.kind === "match") {
          // What comes later in the list has less priority.
          found = [start, at];
          break;
        }
        if (instruction?.kind === "character" && code !== NOWHERE && instruction.matches(code)) {
          next.push({ place: instruction.next, start });
        }
      }
      threads = next;
      if (at >= text.length || (threads.length === 0 && found)) return found;
      at += code > 0xffff ? 2 : 1;
    }
  }

  /** Threads in the order of their priority, each at a place that consumes or matches. */
  #expand(
    threads: readonly { place: number; start: number }[],
    around: Around,
  ): { place: number; start: number }[] {
    const seen = new Set<number>();
    const expanded: { place: number; start: number }[] = [];
    for (const { place: seed, start } of threads) {
      const stack = [seed];
      while (stack.length > 0) {
        const place = stack.pop() ?? 0;
        if (seen.has(place)) continue;
        seen.add(place);
        const instruction = this.#program[place];
        if (instruction?.kind === "split") stack.push(instruction.other, instruction.next);
        else if (instruction?.kind === "assert") {
          if (holds(instruction.at, around)) stack.push(instruction.next);
        } else expanded.push({ place, start });
      }
    }
    return expanded;
  }
}

function holds(assertion: Assertion, { start, end, before, after }: Around): boolean {
  switch (assertion) {
    case "text-start":
      return start;
    case "text-end":
      return end;
    case "line-start":
      return start || before === LINE_FEED;
    case "line-end":
      return end || after === LINE_FEED;
    case "word":
      return isWord(before) !== isWord(after);
    case "no-word":
      return isWord(before) === isWord(after);
  }
}

function isWord(code: number): boolean {
  return code >= 0 && code < 0x80 && /\w/.test(String.fromCharCode(code));
}

function plainTextOf(tree: Tree): string | undefined {
  if (tree.kind !== "sequence") return undefined;
  let text = "";
  for (const item of tree.items) {
    if (item.kind !== "set") return undefined;
    const { ranges, classes, negated, foldCase } = item.set;
    const [[low, high] = [0, 1]] = ranges;
    if (ranges.length !== 1 || low !== high || classes.length || negated || foldCase) {
      return undefined;
    }
    text += String.fromCodePoint(low);
  }
  return text;
}
