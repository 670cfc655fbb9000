/** Go writes these in a path as they are, and everything else as the hex of its bytes. */
const PLAIN = /[A-Za-z0-9\-_.~$&+,/:;=@]/;

/**
 * The path that a proxied server is asked for, from what follows "proxy/" in the URL, as upstream
 * makes it: escapes are undone, an escaped slash is a slash, empty segments and dots are resolved,
 * and what needs it is escaped again. A slash at the end stays.
 */
export function proxiedPath(subpath: string): string {
  const path = subpath.replace(/%([0-9a-f]{2})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  const segments: string[] = [];
  for (const segment of path.split("/")) {
    if (segment === "..") segments.pop();
    else if (segment !== "" && segment !== ".") segments.push(segment);
  }
  const isFolder = path.endsWith("/") && segments.length > 0;
  return escaped(`/${segments.join("/")}${isFolder ? "/" : ""}`);
}

/** Each character stands for a byte, as in the text of a request line. */
function escaped(path: string): string {
  return Array.from(path, (character) => {
    if (PLAIN.test(character)) return character;
    return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
  }).join("");
}
