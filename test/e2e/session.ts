// Sessions: shell commands and what they print, written as one would see them in a terminal.
// test/e2e/sessions/README.md describes the format.
import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";

/** One command of a session, with what it has to print and its exit code. */
export interface Step {
  /** Line of the file, from 1. */
  line: number;
  command: string;
  /** Asked again until it answers so, at most `EVENTUALLY_MS`. */
  eventually: boolean;
  expected: string[];
  code: number;
}

/** What a command printed (both streams) and how it ended. */
export interface Answer {
  lines: string[];
  code: number;
}

const EVENTUALLY_MS = 30_000;
const COMMAND_MS = 45_000;
const AGAIN_AFTER_MS = 150;

/** Reads a session. @throws Error for output that no command printed */
export function parseSession(text: string): Step[] {
  const steps: Step[] = [];
  text.split("\n").forEach((line, at) => {
    const step = steps.at(-1);
    if (/^[$~] /.test(line)) {
      const eventually = line.startsWith("~");
      steps.push({
        line: at + 1,
        command: line.slice(2),
        eventually,
        expected: [],
        code: 0,
      });
    } else if (line.startsWith("> ") || line === ">") {
      if (step) step.command += `\n${line.slice(2)}`;
    } else if (line.startsWith("#") || (line === "" && !step)) {
      return;
    } else if (!step) {
      throw new Error(`line ${at + 1}: output without a command`);
    } else if (/^\? \d+$/.test(line)) {
      step.code = Number(line.slice(2));
    } else {
      step.expected.push(line);
    }
  });
  for (const { expected } of steps) while (expected.at(-1) === "") expected.pop();
  return steps;
}

/** Whether `actual` is what `expected` describes; columns may be padded differently. */
export function matches(expected: readonly string[], actual: readonly string[]): boolean {
  const [first, ...rest] = expected;
  if (first === undefined) return actual.length === 0;
  if (first === "...") {
    return actual.some((_, at) => matches(rest, actual.slice(at))) || rest.length === 0;
  }
  const [line, ...more] = actual;
  return line !== undefined && lineMatches(first, line) && matches(rest, more);
}

function lineMatches(expected: string, actual: string): boolean {
  const parts = squeeze(expected).split("[..]");
  const pattern = parts.map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join(".*");
  return new RegExp(`^${pattern}$`).test(squeeze(actual));
}

/** Column widths depend on values: runs of blanks after the indentation count as one. */
function squeeze(line: string): string {
  return line.trimEnd().replace(/(?<=\S)\s+/g, " ");
}

/** Runs the step's command once, or until it answers as expected. */
export async function runStep(
  step: Step,
  options: { cwd: string; env: NodeJS.ProcessEnv },
): Promise<Answer> {
  const deadline = Date.now() + EVENTUALLY_MS;
  for (;;) {
    const answer = await runShell(step.command, options);
    if (!step.eventually || answers(step, answer) || Date.now() > deadline) return answer;
    await delay(AGAIN_AFTER_MS);
  }
}

/** Whether the answer is the one the session tells of. */
export function answers(step: Step, answer: Answer): boolean {
  return answer.code === step.code && matches(step.expected, answer.lines);
}

function runShell(
  command: string,
  options: { cwd: string; env: NodeJS.ProcessEnv },
): Promise<Answer> {
  return new Promise((resolve) => {
    const limits = { timeout: COMMAND_MS, maxBuffer: 16 << 20, encoding: "utf8" } as const;
    const shell = ["-c", `exec 2>&1\n${command}`];
    const child = execFile("bash", shell, { ...options, ...limits }, (error, stdout) => {
      const code = typeof error?.code === "number" ? error.code : error ? 255 : 0;
      const lines = stdout.split("\n").map((line) => line.trimEnd());
      while (lines.at(-1) === "") lines.pop();
      resolve({ lines, code });
    });
    child.stdin?.end();
  });
}

/** Writes what the commands answered into the session, for a person to read and judge. */
export function recordSession(file: string, answered: ReadonlyMap<number, Answer>): void {
  const steps = parseSession(readFileSync(file, "utf8"));
  const kept = readFileSync(file, "utf8").split("\n");
  const output: string[] = [];
  kept.forEach((line, at) => {
    if (/^([$~] |> |>$|#)/.test(line) || (line === "" && !steps.some((s) => s.line <= at))) {
      output.push(line);
    }
    const step = steps.findLast(({ line: start }) => start <= at + 1);
    const end = (step?.line ?? 0) + (step?.command.split("\n").length ?? 0) - 1;
    const answer = step && end === at + 1 ? answered.get(step.line) : undefined;
    if (!answer) return;
    output.push(...answer.lines);
    if (answer.code !== 0) output.push(`? ${answer.code}`);
    output.push("");
  });
  writeFileSync(file, `${output.join("\n").trimEnd()}\n`);
}
