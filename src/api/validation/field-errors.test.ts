import assert from "node:assert/strict";
import { test } from "node:test";
import { FieldErrors } from "./field-errors.ts";

test("integers beyond what a float can count are shown to the last digit", () => {
  const errors = new FieldErrors();
  errors.invalid("a", 2n ** 60n, "too large");
  errors.invalid("b", { c: [2n ** 60n] }, "");
  assert.deepEqual(
    errors.causes.map(({ message }) => message),
    ["Invalid value: 1152921504606846976: too large", 'Invalid value: {"c":[1152921504606846976]}'],
  );
});
