import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";

/** Debian trixie's packages; a version is pinned so that the facts cannot drift unseen. */
const PACKAGES: readonly string[] = [
  "golang-k8s-api-dev=0.32.3-1",
  "golang-k8s-apimachinery-dev=0.32.3-2",
];

const ARCHIVE = "http://deb.debian.org/debian";
const KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";

/** Where downloads are kept: `$NEPHOS_CACHE`, or a folder of the system's temporary directory. */
export function cacheFolder(): string {
  return path.join(process.env["NEPHOS_CACHE"] ?? path.join(os.tmpdir(), "nephos-cache"), "schema");
}

/** The unpacked Go source folder, or `undefined` when it was not fetched yet. */
export function sourceFolder(): string | undefined {
  const folder = path.join(cacheFolder(), `tree-${fingerprint()}`, "usr/share/gocode/src");
  return existsSync(folder) ? folder : undefined;
}

/** Downloads and unpacks what is missing, with a package list of its own; answers the Go folder. */
export function fetchSources(): string {
  const present = sourceFolder();
  if (present) return present;
  const cache = cacheFolder();
  const apt = path.join(cache, `apt.${process.pid}`);
  const debs = path.join(cache, "debs");
  for (const folder of ["lists/partial", "archives/partial"]) {
    mkdirSync(path.join(apt, folder), { recursive: true });
  }
  mkdirSync(debs, { recursive: true });
  const list = path.join(apt, "trixie.list");
  writeFileSync(list, `deb [signed-by=${KEYRING}] ${ARCHIVE} trixie main\n`);
  const options = [
    `Dir::Etc::SourceList=${list}`,
    "Dir::Etc::SourceParts=-",
    `Dir::State::Lists=${path.join(apt, "lists")}`,
    `Dir::Cache=${apt}`,
    "APT::Sandbox::User=root",
    "Acquire::Languages=none",
  ].flatMap((option) => ["-o", option]);
  run("apt-get", [...options, "-qq", "update"], debs);
  run("apt-get", [...options, "-qq", "download", ...PACKAGES], debs);
  unpack(debs, path.join(cache, `tree-${fingerprint()}`));
  rmSync(apt, { recursive: true });
  const folder = sourceFolder();
  if (!folder) throw new Error("Cannot find the Go sources in the packages that were fetched");
  return folder;
}

/** Unpacks beside the wanted folder and renames, so that an interrupted run leaves nothing half. */
function unpack(debs: string, tree: string): void {
  const partial = `${tree}.${process.pid}`;
  for (const name of readdirSync(debs).filter((each) => each.endsWith(".deb"))) {
    if (isWanted(name)) run("dpkg-deb", ["-x", path.join(debs, name), partial], debs);
  }
  try {
    renameSync(partial, tree);
  } catch (error) {
    rmSync(partial, { recursive: true });
    if (!existsSync(tree)) throw error;
  }
}

function isWanted(file: string): boolean {
  return PACKAGES.some((each) => file.startsWith(each.replace("=", "_")));
}

function fingerprint(): string {
  return PACKAGES.map((each) => each.slice(each.indexOf("=") + 1)).join("+");
}

function run(command: string, args: readonly string[], cwd: string): void {
  execFileSync(command, args, { cwd, stdio: ["ignore", "ignore", "inherit"] });
}
