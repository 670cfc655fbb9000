import { closeSync, openSync } from "node:fs";
import { Socket } from "node:net";
import path from "node:path";
import { openSocketPair } from "../../sys/control-socket.ts";
import { makePipe } from "../../sys/file.ts";
import { reap, spawnProgram } from "../../sys/posix-spawn.ts";
import { MonitorError } from "./conmon.ts";
import type { GvisorSpec } from "./gvisor-state.ts";
import { lastLogged } from "./oci-command.ts";

const SHELL = "/bin/sh";
const GOFER_LOG = "gofer.log";
/** What a gofer has as descriptors from 3 on. */
const [SPEC_FD, LOG_FD, MOUNTS_FD, FIRST_FILES_FD] = [3, 4, 5, 6];

/** A process that opens files for a kernel that cannot. It ends with the last of its `files`. */
export interface Gofer extends Disposable {
  /** The kernel's ends of connections to the root file system and to each volume. */
  readonly files: readonly number[];
  /** Where it tells the mounts, for who does not ask for them below. */
  readonly mountsFd: number;
  /** The mounts of the container, as they came to be. @throws MonitorError in gVisor's words */
  mounts(): Promise<GvisorSpec["mounts"]>;
}

/** How to start one. */
export interface GoferRequest {
  bundle: string;
  spec: GvisorSpec;
  /** Puts it into namespaces of its own. */
  launcher: string;
  /** gVisor with its global arguments. */
  gvisor: readonly string[];
  /** What a shell runs to move itself to its control group, which is its first argument. */
  joining: string;
  cgroup: string;
}

/**
 * Starts the gofer of a container as gVisor's `run` does, without the process of that. It mounts
 * the volumes and sheds its privileges by itself. Source: gVisor, runsc/cmd/gofer.go.
 */
export function startGofer(request: GoferRequest): Gofer {
  const { bundle, spec, launcher } = request;
  const log = path.join(bundle, GOFER_LOG);
  const pairs = Array.from({ length: 1 + spec.mounts.filter(needsGofer).length }, openSocketPair);
  const { readFd, writeFd } = makePipe();
  const theirs = [writeFd, ...pairs.map(([, far]) => far)];
  const ours = new Set([readFd, ...pairs.map(([near]) => near)]);
  const close = (fds: Iterable<number>) => {
    for (const fd of fds) if (ours.delete(fd)) closeSync(fd);
  };
  try {
    const specFd = openSync(path.join(bundle, "config.json"), "r");
    theirs.push(specFd);
    const logFd = openSync(log, "a", 0o600);
    theirs.push(logFd);
    const pid = spawnProgram({
      file: launcher,
      args: [SHELL, "-c", script(request), ...goferCommand(request, pairs.length)],
      directory: bundle,
      env: {},
      descriptors: [
        "ignore",
        "ignore",
        "ignore",
        specFd,
        logFd,
        writeFd,
        ...pairs.map((p) => p[1]),
      ],
    });
    // It leaves the gofer behind, whose parent the node's first process then is.
    void reap(pid);
  } catch (error) {
    close([...ours]);
    throw error;
  } finally {
    for (const fd of theirs) closeSync(fd);
  }
  return {
    files: pairs.map(([near]) => near),
    mountsFd: readFd,
    async mounts() {
      ours.delete(readFd);
      let text = "";
      const socket = new Socket({ fd: readFd, readable: true, writable: false });
      for await (const chunk of socket.setEncoding("utf8")) text += String(chunk);
      if (text) return JSON.parse(text) as GvisorSpec["mounts"];
      throw new MonitorError(lastLogged(log) ?? "the container's files cannot be served");
    },
    [Symbol.dispose]: () => close([...ours]),
  };
}

/** Source: gVisor, specutils.IsGoferMount. */
function needsGofer({ type, source, options = [] }: GvisorSpec["mounts"][number]): boolean {
  const isBind = type === "bind" || options.some((option) => /^r?bind$/.test(option));
  return isBind && source !== undefined && source !== "";
}

function script({ joining, spec }: GoferRequest): string {
  const { oomScoreAdj } = spec.process;
  const score = oomScoreAdj === undefined ? "" : `echo ${oomScoreAdj} > /proc/self/oom_score_adj;`;
  return `${joining} && { ${score} shift; "$@" & }`;
}

/** The words of the shell from its name on. */
function goferCommand({ gvisor, cgroup, bundle }: GoferRequest, connections: number): string[] {
  const files = Array.from({ length: connections }, (_, at) => `--io-fds=${FIRST_FILES_FD + at}`);
  const flags = [`--log-fd=${LOG_FD}`, "--log-format=json"];
  const given = ["--bundle", bundle, `--spec-fd=${SPEC_FD}`, `--mounts-fd=${MOUNTS_FD}`];
  return [SHELL, cgroup, ...gvisor, ...flags, "gofer", ...given, ...files];
}
