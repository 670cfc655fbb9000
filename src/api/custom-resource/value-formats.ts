import { parseDuration, parseTimestamp } from "../../lib/cel/functions/time-text.ts";
import { isCidr, isIpv4, isIpv6 } from "../validation/values.ts";

type Check = (text: string) => boolean;

const matches =
  (pattern: RegExp): Check =>
  (text) =>
    pattern.test(text);
const uuid = (version: string): Check =>
  matches(new RegExp(`^[0-9a-f]{8}-?[0-9a-f]{4}-?${version}-?[0-9a-f]{12}$`, "i"));

const isDate: Check = (text) =>
  /^\d{4}-\d\d-\d\d$/.test(text) && parseTimestamp(`${text}T00:00:00Z`) !== undefined;
const UNITS =
  "ns nano nanos nanosecond nanoseconds us µs micro micros microsecond microseconds ms milli " +
  "millis millisecond milliseconds s sec second seconds m min minute minutes h hr hour hours d " +
  "day days w week weeks";
const LONG_DURATION = new RegExp(`^[+-]?\\d+\\s*(${UNITS.replaceAll(" ", "|")})$`, "i");
/** Also the long units that Scala and people write: "22 ns", "2 hours". */
const isDuration: Check = (text) => parseDuration(text) !== undefined || LONG_DURATION.test(text);
const isUri: Check = (text) =>
  /^([A-Za-z][A-Za-z0-9+.-]*:|\/)/.test(text) && !/[\s"<>\\^`{|}]/.test(text);
const HOST_LABEL = /^[a-zA-Z0-9_]([a-zA-Z0-9_-]{0,61}[a-zA-Z0-9_])?$/;
const isHostname: Check = (text) =>
  text.length <= 253 &&
  text
    .replace(/\.$/, "")
    .split(".")
    .every((label) => HOST_LABEL.test(label));

/** ISBN-10 and ISBN-13 by their check digits. */
function isIsbn(text: string, length: 10 | 13): boolean {
  const digits = text.replace(/[\s-]+/g, "");
  if (!(length === 10 ? /^\d{9}[\dX]$/ : /^\d{13}$/).test(digits)) return false;
  let sum = 0;
  for (let at = 0; at < length; at++) {
    const digit = digits[at] === "X" ? 10 : Number(digits[at]);
    sum += digit * (length === 10 ? at + 1 : at % 2 === 0 ? 1 : 3);
  }
  return sum % (length === 10 ? 11 : 10) === 0;
}

/** By name without dashes; other names are not checked. */
const FORMATS: Readonly<Record<string, Check>> = {
  bsonobjectid: matches(/^[0-9a-f]{24}$/i),
  uri: isUri,
  email: matches(/^[^\s@<>"]+@[^\s@<>"]+$/),
  hostname: isHostname,
  ipv4: isIpv4,
  ipv6: isIpv6,
  cidr: isCidr,
  mac: matches(/^([0-9a-f]{2}[:-]){5,7}[0-9a-f]{2}$|^([0-9a-f]{4}\.){2,3}[0-9a-f]{4}$/i),
  uuid: uuid("[0-9a-f]{4}-?[0-9a-f]{4}"),
  uuid3: uuid("3[0-9a-f]{3}-?[0-9a-f]{4}"),
  uuid4: uuid("4[0-9a-f]{3}-?[89ab][0-9a-f]{3}"),
  uuid5: uuid("5[0-9a-f]{3}-?[89ab][0-9a-f]{3}"),
  isbn: (text) => isIsbn(text, 10) || isIsbn(text, 13),
  isbn10: (text) => isIsbn(text, 10),
  isbn13: (text) => isIsbn(text, 13),
  creditcard: (text) =>
    /^(4\d{12}(\d{3})?|5[1-5]\d{14}|3[47]\d{13}|6(011|5\d\d)\d{12})$/.test(
      text.replace(/\D+/g, ""),
    ),
  ssn: matches(/^\d{3}[- ]?\d{2}[- ]?\d{4}$/),
  hexcolor: matches(/^#?([0-9a-f]{3}|[0-9a-f]{6})$/i),
  rgbcolor: matches(/^rgb\(\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})\s*\)$/),
  byte: matches(/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/),
  date: isDate,
  duration: isDuration,
  datetime: (text) => parseTimestamp(text) !== undefined,
};

/** Whether a text has a format; formats that Kubernetes does not know hold for every text. */
export function hasFormat(text: string, format: string): boolean {
  const check = FORMATS[format.replaceAll("-", "")];
  return !check || check(text);
}
