// Builds the demo's images from Debian packages: nginx, redis, node, busybox.
//   node build/scripts/build-demo-images.js --out DIR --cache DIR [--only NAME,...] [--refresh]
// Writes DIR/<name>.tar, an OCI archive each; what is up to date is left alone.
import { createHash } from "node:crypto";
import {
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import type { OciArchiveInput } from "../src/format/oci/image-writer.ts";
import { concat } from "../src/format/tar/tar-header.ts";
import { writeTar } from "../src/format/tar/tar-writer.ts";
import { directoryEntries } from "../src/sys/directory-tar.ts";
import { type DebianPackage, downloadClosure } from "./debian-packages.ts";
import { assembleRoot, writeImage } from "./image-root.ts";

interface Recipe {
  packages: readonly string[];
  tag: string;
  config: NonNullable<OciArchiveInput["config"]>;
  /** Lines of /etc/passwd besides root's and nobody's. */
  users?: readonly string[];
  prepare?: (root: string) => void;
  /** Path in the image to path in this repository. */
  files?: Readonly<Record<string, string>>;
}

const REPOSITORY = path.resolve(import.meta.dirname, "../..");

const PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const NGINX_SITE = `server {
  listen 80;
  location / { root /usr/share/nginx/html; index index.html; }
}
`;

const RECIPES: Readonly<Record<string, Recipe>> = {
  nginx: {
    packages: ["nginx"],
    tag: "1.22",
    users: ["www-data:x:33:33::/var/www:/usr/sbin/nologin"],
    config: {
      Cmd: ["nginx", "-g", "daemon off;"],
      Env: [PATH],
      ExposedPorts: { "80/tcp": {} },
      StopSignal: "SIGQUIT",
    },
    prepare(root) {
      writeFileSync(path.join(root, "etc/nginx/conf.d/default.conf"), NGINX_SITE);
      symlinkSync("/dev/stdout", path.join(root, "var/log/nginx/access.log"));
      symlinkSync("/dev/stderr", path.join(root, "var/log/nginx/error.log"));
    },
  },
  redis: {
    packages: ["redis-server"],
    tag: "7.0",
    users: ["redis:x:999:999::/data:/usr/sbin/nologin"],
    config: {
      Cmd: ["redis-server", "--save", "", "--bind", "0.0.0.0", "--protected-mode", "no"],
      Env: [PATH],
      ExposedPorts: { "6379/tcp": {} },
      User: "redis",
      WorkingDir: "/data",
    },
    prepare(root) {
      mkdirSync(path.join(root, "data"));
      chownSync(path.join(root, "data"), 999, 999);
    },
  },
  node: {
    packages: ["nodejs"],
    tag: "18",
    users: ["node:x:1000:1000::/home/node:/bin/sh"],
    config: { Cmd: ["node"], Env: [PATH] },
  },
  "guestbook-api": {
    packages: ["nodejs"],
    tag: "1.0",
    users: ["node:x:1000:1000::/home/node:/bin/sh"],
    config: { Cmd: ["node", "/app/server.js"], Env: [PATH], ExposedPorts: { "8080/tcp": {} } },
    files: { "app/server.js": "examples/guestbook/api/server.js" },
  },
  busybox: {
    packages: [],
    tag: "1.35",
    config: { Cmd: ["sh"], Env: [PATH] },
  },
};

async function build(name: string, { out, cache, refresh }: Options): Promise<string> {
  const recipe = RECIPES[name];
  if (!recipe) throw new Error(`Unknown image "${name}": ${Object.keys(RECIPES).join(", ")}`);
  const packages: DebianPackage[] = [];
  for (const root of ["busybox-static", ...recipe.packages]) {
    packages.push(...(await downloadClosure([root], { cache, refresh })));
  }
  const target = path.join(out, `${name}.tar`);
  const stamp = path.join(cache, `${name}.stamp`);
  const script = readFileSync(new URL(import.meta.url));
  const versions = packages.map((one) => `${one.name}=${one.version}`).join(" ");
  const hash = createHash("sha256").update(script).update(versions);
  for (const file of Object.values(recipe.files ?? {})) {
    hash.update(readFileSync(path.join(REPOSITORY, file)));
  }
  const inputs = hash.digest("hex");
  const current = existsSync(stamp) ? readFileSync(stamp, "utf8") : "";
  if (current === `${inputs} ${target}` && existsSync(target)) return `${target} is up to date`;

  const root = mkdtempSync(path.join(cache, `${name}-root-`));
  try {
    const users = recipe.users ?? [];
    await assembleRoot(root, { packages, users, prepare: (made) => prepare(made, recipe) });
    const layer = concat([...writeTar(directoryEntries(root))]);
    const references = [recipe.tag, "latest"].map((tag) => `docker.io/library/${name}:${tag}`);
    writeImage(target, { layers: [layer], config: recipe.config, references });
    writeFileSync(stamp, `${inputs} ${target}`);
    return `${target}: ${references.join(", ")}, ${Math.ceil(layer.length / 1e6)} MB`;
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

function prepare(root: string, recipe: Recipe): void {
  recipe.prepare?.(root);
  for (const [target, source] of Object.entries(recipe.files ?? {})) {
    mkdirSync(path.dirname(path.join(root, target)), { recursive: true });
    copyFileSync(path.join(REPOSITORY, source), path.join(root, target));
  }
}

interface Options {
  out: string;
  cache: string;
  refresh: boolean;
}

const { values } = parseArgs({
  options: {
    out: { type: "string" },
    cache: { type: "string" },
    only: { type: "string", default: Object.keys(RECIPES).join(",") },
    refresh: { type: "boolean", default: false },
  },
});
if (!values.out || !values.cache) throw new Error("Give --out DIR and --cache DIR");
const options: Options = {
  out: path.resolve(values.out),
  cache: path.resolve(values.cache),
  refresh: values.refresh,
};
mkdirSync(options.out, { recursive: true });
mkdirSync(options.cache, { recursive: true });
try {
  for (const name of values.only.split(",")) console.log(await build(name, options));
} catch (error) {
  console.error(`nephos: ${(error as Error).message}`);
  process.exitCode = 1;
}
