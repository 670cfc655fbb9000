import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { namesIn, readJson } from "./container-record.ts";

/** Release of gVisor whose files, calls and processes are known here: Debian 12's. */
export const KNOWN_RELEASE = "0.0~20221219.0";

/** As much of an OCI configuration as matters here. */
export interface GvisorSpec {
  process: { terminal?: boolean; oomScoreAdj?: number };
  mounts: { type?: string; source?: string; options?: readonly string[] }[];
}

/** What gVisor's commands know of a container. Source: gVisor, runsc/container/container.go. */
interface GvisorState {
  spec: GvisorSpec;
  sandbox: { pid: number };
}

interface SavedContainer {
  id: string;
  kernel: string;
  bundle: string;
  spec: GvisorSpec;
}

/** The files of one directory in which gVisor's commands find containers. */
export interface GvisorStates {
  /** Names of the files of a container. */
  filesOf(id: string): string[];
  /** PID of a pod's kernel. @throws when it has not started */
  kernelPid(kernel: string): number;
  /** Makes a kernel known that is about to start, by its process. */
  saveKernel(kernel: { id: string; bundle: string; spec: GvisorSpec; pid: number }): void;
  /** Makes a running container known. */
  save(container: SavedContainer): void;
  /** The lowest of the OOM scores of a kernel's containers, if any has one. */
  oomScore(kernel: string): number | undefined;
}

const NO_GROUP = { cgroupunknown: null };
const NOBODY = 65534;
/** It is for lists only that nobody asks for. */
const SOME_TIME = "2022-12-19T00:00:00Z";

/** Opens the directory that gVisor's commands are given as `--root`. */
export function openGvisorStates(directory: string): GvisorStates {
  const stateFile = (id: string, kernel: string) =>
    path.join(directory, `${id}_sandbox:${kernel}.state`);
  const kernelState = (kernel: string) =>
    JSON.parse(readFileSync(stateFile(kernel, kernel), "utf8")) as GvisorState;
  const write = ({ id, kernel, bundle, spec }: SavedContainer, more: object) => {
    const state = {
      id,
      spec,
      bundleDir: bundle,
      createdAt: SOME_TIME,
      owner: "",
      consoleSocket: "",
      goferPid: 0,
      compatCgroup: NO_GROUP,
      saver: { rootDir: directory, id: { sandboxId: kernel, containerId: id } },
      ...more,
    };
    writeFileSync(stateFile(id, kernel), JSON.stringify(state), { mode: 0o640 });
  };
  return {
    filesOf: (id) => namesIn(directory).filter((name) => name.startsWith(`${id}_sandbox:`)),
    kernelPid: (kernel) => kernelState(kernel).sandbox.pid,
    saveKernel({ id, bundle, spec, pid }) {
      const score = Number(readFileSync(`/proc/${pid}/oom_score_adj`, "utf8"));
      const ids = { uid: NOBODY, gid: NOBODY };
      const sandbox = { id, pid, ...ids, cgroup: NO_GROUP, originalOomScoreAdj: score };
      mkdirSync(directory, { recursive: true, mode: 0o711 });
      write({ id, kernel: id, bundle, spec }, { status: "created", sandbox });
    },
    save(container) {
      const { sandbox } = kernelState(container.kernel);
      write(container, { status: "running", sandbox });
    },
    oomScore(kernel) {
      const scores = namesIn(directory)
        .filter((name) => name.endsWith(`_sandbox:${kernel}.state`))
        .filter((name) => !name.startsWith(`${kernel}_sandbox:`))
        .map((name) => readJson<GvisorState>(path.join(directory, name))?.spec.process.oomScoreAdj)
        .filter((score) => score !== undefined);
      return scores.length > 0 ? Math.min(...scores) : undefined;
    },
  };
}

/** The settings that a kernel wants with each container: those of its own command line. */
export function gvisorSettings(directory: string): object {
  return {
    RootDir: directory,
    Traceback: "system",
    LogFormat: "text",
    DebugLogFormat: "text",
    FileAccessMounts: 1,
    HostGSO: true,
    GvisorGSO: true,
    RXChecksumOffload: true,
    QDisc: 1,
    Platform: "ptrace",
    StraceLogSize: 1024,
    PanicSignal: -1,
    NumNetworkChannels: 1,
    OCISeccomp: true,
    IgnoreCgroups: true,
    BufferPooling: true,
    FDLimit: -1,
    DCache: -1,
  };
}
