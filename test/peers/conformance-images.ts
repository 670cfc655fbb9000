// Makes the images that the Kubernetes 1.20 conformance tests name, from Debian packages and the
// peers' test programs: what the tests observe is the same, the rest of the originals is not there.
//   node build/test/peers/conformance-images.js --out DIR --cache DIR
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { type DebianPackage, downloadClosure } from "../../scripts/debian-packages.ts";
import { assembleRoot, writeImage } from "../../scripts/image-root.ts";
import type { OciArchiveInput } from "../../src/format/oci/image-writer.ts";
import { concat } from "../../src/format/tar/tar-header.ts";
import { writeTar } from "../../src/format/tar/tar-writer.ts";
import { directoryEntries } from "../../src/sys/directory-tar.ts";
import { findPeer, peersDirectory } from "./peers.ts";

interface Recipe {
  references: readonly string[];
  packages?: readonly string[];
  config: NonNullable<OciArchiveInput["config"]>;
  prepare?: (root: string) => void;
}

const SOURCES = path.join(peersDirectory(), "go/src/k8s.io/kubernetes/test/images");
const Env = ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"];
const E2E = "gcr.io/kubernetes-e2e-test-images";

// Process 1 of a container ignores every signal that it has no handler for; the shell has one.
const PAUSE = `#!/bin/sh
trap 'exit 0' TERM INT
while :; do sleep 2147483647 & wait; done
`;
const serve = (folder: string) => `#!/bin/sh
trap 'exit 0' TERM INT WINCH
httpd -f -vv -p 80 -h ${folder} &
wait
`;

function staticServer(name: string, tags: readonly string[], folder: string): Recipe {
  return {
    references: tags.map((tag) => `docker.io/library/${name}:${tag}`),
    config: { Cmd: ["/serve"], Env, ExposedPorts: { "80/tcp": {} } },
    prepare(root) {
      mkdirSync(path.join(root, folder), { recursive: true });
      const page = "<html><body><h1>It works!</h1></body></html>\n";
      writeFileSync(path.join(root, folder, "index.html"), page);
      writeFileSync(path.join(root, "serve"), serve(folder), { mode: 0o755 });
    },
  };
}

function addAgnhost(root: string): void {
  addPeer("agnhost", path.join(root, "agnhost"));
  symlinkSync("agnhost", path.join(root, "agnhost-2"));
  mkdirSync(path.join(root, "uploads"));
  // Debian chooses among several when it installs them; here one is the one.
  if (existsSync(path.join(root, "bin/nc.openbsd"))) {
    symlinkSync("nc.openbsd", path.join(root, "bin/nc"));
  }
  // The shell of busybox takes its own commands first, whatever the path says.
  if (existsSync(path.join(root, "bin/bash"))) symlinkSync("bash", path.join(root, "bin/sh"));
  for (const name of ["localhost.crt", "localhost.key"]) {
    copyFileSync(path.join(SOURCES, "agnhost/porter", name), path.join(root, name));
  }
}

function addPeer(name: string, target: string): void {
  const found = findPeer(name);
  if ("skip" in found) throw new Error(found.skip);
  mkdirSync(path.dirname(target), { recursive: true });
  copyFileSync(found.file, target);
}

function updateDemo(name: string): Recipe {
  return {
    references: [`${E2E}/${name}:1.0`],
    config: { Entrypoint: ["/agnhost"], Cmd: ["test-webserver"], Env, WorkingDir: "/" },
    prepare(root) {
      addAgnhost(root);
      for (const file of ["data.json", `${name}.jpg`]) {
        copyFileSync(path.join(SOURCES, name, "html", file), path.join(root, file));
      }
    },
  };
}

const RECIPES: Readonly<Record<string, Recipe>> = {
  "sample-apiserver": {
    references: [`${E2E}/sample-apiserver:1.17`],
    config: { Entrypoint: ["/kube-sample-apiserver"], Env },
    prepare: (root) => addPeer("kube-sample-apiserver", path.join(root, "kube-sample-apiserver")),
  },
  etcd: {
    references: ["k8s.gcr.io/etcd:3.4.13-0"],
    packages: ["etcd-server"],
    config: { Cmd: ["/usr/local/bin/etcd"], Env },
    prepare(root) {
      mkdirSync(path.join(root, "usr/local/bin"), { recursive: true });
      symlinkSync("/usr/bin/etcd", path.join(root, "usr/local/bin/etcd"));
    },
  },
  busybox: { references: ["docker.io/library/busybox:1.29"], config: { Cmd: ["sh"], Env } },
  pause: {
    references: ["k8s.gcr.io/pause:3.2"],
    config: { Entrypoint: ["/pause"], Env },
    prepare: (root) => writeFileSync(path.join(root, "pause"), PAUSE, { mode: 0o755 }),
  },
  httpd: staticServer("httpd", ["2.4.38-alpine", "2.4.39-alpine"], "usr/local/apache2/htdocs"),
  nginx: staticServer("nginx", ["1.14-alpine", "1.15-alpine"], "usr/share/nginx/html"),
  nonewprivs: {
    references: [`${E2E}/nonewprivs:1.0`],
    config: { Cmd: ["nnp"], Env },
    prepare(root) {
      const file = path.join(root, "usr/local/bin/nnp");
      addPeer("nnp", file);
      chmodSync(file, 0o6755);
    },
  },
  nautilus: updateDemo("nautilus"),
  kitten: updateDemo("kitten"),
  agnhost: {
    references: ["k8s.gcr.io/e2e-test-images/agnhost:2.21", `${E2E}/jessie-dnsutils:1.0`],
    packages: ["bash", "bind9-dnsutils", "curl", "iproute2", "libc-bin", "netcat-openbsd"],
    config: {
      Entrypoint: ["/agnhost"],
      Cmd: ["pause"],
      Env,
      ExposedPorts: { "80/tcp": {}, "8080/tcp": {}, "8081/tcp": {}, "9376/tcp": {} },
    },
    prepare: addAgnhost,
  },
};

async function build(name: string, recipe: Recipe, { out, cache }: Options): Promise<void> {
  const packages: DebianPackage[] = [];
  for (const wanted of ["busybox-static", ...(recipe.packages ?? [])]) {
    packages.push(...(await downloadClosure([wanted], { cache, refresh: false })));
  }
  const root = mkdtempSync(path.join(cache, `${name}-root-`));
  try {
    const { prepare, references, config } = recipe;
    await assembleRoot(root, { packages, ...(prepare && { prepare }) });
    const layer = concat([...writeTar(directoryEntries(root))]);
    writeImage(path.join(out, `${name}.tar`), { layers: [layer], config, references });
    console.log(`${name}: ${references.join(", ")}, ${Math.ceil(layer.length / 1e6)} MB`);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

interface Options {
  out: string;
  cache: string;
}

const { values } = parseArgs({ options: { out: { type: "string" }, cache: { type: "string" } } });
if (!values.out || !values.cache) throw new Error("Give --out DIR and --cache DIR");
const options: Options = { out: path.resolve(values.out), cache: path.resolve(values.cache) };
for (const folder of [options.out, options.cache]) mkdirSync(folder, { recursive: true });
for (const [name, recipe] of Object.entries(RECIPES)) await build(name, recipe, options);
