import assert from "node:assert/strict";
import { test } from "node:test";
import { GROUP_VERSION_FACTS } from "../../api/generated/facts.ts";
import { builtInModel } from "../../api/schema/built-in-model.ts";
import { Descriptions } from "./descriptions.ts";

test("every type and field of every kind is described by a short sentence", () => {
  const model = builtInModel();
  const descriptions = new Descriptions();
  const missing: string[] = [];
  let seen = 0;
  const check = (name: string, text: string | undefined): void => {
    seen++;
    if (!text || text.length > 160 || !/^["0-9A-Za-z*].*[.;]$/.test(text)) {
      missing.push(`${name}: ${text}`);
    }
  };
  for (const { short, version, text } of GROUP_VERSION_FACTS) {
    for (const [, name = ""] of text.matchAll(/^struct (\w+)/gm)) {
      const struct = model.struct(`${short}/${version}.${name}`);
      check(struct.name, descriptions.ofStruct(struct.name));
      for (const field of struct.fields.keys()) {
        check(`${struct.name}.${field}`, descriptions.ofField(struct.name, field));
      }
    }
  }
  assert.deepEqual(missing, []);
  assert.ok(seen > 2_500, `${seen} descriptions`);
});

test("nothing is described that is not there", () => {
  const model = builtInModel();
  const descriptions = new Descriptions();
  assert.equal(descriptions.ofField("core/v1.Pod", "nope"), undefined);
  const unknown = descriptions.entries().filter(({ struct, field }) => {
    if (struct.endsWith(".*")) return false;
    const { fields } = model.struct(struct);
    return field !== undefined && !fields.has(field);
  });
  assert.deepEqual(unknown, []);
});
