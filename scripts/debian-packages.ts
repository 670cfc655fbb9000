// Finds, downloads and unpacks Debian packages without installing anything.
import { execFile, spawn } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** All that one call of apt-get may take; a server that says nothing is given up on sooner. */
const APT_MAX_MS = 600_000;
const PATIENCE = ["http", "https"].flatMap((scheme) => ["-o", `Acquire::${scheme}::Timeout=15`]);
const APT_ENVIRONMENT = { RES_OPTIONS: "timeout:3 attempts:2", ...process.env };
const APT_FLAGS = ["-qq", "-o", "Acquire::Retries=1", ...PATIENCE];

/** A package whose file is in the cache. */
export interface DebianPackage {
  name: string;
  version: string;
  file: string;
}

// What maintainer scripts, service managers and interactive use need; programs in images do not.
const UNNEEDED = new RegExp(
  "^(adduser|.?debconf.*|dpkg|install-info|init-system-helpers|iproute2|lsb-base|passwd|perl.*|" +
    "readline-common|sysvinit-utils|tar|usrmerge|usr-is-merged|gcc-.*-base|libpam.*|libsystemd0)$",
);
// Containers switch this cache off to save space; parsing the index for every call takes seconds.
const indexCache = (cache: string): string[] =>
  ["pkgcache", "srcpkgcache"].flatMap((name) => ["-o", `Dir::Cache::${name}=${cache}/${name}.bin`]);
const NEEDED_ANYWAY: Readonly<Record<string, readonly string[]>> = {
  "redis-tools": ["libsystemd0"],
};

/**
 * Downloads `roots` and the packages that they depend on. `cache` keeps the files and the list, so
 * that a second run needs no network and no package index. @throws Error with apt's words
 */
export async function downloadClosure(
  roots: readonly string[],
  options: { cache: string; refresh: boolean },
): Promise<DebianPackage[]> {
  mkdirSync(options.cache, { recursive: true });
  const list = path.join(options.cache, `${roots.join("+")}.json`);
  if (!options.refresh && existsSync(list)) {
    const known = JSON.parse(readFileSync(list, "utf8")) as DebianPackage[];
    const packages = known.map((one) => ({ ...one, file: cacheFile(options.cache, one) }));
    if (packages.every((one) => existsSync(one.file))) return packages;
  }
  const versions = new Map<string, string>();
  for (let level = [...roots]; level.length > 0; ) {
    const found = await candidates(level, options.cache);
    for (const [name, version] of found) versions.set(name, version);
    const wanted = await dependencies(
      [...found].map(([name, version]) => `${name}=${version}`),
      options.cache,
    );
    const extra = level.flatMap((name) => NEEDED_ANYWAY[name] ?? []);
    const kept = [...wanted.filter((name) => !UNNEEDED.test(name)), ...extra];
    level = [...new Set(kept)].filter((name) => !versions.has(name));
  }
  const packages = [...versions].map(([name, version]) => ({
    name,
    version,
    file: cacheFile(options.cache, { name, version }),
  }));
  await download(packages, options.cache);
  writeFileSync(`${list}.tmp`, JSON.stringify(packages));
  renameSync(`${list}.tmp`, list);
  return packages;
}

/** Downloads one package alone, unless `cache` has it. @throws Error with apt's words */
export async function downloadPackage(name: string, cache: string): Promise<DebianPackage> {
  mkdirSync(cache, { recursive: true });
  const there = readdirSync(cache).find((file) => file.startsWith(`${name}_`));
  if (there) {
    const version = there.slice(name.length + 1, -".deb".length).replaceAll("%3a", ":");
    return { name, version, file: path.join(cache, there) };
  }
  const version = (await candidates([name], cache)).get(name) ?? "";
  const file = cacheFile(cache, { name, version });
  await download([{ name, version, file }], cache);
  return { name, version, file };
}

function cacheFile(cache: string, { name, version }: { name: string; version: string }): string {
  return path.join(cache, `${name}_${version.replaceAll(":", "%3a")}.deb`);
}

