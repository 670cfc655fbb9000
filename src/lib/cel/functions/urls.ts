import { type Overloads, overload } from "../overload.ts";
import { CelError } from "../source-errors.ts";
import { ArrayList, EntryMap, Opaque, sizeOfValue, type Value } from "../values.ts";

const TRAVERSAL = 0.1;
const traverse = ([text = null]: readonly Value[]): number => sizeOfValue(text) * TRAVERSAL;

/** The parts of a URL as they are written. */
class Url extends Opaque {
  readonly typeName = "kubernetes.URL";
  readonly text: string;
  readonly scheme: string;
  readonly host: string;
  readonly path: string;
  readonly query: string;

  constructor(text: string, of: { scheme: string; host: string; path: string; query: string }) {
    super();
    this.text = text;
    this.scheme = of.scheme;
    this.host = of.host;
    this.path = of.path;
    this.query = of.query;
  }

  equals(other: Opaque): boolean {
    return other instanceof Url && other.text === this.text;
  }
}

const SHAPE = /^(?:([A-Za-z][A-Za-z0-9+.-]*):)?(?:\/\/([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#.*)?$/;
const HOST = /^(\[[0-9A-Fa-f:.]+(?:%25[^\]]*)?\]|[^[\]:\s"<>\\^`{|}]*)(?::(\d*))?$/;
const BAD_ESCAPE = /%(?![0-9A-Fa-f]{2})/;

function hasControl(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code < 0x20 || code === 0x7f) return true;
  }
  return false;
}

/** The URL, or what is wrong: an absolute URI or an absolute path is wanted. */
function readUrl(text: string): Url | string {
  const shown = JSON.stringify(text);
  if (text === "") return 'parse "": empty url';
  if (hasControl(text)) return `parse ${shown}: net/url: invalid control character in URL`;
  const found = SHAPE.exec(text);
  if (!found) return `parse ${shown}: invalid URI for request`;
  const [, scheme = "", authority, path = "", query = ""] = found;
  if (scheme === "" && text.startsWith(":")) return `parse ${shown}: missing protocol scheme`;
  if (scheme === "" && !text.startsWith("/")) return `parse ${shown}: invalid URI for request`;
  const host = (authority ?? "").split("@").at(-1) ?? "";
  if (BAD_ESCAPE.test(path) || BAD_ESCAPE.test(host)) {
    const [escape = "%"] = /%.{0,2}/.exec(path + host) ?? [];
    return `parse ${shown}: invalid URL escape ${JSON.stringify(escape)}`;
  }
  if (!HOST.test(host)) return `parse ${shown}: invalid character in host name or port`;
  const escaped = encodePath(path);
  return new Url(text, { scheme: scheme.toLowerCase(), host, path: escaped, query });
}

/** Escapes what may not stand in a path; what is escaped stays. */
function encodePath(path: string): string {
  return path.replace(/[^A-Za-z0-9\-._~!$&'()*+,;=:@/%[\]]/gu, (character) => {
    return encodeURIComponent(character);
  });
}

function parseUrl(text: string): Url {
  const url = readUrl(text);
  if (url instanceof Url) return url;
  throw new CelError(`URL parse error during conversion from string: ${url}`);
}

function hostname(host: string): string {
  return (HOST.exec(host)?.[1] ?? "").replace(/^\[(.*)\]$/, "$1");
}

function unescape(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return text;
  }
}

function queryOf(query: string): EntryMap {
  const values = new Map<string, string[]>();
  for (const pair of query.split("&")) {
    if (pair === "" || pair.includes(";")) continue;
    const equals = pair.indexOf("=");
    const key = unescape(equals < 0 ? pair : pair.slice(0, equals));
    const value = equals < 0 ? "" : unescape(pair.slice(equals + 1));
    values.set(key, [...(values.get(key) ?? []), value]);
  }
  const map = new EntryMap();
  for (const [key, all] of values) map.add(key, new ArrayList(all));
  return map;
}

/** URLs of Kubernetes. */
export const URLS: Overloads = [
  overload("url(string) -> kubernetes.URL", parseUrl, traverse),
  overload("isURL(string) -> bool", (text: string) => readUrl(text) instanceof Url, traverse),
  overload("kubernetes.URL.getScheme() -> string", ({ scheme }: Url) => scheme),
  overload("kubernetes.URL.getHost() -> string", ({ host }: Url) => host),
  overload("kubernetes.URL.getHostname() -> string", ({ host }: Url) => hostname(host)),
  overload("kubernetes.URL.getPort() -> string", ({ host }: Url) => HOST.exec(host)?.[2] ?? ""),
  overload("kubernetes.URL.getEscapedPath() -> string", ({ path }: Url) => path),
  overload("kubernetes.URL.getQuery() -> map<string, list<string>>", ({ query }: Url) =>
    queryOf(query),
  ),
];
