/** How a server wants to be asked. Source: RFC 9110, section 11.6.1. */
export interface AuthChallenge {
  /** In lower case: "bearer", "basic". */
  scheme: string;
  /** Names in lower case. */
  parameters: ReadonlyMap<string, string>;
}

const SCHEME = /[A-Za-z0-9!#$%&'*+.^_`|~-]+/y;
const PARAMETER = /([A-Za-z0-9!#$%&'*+.^_`|~-]+)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/y;
const SEPARATOR = /[\s,]*/y;
const LONGEST = 8192;

/** Parses a `WWW-Authenticate` header; what follows something malformed is left out. */
export function parseChallenges(header: string): AuthChallenge[] {
  if (header.length > LONGEST) return [];
  const challenges: AuthChallenge[] = [];
  let parameters: Map<string, string> | undefined;
  for (let at = 0; ; ) {
    at = end(SEPARATOR, header, at) ?? at;
    if (at >= header.length) return challenges;
    PARAMETER.lastIndex = at;
    const found = parameters && PARAMETER.exec(header);
    if (parameters && found) {
      const [, name = "", quoted, plain = ""] = found;
      parameters.set(name.toLowerCase(), quoted?.replace(/\\(.)/g, "$1") ?? plain);
      at = PARAMETER.lastIndex;
      continue;
    }
    const next = end(SCHEME, header, at);
    if (next === undefined) return challenges;
    parameters = new Map();
    challenges.push({ scheme: header.slice(at, next).toLowerCase(), parameters });
    at = next;
  }
}

function end(pattern: RegExp, text: string, at: number): number | undefined {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : undefined;
}
