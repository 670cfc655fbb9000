// Builds Kubernetes 1.20 (control plane, kubelet, end-to-end tests) from Debian's source package into
// a cache outside the repository. About 10 minutes on 2 cores; run by hand, never by `make test`:
//   npm run peers -- [NAME OF A PROGRAM ...]
import { execFileSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import path from "node:path";
import { ownApt } from "./apt-source.ts";
import { PEER_BINARIES, peersDirectory } from "./peers.ts";

const directory = peersDirectory();
const source = path.join(directory, "go/src/k8s.io/kubernetes");

function run(command: string, args: readonly string[], cwd: string): void {
  const env = {
    ...process.env,
    GOPATH: path.join(directory, "go"),
    GO111MODULE: "off",
    GOFLAGS: "",
    GOCACHE: path.join(directory, "go-cache"),
    CGO_ENABLED: "0",
  };
  execFileSync(command, args, { cwd, env, stdio: ["ignore", "inherit", "inherit"] });
}

function fetchSource(): void {
  if (existsSync(source)) return;
  const download = path.join(directory, "download");
  mkdirSync(download, { recursive: true });
  const apt = ownApt(path.join(directory, "apt"), { type: "deb-src", suite: "bookworm" });
  apt(["update"], download);
  apt(["source", "kubernetes"], download);
  const tree = readdirSync(download, { withFileTypes: true }).find((entry) => entry.isDirectory());
  if (!tree) throw new Error("apt-get source left no source tree");
  mkdirSync(path.dirname(source), { recursive: true });
  renameSync(path.join(download, tree.name), source);
}

/**
 * The source holds reflect2 1.0.1, which walks maps wrongly when Go 1.18 or later compiles it:
 * kube-apiserver then dies of the first custom resource that is applied. Debian has 1.0.2.
 */
function mendReflection(): void {
  const name = "github.com/modern-go/reflect2";
  const vendored = path.join(source, "vendor", name);
  if (existsSync(path.join(vendored, "go_above_118.go"))) return;
  const download = path.join(directory, "reflect2");
  mkdirSync(download, { recursive: true });
  const apt = ownApt(path.join(directory, "apt-binary"), { type: "deb", suite: "bookworm" });
  apt(["update"], download);
  apt(["download", "golang-github-modern-go-reflect2-dev"], download);
  const [file = ""] = readdirSync(download).filter((each) => each.endsWith(".deb"));
  execFileSync("dpkg-deb", ["--extract", file, "."], { cwd: download });
  rmSync(vendored, { recursive: true });
  const mended = path.join(download, "usr/share/gocode/src", name);
  cpSync(mended, vendored, { recursive: true, dereference: true });
}

/** Whether a program was compiled with the other one: programs of Go name their source files. */
function walksMapsWrongly(file: string): boolean {
  const content = readFileSync(file);
  const name = "modern-go/reflect2/";
  return content.includes(name) && !content.includes(`${name}go_above_118.go`);
}

function build(wanted: readonly string[]): void {
  run("make", ["generated_files"], source);
  const output = path.join(directory, "bin");
  mkdirSync(output, { recursive: true });
  for (const [name, target] of Object.entries(PEER_BINARIES)) {
    const file = path.join(output, name);
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    if (existsSync(file) && !walksMapsWrongly(file)) continue;
    const args = target.test
      ? ["test", "-c", "-o", `${file}.part`]
      : ["build", "-o", `${file}.part`];
    run("go", [...args, "-p", "2", `k8s.io/kubernetes/${target.path}`], source);
    renameSync(`${file}.part`, file);
    console.log(`built ${name}`);
  }
}

mkdirSync(directory, { recursive: true });
rmSync(path.join(directory, "staging"), { force: true, recursive: true });
fetchSource();
mendReflection();
const vendored = path.join(directory, "go/src/k8s.io");
for (const name of readdirSync(path.join(source, "staging/src/k8s.io"))) {
  const link = path.join(vendored, name);
  if (!existsSync(link)) symlinkSync(path.join(source, "staging/src/k8s.io", name), link);
}
build(process.argv.slice(2));
