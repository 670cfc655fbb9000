import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { InstanceUnderTest } from "./instance-under-test.ts";

const CACHE = process.env["NEPHOS_CACHE"] ?? path.join(tmpdir(), "nephos-cache");
/** Where they are. */
export const DEMO_IMAGES: string = path.join(CACHE, "demo-images");
const BUILDER = path.resolve(import.meta.dirname, "../../scripts/build-demo-images.js");

/** A name of `scripts/build-demo-images.ts`. */
export type DemoImage = "busybox" | "nginx" | "redis" | "node" | "guestbook-api";

/** Builds the images into the cache; needs a network the first time, and does nothing later. */
export function buildDemoImages(): void {
  mkdirSync(DEMO_IMAGES, { recursive: true });
  const args = [BUILDER, "--out", DEMO_IMAGES, "--cache", path.join(DEMO_IMAGES, "packages")];
  execFileSync(process.execPath, args, { stdio: ["ignore", "ignore", "inherit"] });
}

/** Puts images from the cache into the instance. */
export async function importImages(
  instance: InstanceUnderTest,
  names: readonly DemoImage[],
): Promise<void> {
  for (const name of names) {
    const file = path.join(DEMO_IMAGES, `${name}.tar`);
    assert.ok(existsSync(file), `${file} is missing: run the tests with scripts/test-e2e`);
    const { code, stderr } = await instance.nephos("image", "import", file);
    assert.equal(code, 0, stderr);
  }
}
