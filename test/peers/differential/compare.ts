import type { ServerUnderTest } from "../server-under-test.ts";
import type { Answer, Case } from "./case.ts";
import { describeDifference, type Difference, differencesOf } from "./difference.ts";
import { normalise } from "./normalise.ts";
import { fromPeer, toPeer } from "./peer-versions.ts";
import { runCases } from "./run-cases.ts";
import { type AcceptedDifference, covers, type Seen } from "./accepted-difference.ts";
import { ACCEPTED_DIFFERENCES, WORDINGS } from "./accepted-differences.ts";

/** What a comparison found. */
export interface Report {
  requests: number;
  /** By case: what the written list does not cover, one line each. */
  unexplained: ReadonlyMap<string, readonly string[]>;
  /** Entries of the written list that covered nothing. */
  unused: readonly AcceptedDifference[];
}

/** Sends every case to both servers and compares the answers. */
export async function compareServers(
  { ours, theirs }: { ours: ServerUnderTest; theirs: ServerUnderTest },
  cases: readonly Case[],
): Promise<Report> {
  const [own, other] = await Promise.all([
    runCases(ours, { cases, translate: (one) => one }),
    runCases(theirs, { cases, translate: toPeer }),
  ]);
  const used = new Set<AcceptedDifference>();
  const unexplained = new Map<string, string[]>();
  let requests = 0;
  for (const each of cases) {
    const asked = JSON.stringify(each.steps);
    each.steps.forEach(({ method, path }, at) => {
      requests += 1;
      const ourAnswer = comparable(own.get(each.name)?.[at], asked);
      const theirAnswer = comparable(fromPeer(other.get(each.name)?.[at]), asked);
      const kind = kindOf(ourAnswer) || kindOf(theirAnswer);
      const step = `${at + 1} ${method} ${path}`;
      for (const difference of differencesOfAnswers(ourAnswer, theirAnswer)) {
        const answers = { ours: ourAnswer, theirs: theirAnswer };
        const seen: Seen = { ...difference, case: each.name, kind, answers };
        const entry = ACCEPTED_DIFFERENCES.find((one) => covers(one, seen));
        if (entry) {
          used.add(entry);
          continue;
        }
        const lines = unexplained.get(each.name) ?? [];
        lines.push(`${step}: ${describeDifference(difference)}`);
        unexplained.set(each.name, lines);
      }
    });
  }
  const unused = ACCEPTED_DIFFERENCES.filter((entry) => !entry.byChance && !used.has(entry));
  return { requests, unexplained, unused };
}

/** Bodies of different outcomes differ everywhere: then the outcomes alone are compared. */
function differencesOfAnswers(ours: Answer, theirs: Answer): Difference[] {
  if (ours.status !== theirs.status) {
    return [{ path: "answer.status", ours: outcomeOf(ours), theirs: outcomeOf(theirs) }];
  }
  const [own, other] = [kindIn(ours), kindIn(theirs)];
  if (own !== other) return [{ path: "answer.body.kind", ours: own, theirs: other }];
  return differencesOf(ours, theirs, "answer");
}

interface Outcome {
  kind?: string;
  message?: string;
  details?: { causes?: Readonly<Record<string, readonly string[]>> };
}

function outcomeOf({ status, body }: Answer): string {
  const { kind, message, details } = (body ?? {}) as Outcome;
  const causes = Object.entries(details?.causes ?? {});
  const said = causes.map(([field, texts]) => `${field}: ${texts.join(", ")}`);
  return [`${status} ${message ?? kind ?? ""}`, ...said].join(": ");
}

const NO_ANSWER: Answer = { status: 0, contentType: "", body: null };

function comparable(answer: Answer | undefined, asked: string): Answer {
  const body = normalise(answer?.body, asked);
  const text = WORDINGS.reduce(
    (sofar, { pattern, replacement }) => sofar.replace(pattern, replacement),
    JSON.stringify(body ?? null),
  );
  return { ...(answer ?? NO_ANSWER), body: JSON.parse(text) as unknown };
}

function kindIn({ body }: Answer): string | undefined {
  return ((body ?? {}) as { kind?: string }).kind;
}

function kindOf({ body }: Answer): string {
  const { kind, details } = (body ?? {}) as { kind?: string; details?: { kind?: string } };
  return (kind === "Status" ? details?.kind : kind) ?? "";
}
