import assert from "node:assert/strict";
import { test } from "node:test";
import { proxiedPath } from "./proxied-path.ts";

test("a proxied path is what kube-apiserver 1.32 asks for", () => {
  const cases: [asked: string, path: string][] = [
    ["", "/"],
    ["a", "/a"],
    ["a/", "/a/"],
    ["a%2Fb", "/a/b"],
    ["a%252Fb", "/a%252Fb"],
    ["a%2F", "/a/"],
    ["/a//b", "/a/b"],
    ["a/../b", "/b"],
    ["%2E%2E/x", "/x"],
    ["./x", "/x"],
    ["%41", "/A"],
    ["a!b'c(d)*e~f", "/a%21b%27c%28d%29%2Ae~f"],
    ["a;b=c&d,e:f@g+h$i", "/a;b=c&d,e:f@g+h$i"],
    ["%C3%A9[b]", "/%C3%A9%5Bb%5D"],
    ["a%3Fb%23", "/a%3Fb%23"],
  ];
  for (const [asked, path] of cases) assert.equal(proxiedPath(asked), path, asked);
});
