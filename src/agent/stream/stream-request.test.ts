import assert from "node:assert/strict";
import { test } from "node:test";
import type { StatusError } from "../../api/errors.ts";
import { logOptionsOf } from "./stream-request.ts";

test("lines from the end are asked for by either name, and all by the older one", () => {
  const lines = (query: string) => logOptionsOf(new URLSearchParams(query), 0).tailLines;
  assert.equal(lines(""), undefined);
  assert.equal(lines("tailLines=5"), 5);
  assert.equal(lines("tail=5"), 5);
  assert.equal(lines("tail=all&tailLines=5"), undefined);
  const code = (wanted: number) => (error: unknown) => (error as StatusError).code === wanted;
  assert.throws(() => lines("tail=-1"), code(422));
  assert.throws(() => lines("tailLines=-1"), code(422));
  assert.throws(() => lines("tailLines=few"), code(400));
});
