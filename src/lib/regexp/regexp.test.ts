import assert from "node:assert/strict";
import { test } from "node:test";
import { compileRegexp } from "./regexp.ts";

test("patterns match as RE2 does", () => {
  const cases: [string, string, boolean][] = [
    ["abc", "xabcx", true],
    ["^abc$", "xabc", false],
    ["a.c", "a\nc", false],
    ["(?s)a.c", "a\nc", true],
    ["(?i)STRASSE", "strasse", true],
    ["^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", "my-name", true],
    ["^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", "-name", false],
    ["^\\d{3}-\\d{4}$", "555-1234", true],
    ["^(a|b)*?c", "ababc", true],
    ["\\bfoo\\b", "a foo b", true],
    ["\\bfoo\\b", "afoob", false],
    ["(?m)^b$", "a\nb\nc", true],
    ["^[[:alpha:]]+$", "abcXYZ", true],
    ["^[^[:digit:]]$", "5", false],
    ["^\\p{Greek}+$", "αβγ", true],
    ["^\\pL$", "é", true],
    ["^\\P{L}$", "é", false],
    ["^.$", "😀", true],
    ["\\x41\\x{1F600}", "A😀", true],
    ["\\Qa.b\\E", "a.b", true],
    ["\\Qa.b\\E", "axb", false],
    ["^(?P<year>\\d{4})$", "2024", true],
    ["^a{2,3}$", "aaaa", false],
    ["^(?:)$", "", true],
    ["x*", "", true],
    ["a|b|", "zzz", true],
    ["^[]a]$", "]", true],
    ["^[a-]$", "-", true],
    ["^\\s\\S$", " x", true],
    ["^a{,3}$", "a{,3}", true],
  ];
  for (const [pattern, text, wanted] of cases) {
    assert.equal(compileRegexp(pattern).test(text), wanted, `${pattern} on ${text}`);
    const found = compileRegexp(pattern).find(text);
    assert.equal(found !== undefined, wanted, `find ${pattern} on ${text}`);
  }
});

test("the leftmost match wins, then the one that the pattern prefers", () => {
  const cases: [string, string, string][] = [
    ["a+", "baaac", "aaa"],
    ["a+?", "baaac", "a"],
    ["(?U)a+", "baaac", "a"],
    ["ab|a", "ab", "ab"],
    ["a|ab", "ab", "a"],
    ["[0-9]+", "abc 123 45", "123"],
  ];
  for (const [pattern, text, wanted] of cases) {
    const found = compileRegexp(pattern).find(text);
    assert.equal(found && text.slice(...found), wanted, pattern);
  }
});

test("what RE2 refuses is refused in its words", () => {
  const cases: [string, string][] = [
    ["(a", "missing closing ): `(a`"],
    ["a)", "unexpected ): `a)`"],
    ["[a", "missing closing ]: `[a`"],
    ["*a", "missing argument to repetition operator: `*`"],
    ["a**", "invalid nested repetition operator: `**`"],
    ["[z-a]", "invalid character class range: `z-a`"],
    ["a{1001}", "invalid repeat count: `{1001}`"],
    ["(?=a)", "invalid or unsupported Perl syntax: `(?=`"],
    ["\\1x", "invalid escape sequence: `\\1`"],
    ["\\k", "invalid escape sequence: `\\k`"],
    ["\\", "trailing backslash at end of expression: ``"],
    ["(a{500}){500}", "invalid repeat count: `{500}`"],
  ];
  for (const [pattern, message] of cases) {
    assert.throws(() => compileRegexp(pattern), { message: `error parsing regexp: ${message}` });
  }
});

test("patterns that stop backtracking engines take linear time", () => {
  const text = `${"a".repeat(50_000)}b`;
  for (const pattern of ["^(a+)+$", "^(a|aa)+$", "^(a*)*$", "(x+x+)+y"]) {
    assert.equal(compileRegexp(pattern).test(text), false, pattern);
  }
  assert.equal(compileRegexp("^(\\ba?)+$").test("a".repeat(2000)), false);
});
