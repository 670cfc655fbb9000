import { test } from "node:test";
import { ENDPOINT_SLICES } from "../../generated/resources.ts";
import { checkRuleCases } from "../rule-cases.ts";

const LABEL =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must " +
  "start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for " +
  "validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const DOMAIN =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or " +
  "'.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for " +
  "validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const QUALIFIED =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end " +
  "with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for " +
  "validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";

test("rules of slices of endpoints", () => {
  const A = "endpoints[0].addresses";
  const ip = (address: string, ...details: string[]) =>
    [
      { [A]: [address] },
      ...details.map((detail) => `${A}[0]: Invalid value: "${address}": ${detail}`),
    ] as [Record<string, unknown>, ...string[]];
  const name = (address: string, shown: string, detail: string) =>
    [
      { addressType: "FQDN", [A]: [address] },
      `${A}[0]: Invalid value: "${shown}": ${detail}`,
    ] as const;
  const port = { name: "http", protocol: "TCP", port: 80 };
  const zones = (...names: string[]) => ({
    "endpoints[0].hints": { forZones: names.map((zone) => ({ name: zone })) },
  });
  checkRuleCases(ENDPOINT_SLICES, {
    base: { addressType: "IPv4", endpoints: [{ addresses: ["10.1.2.3"] }], ports: [port] },
    create: [
      [{ addressType: "FQDN", [A]: ["example.com", "example.com."] }],
      [{ addressType: "IPv6", [A]: ["fd00::1"] }],
      [{ ports: [port, { ...port, name: "" }], endpoints: [] }],
      [zones("a", "b")],
      [{ addressType: "" }, "addressType: Required value"],
      [
        { addressType: "other" },
        'addressType: Unsupported value: "other": supported values: "FQDN", "IPv4", "IPv6"',
      ],
      [{ [A]: [] }, `${A}: Required value: must contain at least 1 address`],
      [
        { [A]: Array.from({ length: 101 }, (_, at) => `10.1.2.${at}`) },
        `${A}: Too many: 101: must have at most 100 items`,
      ],
      [
        { endpoints: Array.from({ length: 1001 }, () => ({})) },
        "endpoints: Too many: 1001: must have at most 1000 items",
      ],
      [
        { ports: Array.from({ length: 20_001 }, () => ({})) },
        "ports: Too many: 20001: must have at most 20000 items",
      ],
      ip("10.1.2", "must be a valid IPv4 address", "must be a valid IP address"),
      ip("fd00::1", "must be a valid IPv4 address"),
      ip("127.0.0.1", "may not be in the loopback range (127.0.0.0/8, ::1/128)"),
      [{ addressType: "FQDN", [A]: [""] }, `${A}[0]: Required value`],
      name("example", "example", "should be a domain with at least two segments separated by dots"),
      name("Example.com", "Example.com", DOMAIN),
      [{ "endpoints[0].nodeName": "" }, `endpoints[0].nodeName: Invalid value: "": ${DOMAIN}`],
      [{ "endpoints[0].hostname": "--" }, `endpoints[0].hostname: Invalid value: "--": ${LABEL}`],
      [
        zones("a", "a", "b c"),
        'endpoints[0].hints.forZones[1].name: Duplicate value: "a"',
        "endpoints[0].hints.forZones[2].name: Invalid value: \"b c\": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
      ],
      [
        zones("a", "b", "c", "d", "e", "f", "g", "h", "i"),
        "endpoints[0].hints.forZones: Too many: 9: must have at most 8 items",
      ],
      [{ ports: [port, port] }, 'ports[1].name: Duplicate value: "http"'],
      [{ "ports[0].name": "a_b" }, `ports[0].name: Invalid value: "a_b": ${LABEL}`],
      [
        { "ports[0].protocol": "tcp" },
        'ports[0].protocol: Unsupported value: "tcp": supported values: "SCTP", "TCP", "UDP"',
      ],
      [{ "ports[0].appProtocol": "--" }, `ports[0].appProtocol: Invalid value: "--": ${QUALIFIED}`],
    ],
    update: [
      [
        { addressType: "FQDN", [A]: ["example.com"] },
        'addressType: Invalid value: "FQDN": field is immutable',
      ],
    ],
  });
});
