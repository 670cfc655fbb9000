import assert from "node:assert/strict";
import { exactJson } from "../../../src/format/json-text.ts";
import { decodeJson } from "../../../src/format/json-decode.ts";
import { JsonSyntaxError, parseStrictJson } from "../../../src/format/json-parser.ts";
import { decodeYaml, YamlSyntaxError } from "../../../src/format/yaml-decode.ts";
import { bytesTarget, type AnyTarget, textTarget } from "../fuzz-target.ts";
import { SAMPLE_OBJECTS } from "./sample-objects.ts";

const TEXTS = [
  ...SAMPLE_OBJECTS.map((object) => JSON.stringify(object)),
  '{"a":1,"a":2,"b":[{"c":1,"c":{}}],"__proto__":{"x":1}}',
  '[9223372036854775807,-9007199254740993,1e400,-0,1.5e-7,"\\ud83d\\ude00\\u0000\\"\\\\"]',
  ' {"a" : [ ] , "b" : { } }\n',
  "null",
];

const MANIFESTS = [
  "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  x: |\n    text\n  y: >-\n    a\n    b\n",
  "a: &x [1, 0755, 0x1f, 1_000, yes, ~, 2024-01-01, 12:30:45]\nb: *x\n<<: {c: 1}\n",
  "? complex\n: - a\n  - {b: 'c', \"d\": !!str 1}\n# comment\n",
  "a: &a {x: 1}\nb: &b [*a, *a]\nc: [*b, *b, *b]\n",
  "---\na: 1\n...\n",
];

/** What `JSON.parse` says, which is somebody else's reading of the same text. */
function reference(text: string): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

/** Both readings agree, whole numbers beyond what a `number` holds aside. */
function assertReadAlike(text: string, value: unknown): void {
  const wanted = reference(text);
  assert.ok(wanted, "read although JSON.parse refuses it");
  assert.equal(comparable(value), comparable(wanted.value));
}

/** Half of a surrogate pair is U+FFFD once it was written as UTF-8. */
function comparable(value: unknown): string {
  const text = JSON.stringify(narrowed(value), (_, inner: unknown) =>
    typeof inner === "string" ? Buffer.from(inner).toString() : inner,
  );
  return text.replace(/\\ud[89a-f][0-9a-f]{2}/g, "\ufffd");
}

function narrowed(value: unknown): unknown {
  if (typeof value === "bigint") return Number(value);
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(narrowed);
  const entries = Object.entries(value).map(([key, inner]) => [key, narrowed(inner)] as const);
  return Object.fromEntries(entries);
}

/** JSON and YAML, as bodies of requests bring them. */
export function documentTargets(): readonly AnyTarget[] {
  return [
    bytesTarget({
      name: "the JSON decoder",
      seeds: TEXTS.map((text) => Buffer.from(text)),
      refusals: [],
      run: (bytes) => {
        const text = Buffer.from(bytes).toString();
        try {
          const { value } = decodeJson(bytes);
          assertReadAlike(text, value);
          const written = exactJson(value);
          assert.equal(exactJson(decodeJson(Buffer.from(written)).value), written);
        } catch (error) {
          if (!(error instanceof JsonSyntaxError)) throw error;
          const tooDeep = error.message === "exceeded max depth";
          assert.ok(tooDeep || !reference(text), `refused: ${error.message}`);
        }
      },
    }),
    textTarget({
      name: "the strict JSON parser",
      seeds: TEXTS,
      refusals: [],
      run: (text) => {
        // Depth is bounded by the decoder, before it calls this parser.
        if ((text.match(/[[{]/g)?.length ?? 0) > 1000) return;
        try {
          assertReadAlike(text, parseStrictJson(text).value);
        } catch (error) {
          if (!(error instanceof JsonSyntaxError)) throw error;
          assert.ok(!reference(text), `refused: ${error.message}`);
        }
      },
    }),
    textTarget({
      name: "the YAML decoder",
      cost: 10,
      seeds: [...MANIFESTS, ...TEXTS.slice(0, 2)],
      refusals: [YamlSyntaxError],
      run: (text) => {
        const written = exactJson(decodeYaml(text).value);
        assert.equal(exactJson(decodeJson(Buffer.from(written)).value), written);
      },
    }),
  ];
}
