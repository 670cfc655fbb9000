import assert from "node:assert/strict";
import { test } from "node:test";
import { missingCalls } from "./kernel-calls.ts";

test("a system call that the kernel does not have is named, those of this one are there", () => {
  assert.deepEqual(missingCalls({ openat2: 437, nothing: 99_999 }), ["nothing"]);
  assert.deepEqual(missingCalls(), []);
});
