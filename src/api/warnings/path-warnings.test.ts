import assert from "node:assert/strict";
import { test } from "node:test";
import { pathWarnings } from "./path-warnings.ts";

const item = (path: string) => ({ key: "k", path });

test("files of a volume that stand in each other's way are told", () => {
  const rows = [
    [{ configMap: { name: "c", items: [item("a/b"), item("a/c")] } }, []],
    [{ configMap: { name: "c", items: [item("ab"), item("a")] } }, []],
    [
      { configMap: { name: "c", items: [item("a/"), item("a/b")] } },
      ['volume "v" (ConfigMap "c"): overlapping paths: "a/b" with "a"'],
    ],
    [{ configMap: { name: "c", items: [{}, {}] } }, []],
    [{ projected: { sources: [{ secret: { name: "s", items: [{}] } }] } }, []],
    [
      { secret: { secretName: "s", items: [item("a"), item("a")] } },
      ['volume "v" (Secret "s"): overlapping paths: "a" with "a"'],
    ],
    [
      { downwardAPI: { items: [{ path: "a/b" }, { path: "a" }] } },
      ['volume "v" (DownwardAPI): overlapping paths: "a" with "a/b"'],
    ],
    [
      {
        projected: {
          sources: [
            { secret: { name: "s", items: [item("a")] } },
            {},
            { downwardAPI: { items: [{ path: "a/b" }] } },
            { serviceAccountToken: { path: "a/b/c" } },
          ],
        },
      },
      [
        'volume "v" (Projected) has no sources provided',
        'volume "v" (Projected): overlapping paths: "a/b" (DownwardAPI) with "a" (Secret "s")',
        'volume "v" (Projected): overlapping paths: "a/b/c" (ServiceAccountToken) with "a" (Secret "s")',
        'volume "v" (Projected): overlapping paths: "a/b/c" (ServiceAccountToken) with "a/b" (DownwardAPI)',
      ],
    ],
  ] as const;
  for (const [source, wanted] of rows) {
    assert.deepEqual(pathWarnings([{ name: "v", ...source } as never]), wanted);
  }
});
