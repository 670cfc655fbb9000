import assert from "node:assert/strict";
import { test } from "node:test";
import { evaluateJsonPath, JsonPathError, parseJsonPath } from "./json-path.ts";

test("a path leads to all values it names", () => {
  const value = {
    metadata: { labels: { "a.b/c": "x" } },
    spec: { replicas: 2, ports: [{ port: 80 }, { port: 81 }] },
    status: {
      conditions: [
        { type: "Ready", status: "True" },
        { type: "Other", status: "False" },
      ],
    },
  };
  const cases: [string, unknown[]][] = [
    [".spec.replicas", [2]],
    ["{.spec.replicas}", [2]],
    ["$.spec.replicas", [2]],
    [".spec.missing.deep", []],
    [".metadata.labels.a\\.b/c", ["x"]],
    [".metadata.labels['a.b/c']", ["x"]],
    [".spec.ports[1].port", [81]],
    [".spec.ports[-1].port", [81]],
    [".spec.ports[7].port", []],
    [".spec.ports[*].port", [80, 81]],
    ['.status.conditions[?(@.type=="Ready")].status', ["True"]],
    [".status.conditions[?(@.type != 'Ready')].status", ["False"]],
    [".spec.ports[?(@.port==80)].port", [80]],
  ];
  for (const [path, wanted] of cases) {
    assert.deepEqual(evaluateJsonPath(parseJsonPath(path), value), wanted, path);
  }
});

test("what is no path is refused", () => {
  for (const path of ["spec", ".a[", ".a[?(@.b)]", ".a[?(@.b==x)]", ".a..b"]) {
    assert.throws(() => parseJsonPath(path), JsonPathError, path);
  }
});

test("a filter that never ends is refused at once", () => {
  assert.throws(() => parseJsonPath(`.a[?(@${".a".repeat(5_000)}`), JsonPathError);
  assert.throws(() => parseJsonPath(`.a[?(@.b==${" ".repeat(50_000)}`), JsonPathError);
});