/** The newest version that an archive offers; what is merely installed cannot be downloaded. */
async function candidates(names: readonly string[], cache: string): Promise<Map<string, string>> {
  const versions = new Map<string, string>();
  for (const attempt of ["as it is", "updated"]) {
    if (attempt === "updated") await aptGet(["update"], "the lists of the package servers");
    const { stdout } = await run("apt-cache", [...indexCache(cache), "madison", ...names]);
    for (const line of stdout.split("\n")) {
      const [name = "", version] = line.split("|").map((column) => column.trim());
      if (version && names.includes(name) && !versions.has(name)) versions.set(name, version);
    }
    if (versions.size === names.length) return versions;
  }
  const missing = names.filter((name) => !versions.has(name)).join(", ");
  throw new Error(`Cannot find Debian packages in the configured archives: ${missing}`);
}

async function dependencies(packages: readonly string[], cache: string): Promise<string[]> {
  const kinds = ["recommends", "suggests", "conflicts", "breaks", "replaces", "enhances"];
  const flags = kinds.map((kind) => `--no-${kind}`);
  const { stdout } = await run("apt-cache", [
    ...indexCache(cache),
    "depends",
    ...flags,
    ...packages,
  ]);
  const names: string[] = [];
  let satisfied = false; // of "a | b", the first
  for (const line of stdout.split("\n")) {
    const found = /^ ( |\|)(?:Pre)?Depends: (\S+)$/.exec(line);
    if (!found) continue;
    const name = (found[2] ?? "").split(":")[0] ?? "";
    if (!satisfied && !name.startsWith("<")) names.push(name);
    satisfied = found[1] === "|" && !name.startsWith("<");
  }
  return names;
}

/** Says what it fetches and for how long at most, to stderr. @throws Error that tells what to do */
async function aptGet(args: readonly string[], what: string, cwd?: string): Promise<void> {
  console.error(`fetching ${what} (at most ${APT_MAX_MS / 1000} s)`);
  try {
    const options = { ...(cwd && { cwd }), env: APT_ENVIRONMENT, timeout: APT_MAX_MS };
    await run("apt-get", [...APT_FLAGS, ...args], options);
  } catch (cause) {
    const { stderr = "" } = cause as { stderr?: string };
    const why = stderr.trim().split("\n")[0] || "no package server answered in time";
    const wanted = "connect this machine to its package servers, then run the same command again";
    throw new Error(`Cannot fetch ${what}: ${why}; ${wanted}`, { cause });
  }
}

async function download(packages: readonly DebianPackage[], cache: string): Promise<void> {
  const missing = packages.filter(({ file }) => !existsSync(file));
  if (missing.length === 0) return;
  const folder = mkdtempSync(path.join(cache, "download-"));
  try {
    const flags = [...indexCache(cache), "-o", "APT::Sandbox::User=root", "download"];
    const names = missing.map(({ name, version }) => `${name}=${version}`);
    const what = `Debian packages: ${missing.map(({ name }) => name).join(" ")}`;
    await aptGet([...flags, ...names], what, folder);
    const fetched = readdirSync(folder);
    for (const { name, file } of missing) {
      const from = fetched.find((candidate) => candidate.startsWith(`${name}_`));
      if (!from) throw new Error(`apt-get did not download "${name}"`);
      renameSync(path.join(folder, from), file);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Unpacks the files of a package, without documentation, into a root with a merged /usr. */
export function unpackPackage(file: string, root: string): Promise<void> {
  const excluded = ["doc", "man", "info", "locale", "lintian", "bug", "doc-base"];
  const flags = excluded.flatMap((name) => ["--exclude", `./usr/share/${name}/*`]);
  const source = spawn("dpkg-deb", ["--fsys-tarfile", file], { stdio: ["ignore", "pipe", 2] });
  const tar = ["-x", "--keep-directory-symlink", "-C", root, ...flags, "--exclude", "*/gconv/*"];
  const sink = spawn("tar", tar, { stdio: [source.stdout, "inherit", "inherit"] });
  source.stdout?.destroy(); // the pipe is the children's alone now
  const end = (child: typeof sink, what: string) =>
    new Promise<void>((resolve, reject) => {
      child.once("error", reject);
      child.once("exit", (code) =>
        code === 0 ? resolve() : reject(new Error(`${what} of "${file}" ended with ${code}`)),
      );
    });
  return Promise.all([end(source, "dpkg-deb"), end(sink, "tar")]).then(() => undefined);
}
