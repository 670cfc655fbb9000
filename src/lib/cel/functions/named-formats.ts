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
  readonly #patternLength: number;

  constructor(name: string, { check, patternLength }: Syntax) {
    super();
    this.name = name;
    this.check = check;
    this.#patternLength = patternLength;
  }

  /** As if a regular expression of that length were matched. */
  cost(text: Value): number {
    return Math.ceil((1 + sizeOfValue(text)) * 0.1) * Math.ceil(this.#patternLength * 0.25);
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

interface Syntax {
  check: Check;
  /** Length of the reference implementation's pattern: costs are counted by it. */
  patternLength: number;
}

const syntax = (check: Check, patternLength: number): Syntax => ({ check, patternLength });

const SYNTAXES: Readonly<Record<string, Syntax>> = {
  dns1123Label: syntax(dns1123LabelErrors, 30),
  dns1123Subdomain: syntax(dns1123SubdomainErrors, 60),
  dns1035Label: syntax(dns1035LabelErrors, 30),
  qualifiedName: syntax(qualifiedNameErrors, 60),
  dns1123LabelPrefix: syntax(prefix(dns1123LabelErrors), 30),
  dns1123SubdomainPrefix: syntax(prefix(dns1123SubdomainErrors), 60),
  dns1035LabelPrefix: syntax(prefix(dns1035LabelErrors), 30),
  labelValue: syntax(labelValueErrors, 40),
  uri: syntax(
    must((text) => isUri(text), "invalid URI for request"),
    1103,
  ),
  uuid: syntax(
    must((text) => UUID.test(text), "does not match the UUID format"),
    70,
  ),
  byte: syntax(
    must((text) => BASE64.test(text), "invalid base64"),
    84,
  ),
  date: syntax(
    must((text) => parseTimestamp(`${text}T00:00:00Z`) !== undefined, "invalid date"),
    71,
  ),
  datetime: syntax(
    must((text) => parseTimestamp(text) !== undefined, "invalid datetime"),
    71,
  ),
};

/** Named formats of Kubernetes. */
export const NAMED_FORMATS: Overloads = [
  ...Object.entries(SYNTAXES).map(([name, of]) => {
    const format = new NamedFormat(name, of);
    return overload(`::format.${name}() -> kubernetes.NamedFormat`, () => format);
  }),
  overload("::format.named(string) -> optional<kubernetes.NamedFormat>", (name: string) => {
    const of = Object.hasOwn(SYNTAXES, name) ? SYNTAXES[name] : undefined;
    return new Optional(of ? new NamedFormat(name, of) : undefined);
  }),
  overload(
    "kubernetes.NamedFormat.validate(string) -> optional<list<string>>",
    ({ check }: NamedFormat, text: string) => {
      const complaints = check(text);
      return new Optional(complaints.length > 0 ? new ArrayList(complaints) : undefined);
    },
    ([format, text = null]: readonly Value[]) => {
      return format instanceof NamedFormat ? format.cost(text) : 1;
    },
  ),
];
