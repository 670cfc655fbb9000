import { setMatcher } from "./character-set.ts";
import { type Assertion, RegexpSyntaxError, type Tree } from "./regexp-parser.ts";

/** A step of the machine that matches; `next` and `other` are places in the program. */
export type Instruction =
  | { kind: "character"; matches: (code: number) => boolean; next: number }
  | { kind: "split"; next: number; other: number }
  | { kind: "assert"; at: Assertion; next: number }
  | { kind: "match" };

/** Repetitions are written out; beyond this a pattern is refused. */
const INSTRUCTIONS_MAX = 10_000;

/** Writes a tree as instructions; the first one is the start. */
export function programOf(tree: Tree, pattern: string): Instruction[] {
  const program: Instruction[] = [];
  const add = (instruction: Instruction): number => {
    if (program.length >= INSTRUCTIONS_MAX) {
      throw new RegexpSyntaxError("expression too large", pattern.slice(0, 64));
    }
    return program.push(instruction) - 1;
  };
  // Built from the end, so that every instruction knows what follows it.
  const build = (node: Tree, next: number): number => {
    switch (node.kind) {
      case "set":
        return add({ kind: "character", matches: setMatcher(node.set), next });
      case "assert":
        return add({ kind: "assert", at: node.at, next });
      case "sequence":
        return node.items.reduceRight((after, item) => build(item, after), next);
      case "choice":
        return node.items
          .slice(0, -1)
          .reduceRight(
            (other, item) => add({ kind: "split", next: build(item, next), other }),
            build(node.items.at(-1) as Tree, next),
          );
      case "repeat":
        return buildRepeat(node, next);
    }
  };
  const buildRepeat = (node: Extract<Tree, { kind: "repeat" }>, next: number): number => {
    const { item, min, max, greedy } = node;
    const fork = (into: number, past: number): { next: number; other: number } =>
      greedy ? { next: into, other: past } : { next: past, other: into };
    let after = next;
    if (max === Infinity) {
      const loop = add({ kind: "split", next: 0, other: 0 });
      program[loop] = { kind: "split", ...fork(build(item, loop), next) };
      after = loop;
    } else {
      for (let count = min; count < max; count++) {
        after = add({ kind: "split", ...fork(build(item, after), next) });
      }
    }
    for (let count = 0; count < min; count++) after = build(item, after);
    return after;
  };
  const start = build(tree, add({ kind: "match" }));
  // The machine starts at the end of the list: it was written from there.
  add({ kind: "split", next: start, other: start });
  return program;
}
