import {
  dns1035LabelErrors,
  dns1123LabelErrors,
  dns1123SubdomainErrors,
  labelValueErrors,
  qualifiedNameErrors,
} from "../../names.ts";
import { type Overloads, overload } from "../overload.ts";
import { ArrayList, Opaque, Optional, sizeOfValue, type Value } from "../values.ts";
import { parseTimestamp } from "./time-text.ts";
import { URLS } from "./urls.ts";

type Check = (text: string) => readonly string[];

/** A syntax with a name: `format.dns1123Label()`. */
class NamedFormat extends Opaque {
  readonly typeName = "kubernetes.NamedFormat";
  readonly name: string;
  readonly check: Check;

  constructor(name: string, check: Check) {
    super();
    this.name = name;
    this.check = check;
  }

  equals(other: Opaque): boolean {
    return other instanceof NamedFormat && other.name === this.name;
  }
}

/** A prefix may end with a dash: what generateName makes of it is what counts. */
const prefix =
  (check: Check): Check =>
  (text) =>
    check(text.endsWith("-") && text.length > 1 ? `${text.slice(0, -1)}a` : text);
const must =
  (holds: (text: string) => boolean, complaint: string): Check =>
  (text) =>
    holds(text) ? [] : [complaint];

const isUri = URLS.find(({ name }) => name === "isURL")?.call as unknown as (
  text: string,
) => boolean;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const UUID = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i;

const CHECKS: Readonly<Record<string, Check>> = {
  dns1123Label: dns1123LabelErrors,
  dns1123Subdomain: dns1123SubdomainErrors,
  dns1035Label: dns1035LabelErrors,
  qualifiedName: qualifiedNameErrors,
  dns1123LabelPrefix: prefix(dns1123LabelErrors),
  dns1123SubdomainPrefix: prefix(dns1123SubdomainErrors),
  dns1035LabelPrefix: prefix(dns1035LabelErrors),
  labelValue: labelValueErrors,
  uri: must((text) => isUri(text), "invalid URI for request"),
  uuid: must((text) => UUID.test(text), "does not match the UUID format"),
  byte: must((text) => BASE64.test(text), "invalid base64"),
  date: must((text) => parseTimestamp(`${text}T00:00:00Z`) !== undefined, "invalid date"),
  datetime: must((text) => parseTimestamp(text) !== undefined, "invalid datetime"),
};
const FORMAT_COST = 32;

/** Named formats of Kubernetes. */
export const NAMED_FORMATS: Overloads = [
  ...Object.entries(CHECKS).map(([name, check]) => {
    const format = new NamedFormat(name, check);
    return overload(`::format.${name}() -> kubernetes.NamedFormat`, () => format);
  }),
  overload("::format.named(string) -> optional<kubernetes.NamedFormat>", (name: string) => {
    const check = Object.hasOwn(CHECKS, name) ? CHECKS[name] : undefined;
    return new Optional(check ? new NamedFormat(name, check) : undefined);
  }),
  overload(
    "kubernetes.NamedFormat.validate(string) -> optional<list<string>>",
    ({ check }: NamedFormat, text: string) => {
      const complaints = check(text);
      return new Optional(complaints.length > 0 ? new ArrayList(complaints) : undefined);
    },
    ([, text = null]: readonly Value[]) => (1 + sizeOfValue(text) * 0.1) * FORMAT_COST,
  ),
];
