import { readFileSync } from "node:fs";
import { arch } from "node:os";
import { compileSeccomp, encodeBpf } from "../../format/seccomp/compile.ts";
import { ociSeccomp } from "../../format/seccomp/oci-profile.ts";
import { runtimeDefaultPolicy } from "../../format/seccomp/runtime-default.ts";
import { RuntimeError } from "./contract.ts";

/** What goes into `config.json` for a seccomp profile. */
export interface SeccompChoice {
  seccomp?: object;
  annotations?: Readonly<Record<string, string>>;
}

/** Finds profiles; remembers compiled ones, of which there are as many as sets of capabilities. */
export interface SeccompProfiles {
  /** `profile` as in `ContainerSecurity.seccomp`. @throws RuntimeError for an unreadable file */
  choose(profile: string, capabilities: readonly string[]): SeccompChoice;
}

/**
 * How the node's own profile reaches an OCI runtime: crun takes filters compiled here, which saves
 * it 9 ms of compiling per start. Nothing of it reaches a kernel that is not the node's.
 */
export type DefaultProfileForm = "compiled" | "json" | "omitted";

/** `form` is that of the node's own profile; those of a user are JSON. */
export function createSeccompProfiles(form: DefaultProfileForm): SeccompProfiles {
  const known = new Map<string, SeccompChoice>();
  const machine = arch();
  if (machine !== "x64" && machine !== "arm64") {
    throw new RuntimeError("runtime-failed", `No seccomp profile for the architecture ${machine}`);
  }
  const runtimeDefault = (capabilities: readonly string[]): SeccompChoice => {
    if (form === "omitted") return {};
    const policy = runtimeDefaultPolicy(machine, capabilities);
    if (form === "json") return { seccomp: ociSeccomp(policy) };
    const bytes = Buffer.from(encodeBpf(compileSeccomp(policy, machine)));
    return { annotations: { "run.oci.seccomp_bpf_data": bytes.toString("base64") } };
  };
  return {
    choose(profile, capabilities) {
      if (profile === "unconfined") return {};
      if (profile !== "runtime-default") return { seccomp: readProfile(profile) };
      const key = capabilities.join();
      const choice = known.get(key) ?? runtimeDefault(capabilities);
      known.set(key, choice);
      return choice;
    },
  };
}

function readProfile(file: string): object {
  try {
    if (!file.startsWith("/")) throw new Error("the path is not absolute");
    const value: unknown = JSON.parse(readFileSync(file, "utf8"));
    if (typeof value === "object" && value !== null && "defaultAction" in value) return value;
    throw new Error("it has no defaultAction");
  } catch (cause) {
    const message = `Cannot load seccomp profile "${file}": ${(cause as Error).message}`;
    throw new RuntimeError("runtime-failed", message, { cause });
  }
}
