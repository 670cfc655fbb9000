import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod } from "../../api/generated/types/core-v1.ts";
import { hugePagesMount, isHugePagesMedium } from "./huge-pages.ts";

const podWith = (...limits: Record<string, string>[]): Pod => ({
  spec: { containers: limits.map((one, at) => ({ name: `c${at}`, resources: { limits: one } })) },
});

test("a volume in huge pages has the size of the medium, or the only one of the pod", () => {
  const pod = podWith({ "hugepages-2Mi": "4Mi", cpu: "1" }, { "hugepages-2Mi": "2Mi" });
  assert.equal(hugePagesMount(pod, "HugePages"), "pagesize=2097152,size=6291456");
  const both = podWith({ "hugepages-2Mi": "4Mi", "hugepages-1Gi": "1Gi" });
  assert.equal(hugePagesMount(both, "HugePages-1Gi"), "pagesize=1073741824,size=1073741824");
  assert.throws(() => hugePagesMount(both, "HugePages"), { message: /one size, found 2Mi, 1Gi/ });
  assert.throws(() => hugePagesMount(podWith({}), "HugePages"), { message: /found none/ });
  assert.throws(() => hugePagesMount(pod, "HugePages-1Gi"), { message: /pages of size 1Gi/ });
});

test("which media are huge pages", () => {
  const media = ["HugePages", "HugePages-2Mi", "Memory", "", undefined];
  assert.deepEqual(media.map(isHugePagesMedium), [true, true, false, false, false]);
});
