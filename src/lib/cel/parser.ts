import type { CallNode, FoldName, Node } from "./ast.ts";
import { SyntaxIssue, type Token, tokenize } from "./lexer.ts";
import type { Value } from "./values.ts";

/** Nesting beyond this is refused, so that neither parser nor evaluation can exhaust the stack. */
const DEPTH_MAX = 250;
/** Code units of an expression. */
const LENGTH_MAX = 100_000;

const BINARY: readonly (readonly string[])[] = [
  ["||"],
  ["&&"],
  ["<", "<=", ">=", ">", "==", "!=", "in"],
  ["+", "-"],
  ["*", "/", "%"],
];
const OPERATOR_NAMES: Readonly<Record<string, string>> = { in: "@in" };
const RESERVED: ReadonlySet<string> = new Set(
  (
    "as break const continue else for function if import let loop package namespace return var " +
    "void while"
  ).split(" "),
);
const CONSTANTS: Readonly<Record<string, Value>> = { true: true, false: false, null: null };
const START_TOKENS =
  "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, " +
  "STRING, BYTES, IDENTIFIER}";

/** Which macros there are. */
export interface Macros {
  readonly twoVariables: boolean;
}

/** Reads an expression. @throws SyntaxIssue */
export function parse(source: string, macros: Macros): Node {
  if (source.length > LENGTH_MAX) {
    const message = `expression code point size exceeds limit: size: ${source.length}`;
    throw new SyntaxIssue(0, `${message}, limit ${LENGTH_MAX}`);
  }
  return new Parser(tokenize(source), macros).whole();
}

class Parser {
  readonly #tokens: readonly Token[];
  readonly #macros: Macros;
  #next = 0;
  #depth = 0;

  constructor(tokens: readonly Token[], macros: Macros) {
    this.#tokens = tokens;
    this.#macros = macros;
  }

  whole(): Node {
    const node = this.#expression();
    const { kind, at, text } = this.#peek();
    if (kind !== "end") {
      const message = `Syntax error: extraneous input '${text}' expecting <EOF>`;
      throw new SyntaxIssue(at, message);
    }
    return node;
  }

