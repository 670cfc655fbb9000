import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { readFacts, writeFacts } from "./facts-text.ts";
import { generatedFiles } from "./generated-files.ts";
import { emptyPackage, parseGo } from "./go-parser.ts";
import { sourceFolder } from "./sources.ts";

const GENERATED = path.resolve(import.meta.dirname, "../../../src/api/generated");

test("Go structs, markers and constants are read", () => {
  const go = emptyPackage();
  parseGo(
    [
      "package v1",
      "// +enum",
      "type Mode string",
      "const (",
      '\tFast Mode = "Fast"',
      ")",
      "// +structType=atomic",
      "type Thing struct {",
      "\t// +optional",
      "\t// +listType=set",
      '\tModes []Mode `json:"modes,omitempty" protobuf:"bytes,3,rep,name=modes"`',
      '\tother.Part `json:",inline"`',
      "}",
    ].join("\n"),
    go,
  );
  const thing = go.structs.get("Thing");
  assert.deepEqual(go.constants.get("Mode"), ["Fast"]);
  assert.deepEqual(thing?.markers.get("structType"), ["atomic"]);
  assert.deepEqual(
    thing?.fields.map((field) => [field.name, field.type, field.tags.get("json")]),
    [
      ["Modes", "[]Mode", "modes,omitempty"],
      ["", "other.Part", ",inline"],
    ],
  );
});

test("facts survive writing and reading", () => {
  const text = [
    "enum Mode |Fast|very slow",
    "struct Thing root atomic cluster",
    " modes []Mode ! + #3 =set",
    ' protocol string #4 default:"TCP"',
  ].join("\n");
  const facts = { short: "core", group: "", version: "v1", ...readFacts(text) };
  assert.equal(writeFacts(facts), text);
});

const sources = sourceFolder();
test("generating again changes nothing", {
  skip: sources ? false : "the Go sources are not in the cache; npm run generate fetches them",
}, () => {
  for (const [name, text] of generatedFiles(sources ?? "")) {
    assert.equal(readFileSync(path.join(GENERATED, name), "utf8"), text, name);
  }
});
