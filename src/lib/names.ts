// Syntax of names, as RFC 1123, RFC 1035 and the Kubernetes API define it. Every function returns
// the list of complaints, in the words users know; an empty list means the text is fine.

const LABEL_1123 = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const SUBDOMAIN_1123 = `${LABEL_1123}(\\.${LABEL_1123})*`;
const LABEL_1035 = "[a-z]([-a-z0-9]*[a-z0-9])?";
const QUALIFIED = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";

/** What a syntax asks for. */
interface Syntax {
  pattern: RegExp;
  lengthMax: number;
  complaint: string;
}

function syntax(
  source: string,
  rest: { lengthMax: number; text: string; examples: string[] },
): Syntax {
  const or = rest.examples.map((example) => `'${example}'`).join(",  or ");
  return {
    pattern: new RegExp(`^${source}$`),
    lengthMax: rest.lengthMax,
    complaint: `${rest.text} (e.g. ${or}, regex used for validation is '${source}')`,
  };
}

const DNS_1123_LABEL = syntax(LABEL_1123, {
  lengthMax: 63,
  text:
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', " +
    "and must start and end with an alphanumeric character",
  examples: ["my-name", "123-abc"],
});
const DNS_1123_SUBDOMAIN = syntax(SUBDOMAIN_1123, {
  lengthMax: 253,
  text:
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' " +
    "or '.', and must start and end with an alphanumeric character",
  examples: ["example.com"],
});
const DNS_1035_LABEL = syntax(LABEL_1035, {
  lengthMax: 63,
  text:
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with " +
    "an alphabetic character, and end with an alphanumeric character",
  examples: ["my-name", "abc-123"],
});
const LABEL_VALUE = syntax(`(${QUALIFIED})?`, {
  lengthMax: 63,
  text:
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or " +
    "'.', and must start and end with an alphanumeric character",
  examples: ["MyValue", "my_value", "12345"],
});
const QUALIFIED_NAME = syntax(QUALIFIED, {
  lengthMax: 63,
  text:
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and " +
    "end with an alphanumeric character",
  examples: ["MyName", "my.name", "123-abc"],
});
const CONFIG_KEY = syntax("[-._a-zA-Z0-9]+", {
  lengthMax: 253,
  text: "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
  examples: ["key.name", "KEY_NAME", "key-name"],
});

const HEADER_NAME = syntax("[-A-Za-z0-9]+", {
  lengthMax: Number.POSITIVE_INFINITY,
  text: "a valid HTTP header must consist of alphanumeric characters or '-'",
  examples: ["X-Header-Name"],
});
const WILDCARD_SUBDOMAIN = syntax(`\\*\\.${SUBDOMAIN_1123}`, {
  lengthMax: 253,
  text:
    "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, " +
    "which must consist of lower case alphanumeric characters, '-' or '.' and end with an " +
    "alphanumeric character",
  examples: ["*.example.com"],
});
function isOf(text: string, { pattern, lengthMax }: Syntax): boolean {
  return text.length <= lengthMax && pattern.test(text);
}

function complaintsOf(text: string, wanted: Syntax): string[] {
  const complaints: string[] = [];
  if (text.length > wanted.lengthMax) {
    complaints.push(`must be no more than ${wanted.lengthMax} characters`);
  }
  if (!wanted.pattern.test(text)) complaints.push(wanted.complaint);
  return complaints;
}

/** A name of one part, such as a namespace's or a container's. */
export function dns1123LabelErrors(text: string): string[] {
  if (isOf(text, DNS_1123_LABEL)) return [];
  const complaints = complaintsOf(text, DNS_1123_LABEL);
  const dotted = text.includes(".") && DNS_1123_SUBDOMAIN.pattern.test(text);
  return dotted ? [...complaints.slice(0, -1), "must not contain dots"] : complaints;
}

/** A name of parts with dots, as most objects have. */
export function dns1123SubdomainErrors(text: string): string[] {
  return complaintsOf(text, DNS_1123_SUBDOMAIN);
}

