import type { Page } from "./page.ts";
import type { Query } from "../request/query.ts";

/** A check of health. `undefined` means that all is well, text says what is wrong. */
export interface HealthCheck {
  name: string;
  check(): string | undefined | Promise<string | undefined>;
}

/** A check and what it found. */
export interface CheckedHealth {
  name: string;
  problem: string | undefined;
}

/** Asks all checks, side by side. */
export function checkHealth(checks: readonly HealthCheck[]): Promise<CheckedHealth[]> {
  return Promise.all(checks.map(async ({ name, check }) => ({ name, problem: await check() })));
}

/**
 * `/readyz` and the like: "ok", the list of checks with `verbose` or when one failed, and one check
 * below its name. Anybody may ask for the list, so that it withholds what is wrong.
 */
export async function healthPage(
  checks: readonly HealthCheck[],
  of: { name: string; only: string | undefined; query: Query },
): Promise<Page | undefined> {
  const { name, only, query } = of;
  if (only !== undefined) return singlePage(checks.find((each) => each.name === only));
  const excluded = new Set(query.all("exclude"));
  const asked = checks.filter((each) => !excluded.has(each.name));
  const problems = new Map((await checkHealth(asked)).map((each) => [each.name, each.problem]));
  const lines = checks.map((each) => {
    if (excluded.delete(each.name)) return `[+]${each.name} excluded: ok`;
    const isWell = problems.get(each.name) === undefined;
    return isWell ? `[+]${each.name} ok` : `[-]${each.name} failed: reason withheld`;
  });
  if (excluded.size > 0) {
    const names = [...excluded].toSorted().map((each) => JSON.stringify(each));
    lines.push(`warn: some health checks cannot be excluded: no matches for ${names.join(",")}`);
  }
  const isWell = [...problems.values()].every((problem) => problem === undefined);
  if (isWell && !query.has("verbose")) return text("ok", 200);
  lines.push(`${name} check ${isWell ? "passed" : "failed"}`, "");
  return text(lines.join("\n"), isWell ? 200 : 500);
}

async function singlePage(one: HealthCheck | undefined): Promise<Page | undefined> {
  if (!one) return undefined;
  const problem = await one.check();
  return problem === undefined ? text("ok", 200) : text(`internal server error: ${problem}\n`, 500);
}

function text(content: string, status: number): Page {
  return { status, contentType: "text/plain; charset=utf-8", bytes: Buffer.from(content) };
}
