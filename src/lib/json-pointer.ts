/** The text is no JSON Pointer. */
export class JsonPointerError extends Error {
  override readonly name = "JsonPointerError";
}

/** The reference tokens of a JSON Pointer (RFC 6901): "/a~1b/0" is ["a/b", "0"]. */
export function parsePointer(text: string): string[] {
  if (text === "") return [];
  if (!text.startsWith("/")) throw new JsonPointerError(`JSON pointer "${text}" must start with /`);
  return text.slice(1).split("/").map(unescapeToken);
}

/** The pointer made of these tokens. */
export function formatPointer(tokens: readonly string[]): string {
  return tokens.map((token) => `/${token.replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}

/** A reference token without its escapes: "a~1b" is "a/b". */
export function unescapeToken(token: string): string {
  return token.includes("~") ? token.replaceAll("~1", "/").replaceAll("~0", "~") : token;
}
