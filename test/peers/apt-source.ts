import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";

/** One archive that the machine's own apt configuration names. */
interface Archive {
  uri: string;
  signedBy: string;
}

/** The Debian archive (not the security one) among deb822 and one-line source lists. */
export function findDebianArchive(texts: readonly string[]): Archive | undefined {
  for (const text of texts) {
    for (const stanza of text.split(/\n\s*\n/)) {
      const field = (name: string) =>
        new RegExp(`^${name}:\\s*(.+)$`, "m").exec(stanza)?.[1]?.trim().split(/\s+/)[0];
      const uri = field("URIs");
      if (uri?.replace(/\/$/, "").endsWith("/debian")) {
        return { uri, signedBy: field("Signed-By") ?? "" };
      }
      const line = /^deb\s+(?:\[[^\]]*signed-by=(\S+)[^\]]*\]\s+)?(\S+\/debian)\/?\s/m.exec(stanza);
      if (line) return { uri: line[2] ?? "", signedBy: line[1] ?? "" };
    }
  }
  return undefined;
}

/** apt-get with a source list of our own in `directory`; the machine's lists stay as they are. */
export function ownApt(
  directory: string,
  source: { type: "deb" | "deb-src"; suite: string },
): (args: readonly string[], cwd: string) => void {
  const lists = ["/etc/apt/sources.list"].concat(
    readdirSync("/etc/apt/sources.list.d").map((name) => `/etc/apt/sources.list.d/${name}`),
  );
  const archive = findDebianArchive(lists.map((file) => readIfPresent(file)));
  if (!archive) throw new Error("Cannot find a Debian archive in /etc/apt/sources.list.d");
  const signed = archive.signedBy || "/usr/share/keyrings/debian-archive-keyring.gpg";
  mkdirSync(path.join(directory, "lists/partial"), { recursive: true });
  mkdirSync(path.join(directory, "cache/archives/partial"), { recursive: true });
  const list = path.join(directory, "sources.list");
  writeFileSync(
    list,
    `${source.type} [signed-by=${signed} check-valid-until=no] ${archive.uri} ${source.suite} main\n`,
  );
  const options = [
    `Dir::Etc::SourceList=${list}`,
    "Dir::Etc::SourceParts=/dev/null",
    `Dir::State::Lists=${path.join(directory, "lists")}`,
    `Dir::Cache=${path.join(directory, "cache")}`,
    "APT::Sandbox::User=root",
  ].flatMap((option) => ["-o", option]);
  return (args, cwd) => {
    execFileSync("apt-get", ["-qq", ...options, ...args], {
      cwd,
      stdio: ["ignore", "inherit", "inherit"],
    });
  };
}

function readIfPresent(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
