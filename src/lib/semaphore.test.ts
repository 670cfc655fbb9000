import assert from "node:assert/strict";
import { test } from "node:test";
import { createSemaphore } from "./semaphore.ts";

test("a semaphore tells how many hold it or wait for it", async () => {
  const semaphore = createSemaphore(2);
  assert.equal(semaphore.wanted, 0);
  const first = await semaphore.acquire();
  const second = await semaphore.acquire();
  const leaving = new AbortController();
  const third = semaphore.acquire();
  const fourth = semaphore.acquire(leaving.signal);
  assert.equal(semaphore.wanted, 4);
  leaving.abort();
  await assert.rejects(fourth);
  assert.equal(semaphore.wanted, 3);
  first[Symbol.dispose]();
  first[Symbol.dispose]();
  const permit = await third;
  assert.equal(semaphore.wanted, 2);
  for (const one of [second, permit]) one[Symbol.dispose]();
  assert.equal(semaphore.wanted, 0);
});
