import { Transform } from "node:stream";

/** Attributes whose value is an address, as upstream's proxy knows them. */
const LINK =
  /(\s(?:action|background|cite|codebase|data|formaction|href|icon|longdesc|manifest|poster|profile|src|usemap)\s*=\s*["']?)(\/(?!\/)[^\s"'>]*)/gi;
const TAG_BYTES_MAX = 64 << 10;

/** Moves a path of the server behind the proxy below the path that the client reached it by. */
export function belowProxy(address: string, prefix: string): string {
  const isPath = address.startsWith("/") && !address.startsWith("//");
  if (!isPath || address === prefix || address.startsWith(`${prefix}/`)) return address;
  return prefix + address;
}

/**
 * Rewrites links in HTML while it passes. Bytes are read as Latin-1, which keeps every other byte
 * of any encoding that extends ASCII as it is.
 */
export function rewriteLinks(prefix: string): Transform {
  let held = "";
  const rewrite = (text: string): Buffer =>
    Buffer.from(
      text.replaceAll(/<[^>]*>/g, (tag) =>
        tag.replaceAll(LINK, (_, start: string, link: string) => start + belowProxy(link, prefix)),
      ),
      "latin1",
    );
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const text = held + chunk.toString("latin1");
      const open = text.lastIndexOf("<");
      const isCut = open > text.lastIndexOf(">") && text.length - open <= TAG_BYTES_MAX;
      held = isCut ? text.slice(open) : "";
      done(null, rewrite(isCut ? text.slice(0, open) : text));
    },
    flush(done) {
      done(null, rewrite(held));
    },
  });
}
