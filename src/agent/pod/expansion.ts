/**
 * Replaces `$(NAME)` as far as `lookup` knows the name; `$$` is a plain dollar sign, so `$$(NAME)`
 * stays `$(NAME)`. An unknown reference stays as it is written.
 */
export function expandVariables(
  text: string,
  lookup: (name: string) => string | undefined,
): string {
  return text.replace(/\$\$|\$\(([^)]*)\)/g, (match, name: string | undefined) => {
    if (match === "$$") return "$";
    return lookup(name ?? "") ?? match;
  });
}
