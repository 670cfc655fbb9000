import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { writeOciArchive } from "../../src/format/oci/image-writer.ts";
import { concat } from "../../src/format/tar/tar-header.ts";
import { type TarInput, writeTar } from "../../src/format/tar/tar-writer.ts";
import type { InstanceUnderTest } from "./instance-under-test.ts";

/** Image with a static busybox; `sh`, `sleep` and all its other names work. */
export const BUSYBOX = "docker.io/library/busybox:test";
const APPLETS = ["sh", "sleep", "cat", "echo", "ls", "id", "kill", "touch", "test", "hostname"];
const MORE_APPLETS = [
  "true",
  "false",
  "date",
  "env",
  "nc",
  "httpd",
  "wget",
  "tar",
  "mkdir",
  "head",
  "tr",
];

/** The image as an OCI archive; what is `more` lies in a layer above, under a name of its own. */
export function busyboxArchive(more?: { name: string; entries: TarInput[] }): Uint8Array {
  const text = (value: string) => new TextEncoder().encode(value);
  const directory = (name: string): TarInput => ({ name, type: "directory", mode: 0o755 });
  const entries: TarInput[] = [
    directory("bin"),
    directory("etc"),
    { ...directory("tmp"), mode: 0o1777 },
    { name: "bin/busybox", type: "file", mode: 0o755, body: readFileSync("/bin/busybox") },
    ...[...APPLETS, ...MORE_APPLETS].map(
      (name): TarInput => ({ name: `bin/${name}`, type: "symlink", linkName: "busybox" }),
    ),
    { name: "etc/passwd", type: "file", body: text("root:x:0:0::/:/bin/sh\n") },
  ];
  const layer = concat([...writeTar(entries)]);
  const config = { Cmd: ["sleep", "1000"], Env: ["PATH=/bin"] };
  const layers = more ? [layer, concat([...writeTar(more.entries)])] : [layer];
  const references = [more?.name ?? BUSYBOX];
  const input = { layers, config, architecture: "amd64", references };
  return concat([...writeOciArchive(input)]);
}

/** Makes the image known to a running instance. */
export async function importBusybox(instance: InstanceUnderTest): Promise<void> {
  const archive = path.join(instance.dataDirectory, "busybox.tar");
  writeFileSync(archive, busyboxArchive());
  const { code, stderr } = await instance.nephos("image", "import", archive);
  assert.equal(code, 0, stderr);
}
