// Runs the whole-system tests, two files at a time, as much of their time is waiting; each in a
// network and mount namespace of its own: their addresses, rules and mounts cannot meet those of
// this machine, nor each other.
import { readdirSync } from "node:fs";
import path from "node:path";
import { buildDemoImages } from "../test/e2e/demo-images.ts";
import { fetchDockerRegistry } from "../test/e2e/docker-registry.ts";
import { fetchContainerd } from "../test/e2e/containerd-under-test.ts";
import { fetchOldKubectl } from "../test/e2e/old-kubectl.ts";
import { startIsolated } from "./isolated.ts";

const AT_A_TIME = 2;

const folders = ["e2e", "attacks"].map((name) =>
  path.resolve(import.meta.dirname, "../test", name),
);
const wanted = process.argv.slice(2);
const files = folders
  .flatMap((folder) => readdirSync(folder).map((name) => path.join(folder, name)))
  .filter((name) => name.endsWith(".test.js"))
  .filter(
    (name) => wanted.length === 0 || wanted.some((part) => path.basename(name).includes(part)),
  )
  .sort();

// Within their namespaces the tests have no network to build them with.
buildDemoImages();
await fetchOldKubectl();
await fetchDockerRegistry();
await fetchContainerd();

const failed: string[] = [];
const waiting = [...files];
const lane = async () => {
  for (let file = waiting.shift(); file; file = waiting.shift()) {
    const { status, output } = await startIsolated([process.execPath, "--test", file]);
    console.log(`# File: ${path.basename(file)}\n${output}`);
    if (status !== 0) failed.push(file);
  }
};
await Promise.all(Array.from({ length: AT_A_TIME }, lane));
console.log(`${files.length - failed.length} passed, ${failed.length} failed`);
if (failed.length > 0)
  console.log(`failed: ${failed.map((file) => path.basename(file)).join(", ")}`);
process.exitCode = failed.length > 0 || files.length === 0 ? 1 : 0;