  #peek(): Token {
    return this.#tokens[this.#next] as Token;
  }

  #take(): Token {
    return this.#tokens[this.#next++] as Token;
  }

  #accept(text: string): Token | undefined {
    const token = this.#peek();
    const fits = token.text === text && token.kind !== "literal" && token.kind !== "end";
    return fits ? this.#take() : undefined;
  }

  #expect(text: string): Token {
    const token = this.#accept(text);
    if (token) return token;
    return this.#mismatch(`'${text}'`);
  }

  #mismatch(expected: string): never {
    const { at, text } = this.#peek();
    throw new SyntaxIssue(at, `Syntax error: mismatched input '${text}' expecting ${expected}`);
  }

  #expression(): Node {
    this.#deeper();
    const condition = this.#binary(0);
    const mark = this.#accept("?");
    this.#depth--;
    if (!mark) return condition;
    this.#deeper();
    const yes = this.#binary(0);
    this.#expect(":");
    const no = this.#expression();
    this.#depth--;
    return { kind: "call", at: mark.at, name: "_?_:_", args: [condition, yes, no] };
  }

  #deeper(): void {
    if (++this.#depth > DEPTH_MAX) {
      const message = `expression recursion limit exceeded: ${DEPTH_MAX}`;
      throw new SyntaxIssue(this.#peek().at, message);
    }
  }

  #binary(level: number): Node {
    const operators = BINARY[level];
    if (!operators) return this.#unary();
    let left = this.#binary(level + 1);
    // A long chain nests to the left: its evaluation is as deep as it is long.
    for (let length = 0; ; length++) {
      const { kind, text, at } = this.#peek();
      if (kind === "literal" || !operators.includes(text)) {
        return left;
      }
      if (length > DEPTH_MAX * 4) {
        throw new SyntaxIssue(at, `expression recursion limit exceeded: ${DEPTH_MAX * 4}`);
      }
      this.#take();
      const right = this.#binary(level + 1);
      const name = OPERATOR_NAMES[text] ?? `_${text}_`;
      left = { kind: "call", at, name, args: [left, right] };
    }
  }

  #unary(): Node {
    const { text, at, kind } = this.#peek();
    if (kind !== "operator" || (text !== "!" && text !== "-")) return this.#member();
    const digits = this.#tokens[this.#next + 1];
    const isNumber = digits?.kind === "literal" && /^(bigint|number)$/.test(typeof digits.value);
    if (text === "-" && isNumber) {
      this.#take();
      const { value } = digits;
      digits.value = typeof value === "bigint" ? -value : -(value as number);
      digits.at = at;
      return this.#member();
    }
    let count = 0;
    while (this.#accept(text)) count++;
    const operand = text === "!" || count % 2 === 0 ? this.#member() : this.#unary();
    if (count % 2 === 0) return operand;
    return { kind: "call", at, name: text === "!" ? "!_" : "-_", args: [operand] };
  }

  #member(): Node {
    let node = this.#primary();
    for (;;) {
      const { text, at, kind } = this.#peek();
      if (kind !== "operator") return node;
      if (text === ".") node = this.#selection(node);
      else if (text === "[") {
        this.#take();
        const optional = this.#accept("?") !== undefined;
        const index = this.#expression();
        this.#expect("]");
        const name = optional ? "_[?_]" : "_[_]";
        node = { kind: "call", at, name, args: [node, index] };
      } else if (text === "{" && qualifiedName(node)) {
        node = this.#struct(qualifiedName(node) ?? "");
      } else return node;
    }
  }

  #selection(target: Node): Node {
    const { at } = this.#take();
    const optional = this.#accept("?") !== undefined;
    const field = this.#peek();
    if (field.kind !== "ident") this.#mismatch("IDENTIFIER");
    this.#take();
    const open = optional ? undefined : this.#accept("(");
    if (!open) return { kind: "select", at, target, field: field.text, test: false, optional };
    const args = this.#list(")");
    const call: CallNode = { kind: "call", at: open.at, name: field.text, target, args };
    return expandMacro(call, this.#macros) ?? call;
  }

  #primary(): Node {
    const token = this.#peek();
    const { kind, at } = token;
    if (kind === "literal") {
      this.#take();
      if (token.value === 2n ** 63n) {
        throw new SyntaxIssue(at, "Syntax error: invalid int literal");
      }
      return { kind: "literal", at, value: token.value ?? null };
    }
    if (kind === "ident") return this.#named(false);
    if (this.#accept("(")) {
      const inner = this.#expression();
      this.#expect(")");
      return inner;
    }
    if (this.#accept("[")) return this.#listLiteral(at);
    if (this.#accept("{")) return this.#mapLiteral(at);
    if (this.#accept(".")) {
      if (this.#peek().kind !== "ident") this.#mismatch("IDENTIFIER");
      return this.#named(true);
    }
    return this.#mismatch(START_TOKENS);
  }

  #named(rooted: boolean): Node {
    const { text, at } = this.#take();
    if (Object.hasOwn(CONSTANTS, text) && !rooted) {
      return { kind: "literal", at, value: CONSTANTS[text] ?? null };
    }
    if (text === "in") throw new SyntaxIssue(at, `Syntax error: mismatched input 'in'`);
    const open = this.#accept("(");
    if (open) {
      const args = this.#list(")");
      const call: CallNode = { kind: "call", at: open.at, name: text, args };
      return expandMacro(call, this.#macros) ?? call;
    }
    if (RESERVED.has(text)) throw new SyntaxIssue(at, `reserved identifier: ${text}`);
    return { kind: "ident", at, name: text };
  }

  #list(close: string): Node[] {
    const items: Node[] = [];
    if (this.#accept(close)) return items;
    for (;;) {
      items.push(this.#expression());
      if (this.#accept(close)) return items;
      if (!this.#accept(",")) this.#mismatch(`{'${close}', ','}`);
    }
  }

  #listLiteral(at: number): Node {
    const items: { value: Node; optional: boolean }[] = [];
    while (!this.#accept("]")) {
      const optional = this.#accept("?") !== undefined;
      items.push({ value: this.#expression(), optional });
      if (this.#accept(",")) continue;
      this.#expect("]");
      break;
    }
    return { kind: "list", at, items };
  }

  #mapLiteral(at: number): Node {
    const entries: { key: Node; value: Node; optional: boolean }[] = [];
    while (!this.#accept("}")) {
      const optional = this.#accept("?") !== undefined;
      const key = this.#expression();
      this.#expect(":");
      entries.push({ key, value: this.#expression(), optional });
      if (this.#accept(",")) continue;
      this.#expect("}");
      break;
    }
    return { kind: "map", at, entries };
  }

  #struct(name: string): Node {
    const { at } = this.#take();
    const fields: { name: string; value: Node }[] = [];
    while (!this.#accept("}")) {
      const field = this.#take();
      this.#expect(":");
      fields.push({ name: field.text, value: this.#expression() });
      if (this.#accept(",")) continue;
      this.#expect("}");
      break;
    }
    return { kind: "struct", at, name, fields };
  }
}

/** "a.b.c" of nested selections; undefined for all else. */
export function qualifiedName(node: Node): string | undefined {
  if (node.kind === "ident") return node.name;
  if (node.kind !== "select" || node.test || node.optional) return undefined;
  const target = qualifiedName(node.target);
  return target === undefined ? undefined : `${target}.${node.field}`;
}

/** How many arguments a macro takes, with and without a filter, and how many are variables. */
const FOLDS: Readonly<Record<string, { macro: FoldName; counts: number[]; variables: number }[]>> =
  {
    all: [
      { macro: "all", counts: [2], variables: 1 },
      { macro: "all", counts: [3], variables: 2 },
    ],
    exists: [
      { macro: "exists", counts: [2], variables: 1 },
      { macro: "exists", counts: [3], variables: 2 },
    ],
    exists_one: [
      { macro: "exists_one", counts: [2], variables: 1 },
      { macro: "exists_one", counts: [3], variables: 2 },
    ],
    existsOne: [{ macro: "exists_one", counts: [3], variables: 2 }],
    map: [{ macro: "map", counts: [2, 3], variables: 1 }],
    filter: [{ macro: "filter", counts: [2], variables: 1 }],
    transformList: [{ macro: "transformList", counts: [3, 4], variables: 2 }],
    transformMap: [{ macro: "transformMap", counts: [3, 4], variables: 2 }],
    transformMapEntry: [{ macro: "transformMapEntry", counts: [3, 4], variables: 2 }],
    optMap: [{ macro: "optMap", counts: [2], variables: 1 }],
    optFlatMap: [{ macro: "optFlatMap", counts: [2], variables: 1 }],
  };

function expandMacro(call: CallNode, macros: Macros): Node | undefined {
  const { name, target, args, at } = call;
  if (name === "has" && !target && args.length === 1) {
    const [inner] = args;
    if (inner?.kind !== "select") {
      throw new SyntaxIssue(inner?.at ?? at, "invalid argument to has() macro");
    }
    return { ...inner, at, test: true };
  }
  const fits = Object.hasOwn(FOLDS, name) ? FOLDS[name] : undefined;
  const fold = fits?.find(({ counts }) => counts.includes(args.length));
  if (!fold || !target) return undefined;
  if (fold.variables === 2 && !macros.twoVariables) return undefined;
  const variables = args.slice(0, fold.variables).map((arg) => {
    if (arg.kind === "ident") return arg.name;
    throw new SyntaxIssue(arg.at, "argument must be a simple name");
  });
  if (new Set(variables).size < variables.length) {
    throw new SyntaxIssue(at, "duplicate variable name");
  }
  const [first, second] = args.slice(fold.variables);
  const { macro } = fold;
  const range = target;
  if (!first) return undefined;
  if (second) return { kind: "fold", at, macro, range, variables, filter: first, step: second };
  return { kind: "fold", at, macro, range, variables, step: first };
}