/** A name of one part that starts with a letter, such as a service's. */
export function dns1035LabelErrors(text: string): string[] {
  return complaintsOf(text, DNS_1035_LABEL);
}

/** The value of a label. */
export function labelValueErrors(text: string): string[] {
  return complaintsOf(text, LABEL_VALUE);
}

/** A key of a ConfigMap or Secret. */
export function configKeyErrors(text: string): string[] {
  const complaints = complaintsOf(text, CONFIG_KEY);
  if (text === ".") complaints.push("must not be '.'");
  else if (text === "..") complaints.push("must not be '..'");
  else if (text.startsWith("..")) complaints.push("must not start with '..'");
  return complaints;
}

/** `name` or `prefix/name`, the prefix a DNS subdomain: keys of labels and annotations. */
export function qualifiedNameErrors(text: string): string[] {
  if (isOf(text, QUALIFIED_NAME)) return [];
  const parts = text.split("/");
  if (parts.length > 2) {
    const [, shape = ""] = QUALIFIED_NAME.complaint.split("name part must ");
    return [
      `a qualified name must ${shape} with an optional DNS subdomain prefix and '/' ` +
        "(e.g. 'example.com/MyName')",
    ];
  }
  const complaints: string[] = [];
  const name = parts.at(-1) ?? "";
  if (parts.length === 2) {
    const prefix = parts[0] ?? "";
    if (prefix === "") complaints.push("prefix part must be non-empty");
    else complaints.push(...dns1123SubdomainErrors(prefix).map((text) => `prefix part ${text}`));
  }
  if (name === "") complaints.push("name part must be non-empty");
  else if (name.length > 63) complaints.push("name part must be no more than 63 characters");
  if (!QUALIFIED_NAME.pattern.test(name)) complaints.push(QUALIFIED_NAME.complaint);
  return complaints;
}

/** The name of a port: an IANA service name (RFC 6335 section 5.1). */
export function portNameErrors(text: string): string[] {
  const complaints: string[] = [];
  if (text.length > 15) complaints.push("must be no more than 15 characters");
  if (!/^[-a-z0-9]+$/.test(text)) {
    complaints.push("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)");
  }
  if (!/[a-z]/.test(text)) complaints.push("must contain at least one letter (a-z)");
  if (text.includes("--")) complaints.push("must not contain consecutive hyphens");
  if (text !== "" && (text.startsWith("-") || text.endsWith("-"))) {
    complaints.push("must not begin or end with a hyphen");
  }
  return complaints;
}

/** The name of an environment variable in a container. */
export function envVarNameErrors(text: string): string[] {
  if (text === "") return ["environment variable name must be non-empty"];
  if (/^[ -<>-~]+$/.test(text)) return [];
  return [
    "a valid environment variable name must consist only of printable ASCII characters other " +
      "than '='",
  ];
}

/** The name of an HTTP header. */
export function headerNameErrors(text: string): string[] {
  return complaintsOf(text, HEADER_NAME);
}

/** A host name with a star for its first part. */
export function wildcardSubdomainErrors(text: string): string[] {
  return complaintsOf(text, WILDCARD_SUBDOMAIN);
}

/** `host/path`, as names of events of webhooks and signers are. */
export function domainPathErrors(text: string): string[] {
  const [host = "", ...rest] = text.split("/");
  const path = rest.join("/");
  if (!host || !path) return ['must be a domain-prefixed path (such as "acme.io/foo")'];
  const complaints = dns1123SubdomainErrors(host);
  if (!/^[A-Za-z0-9/\-._~%!$&'()*+,;=:]+$/.test(path)) {
    complaints.push(
      "Invalid path (regex used for validation is '[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+')",
    );
  }
  return complaints;
}

/** A segment of a URL path, as names of RBAC objects must be. */
export function pathSegmentErrors(text: string): string[] {
  if (text === ".") return ["may not be '.'"];
  if (text === "..") return ["may not be '..'"];
  const complaints: string[] = [];
  if (text.includes("/")) complaints.push("may not contain '/'");
  if (text.includes("%")) complaints.push("may not contain '%'");
  return complaints;
}
