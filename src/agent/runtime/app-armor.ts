import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { DEFAULT_PROFILE_NAME, defaultProfile } from "../../format/apparmor/default-profile.ts";
import type { Logger } from "../../lib/logger.ts";
import { type ContainerSecurity, RuntimeError } from "./contract.ts";

/** Confines containers by AppArmor, where the host has it. */
export interface AppArmor {
  /**
   * The profile for a container; undefined for none. Loads the node's own one when it is first
   * wanted. @throws RuntimeError when it was asked for by name and cannot be loaded
   */
  choose(security: ContainerSecurity): Promise<string | undefined>;
}

/** Where AppArmor is found; for tests. */
export interface AppArmorHost {
  /** "Y" when the kernel enforces profiles. */
  enabledFile: string;
  /** apparmor_parser(8), in PATH or by path. */
  parser: string;
}

const HOST: AppArmorHost = {
  enabledFile: "/sys/module/apparmor/parameters/enabled",
  parser: "apparmor_parser",
};

/** Profiles of this host; one that cannot load the node's own says so once. */
export function openAppArmor(logger: Logger, host: AppArmorHost = HOST): AppArmor {
  const enabled = isEnabled(host.enabledFile);
  let loading: Promise<void> | undefined;
  const load = () => {
    loading ??= loadProfile(host.parser).catch((error: unknown) => {
      logger.warn("containers run without AppArmor's profile", { error });
      throw error;
    });
    return loading;
  };
  return {
    async choose({ appArmorProfile, privileged }) {
      if (!enabled) return undefined;
      if (appArmorProfile !== undefined && appArmorProfile !== "runtime-default") {
        return appArmorProfile;
      }
      if (privileged && appArmorProfile === undefined) return undefined;
      try {
        await load();
        return DEFAULT_PROFILE_NAME;
      } catch (cause) {
        if (appArmorProfile === undefined) return undefined;
        const why = `${(cause as Error).message}: install the package apparmor`;
        const message = `Cannot enforce AppArmor's profile RuntimeDefault: ${why}`;
        throw new RuntimeError("runtime-failed", message, { cause });
      }
    },
  };
}

function isEnabled(file: string): boolean {
  try {
    return readFileSync(file, "utf8").startsWith("Y");
  } catch {
    return false;
  }
}

/** Replaces one that an earlier version has loaded. */
function loadProfile(parser: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(parser, ["--skip-cache", "--replace"], {
      stdio: ["pipe", "ignore", "pipe"],
    });
    let words = "";
    child.stderr.on("data", (chunk) => (words += String(chunk)));
    child.stdin.on("error", () => {}); // its end says why
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0) resolve();
      else reject(new Error(`${parser} ended with ${code}: ${words.trim()}`));
    });
    child.stdin.end(defaultProfile());
  });
}
