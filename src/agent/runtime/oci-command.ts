import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { MonitorError } from "./conmon.ts";

/** Runs a program to its end and gives its output. @throws MonitorError in the program's words */
export function runProgram(command: readonly string[]): Promise<string> {
  const [file = "", ...args] = command;
  return new Promise((resolve, reject) => {
    execFile(file, args, { cwd: "/" }, (error, stdout, stderr) => {
      if (!error) return resolve(stdout);
      reject(new MonitorError(stderr.trim() || error.message, { cause: error }));
    });
  });
}

/** A word that a shell leaves as it is. */
export function shellWord(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** The last entry of a log of an OCI runtime in JSON, if it wrote any. */
export function lastLogged(file: string): string | undefined {
  try {
    const lines = readFileSync(file, "utf8").trim().split("\n");
    return (JSON.parse(lines.at(-1) ?? "") as { msg?: string }).msg;
  } catch {
    return undefined;
  }
}
