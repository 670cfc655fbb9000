import { derChildren, DerError, type DerNode, objectIdentifierOf } from "./der-reader.ts";
import { derObjectIdentifier, derSequence, derSet, derUtf8String } from "./der-writer.ts";

const COMMON_NAME = "2.5.4.3";
const ORGANIZATION = "2.5.4.10";

/** The attributes of an X.500 name that Kubernetes gives a meaning to. */
export interface DistinguishedName {
  commonName: string;
  organizations: readonly string[];
}

/** Organizations first, then the common name, each in a set of its own. */
export function encodeName(name: DistinguishedName): Uint8Array {
  const attribute = (oid: string, value: string) =>
    derSet(derSequence(derObjectIdentifier(oid), derUtf8String(value)));
  return derSequence(
    ...name.organizations.map((value) => attribute(ORGANIZATION, value)),
    attribute(COMMON_NAME, name.commonName),
  );
}

function decodeUtf8(content: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(content);
  } catch {
    throw new DerError("Name has a string that is no UTF-8");
  }
}

function decodeText({ tag, content }: DerNode): string {
  switch (tag) {
    case 0x0c:
      return decodeUtf8(content);
    case 0x13:
    case 0x16:
    case 0x14:
      return new TextDecoder("latin1").decode(content);
    case 0x1e:
      return new TextDecoder("utf-16be").decode(content);
    default:
      throw new DerError(`Name has a string of unknown tag ${tag}`);
  }
}

/** Reads a `Name`; the last common name wins, as in upstream. @throws DerError */
export function decodeName(node: DerNode): DistinguishedName {
  let commonName = "";
  const organizations: string[] = [];
  for (const set of derChildren(node)) {
    for (const attribute of derChildren(set)) {
      const [type, value] = derChildren(attribute);
      if (!type || !value) throw new DerError("Name has an attribute without value");
      const oid = objectIdentifierOf(type.content);
      if (oid === COMMON_NAME) commonName = decodeText(value);
      else if (oid === ORGANIZATION) organizations.push(decodeText(value));
    }
  }
  return { commonName, organizations };
}
