import assert from "node:assert/strict";
import { test } from "node:test";
import { belowProxy, rewriteLinks } from "./proxied-links.ts";

const PREFIX = "/api/v1/namespaces/default/pods/web/proxy";

async function rewritten(...chunks: string[]): Promise<string> {
  const stream = rewriteLinks(PREFIX);
  for (const chunk of chunks) stream.write(chunk);
  stream.end();
  let text = "";
  for await (const chunk of stream) text += String(chunk);
  return text;
}

test("paths of the server move below the proxy, others stay", async () => {
  assert.equal(
    await rewritten('<a href="/x">/x</a><img src=/y><a href="//other/z"><a href="near">é'),
    `<a href="${PREFIX}/x">/x</a><img src=${PREFIX}/y><a href="//other/z"><a href="near">é`,
  );
});

test("a tag that arrives in parts is still one tag", async () => {
  assert.equal(await rewritten("a<a hr", 'ef="/', 'x">b', "<"), `a<a href="${PREFIX}/x">b<`);
});

test("a path that is below the proxy already stays", () => {
  assert.equal(belowProxy(`${PREFIX}/x`, PREFIX), `${PREFIX}/x`);
  assert.equal(belowProxy("/x", PREFIX), `${PREFIX}/x`);
});
