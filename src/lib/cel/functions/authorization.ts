import { type Overloads, overload } from "../overload.ts";
import { CelError } from "../source-errors.ts";
import { Opaque, sizeOfValue, type Value } from "../values.ts";

/** What an expression asks leave for. */
export interface AccessQuestion {
  /** Another user than the one of the request. */
  serviceAccount?: { namespace: string; name: string };
  /** Absolute path, for requests that name no resource. */
  path?: string;
  group?: string;
  resource?: string;
  subresource?: string;
  namespace?: string;
  name?: string;
  verb: string;
}

/** Decides; must not wait. */
export type AccessDecider = (question: AccessQuestion) => { allowed: boolean; reason: string };

type Draft = Omit<AccessQuestion, "verb">;

/** Each check is as costly as a third of what an expression may cost, as upstream has it. */
const CHECK_COST = 350_000;
const LIST_COST = 10;
const STRUCT_COST = 40;

/** A step on the way to a question; its type says which methods it has. */
class Authorizer extends Opaque {
  readonly typeName: string;
  readonly decide: AccessDecider;
  readonly draft: Draft;

  constructor(decide: AccessDecider, of: { typeName: string; draft: Draft }) {
    super();
    this.decide = decide;
    this.typeName = of.typeName;
    this.draft = of.draft;
  }

  equals(other: Opaque): boolean {
    return this === other;
  }

  with(typeName: string, more: Draft): Authorizer {
    return new Authorizer(this.decide, { typeName, draft: { ...this.draft, ...more } });
  }
}

class Decision extends Opaque {
  readonly typeName = "kubernetes.authorization.Decision";
  readonly allowed: boolean;
  readonly reason: string;

  constructor({ allowed, reason }: { allowed: boolean; reason: string }) {
    super();
    this.allowed = allowed;
    this.reason = reason;
  }

  equals(other: Opaque): boolean {
    return other instanceof Decision && other.allowed === this.allowed;
  }
}

const ROOT = "kubernetes.authorization.Authorizer";
const PATH = "kubernetes.authorization.PathCheck";
const GROUP = "kubernetes.authorization.GroupCheck";
const RESOURCE = "kubernetes.authorization.ResourceCheck";
const DECISION = "kubernetes.authorization.Decision";

/** Name of the type of the variable `authorizer`. */
export const AUTHORIZER_TYPE: string = ROOT;
/** Name of the type of the variable `authorizer.requestResource`. */
export const RESOURCE_CHECK_TYPE: string = RESOURCE;

/** The value of the variable `authorizer`. */
export function authorizerValue(decide: AccessDecider): Opaque {
  return new Authorizer(decide, { typeName: ROOT, draft: {} });
}

/** The value of `authorizer.requestResource`: a check that names what the request is about. */
export function resourceCheckValue(decide: AccessDecider, draft: Draft): Opaque {
  return new Authorizer(decide, { typeName: RESOURCE, draft });
}

function check({ decide, draft }: Authorizer, verb: string): Decision {
  if (draft.path !== undefined && !draft.path.startsWith("/")) {
    throw new CelError("path must not be empty");
  }
  return new Decision(decide({ ...draft, verb }));
}

/** A list of requirements, each at least two characters long: a structure with a list. */
function selector([, text = null]: readonly Value[]): number {
  const length = sizeOfValue(text);
  return LIST_COST + Math.ceil(length * 0.1) + Math.ceil(length / 2) * (LIST_COST + STRUCT_COST);
}

/** Questions to the authorizer of the server. */
export const AUTHORIZATION: Overloads = [
  overload(`${ROOT}.path(string) -> ${PATH}`, (of: Authorizer, path: string) => {
    if (path === "") throw new CelError("path must not be empty");
    return of.with(PATH, { path });
  }),
  overload(`${ROOT}.group(string) -> ${GROUP}`, (of: Authorizer, group: string) =>
    of.with(GROUP, { group }),
  ),
  overload(
    `${ROOT}.serviceAccount(string, string) -> ${ROOT}`,
    (of: Authorizer, namespace: string, name: string) =>
      of.with(ROOT, { serviceAccount: { namespace, name } }),
  ),
  overload(`${GROUP}.resource(string) -> ${RESOURCE}`, (of: Authorizer, resource: string) => {
    if (resource === "") throw new CelError("resource must not be empty");
    return of.with(RESOURCE, { resource });
  }),
  overload(`${RESOURCE}.subresource(string) -> ${RESOURCE}`, (of: Authorizer, name: string) =>
    of.with(RESOURCE, { subresource: name }),
  ),
  overload(`${RESOURCE}.namespace(string) -> ${RESOURCE}`, (of: Authorizer, name: string) =>
    of.with(RESOURCE, { namespace: name }),
  ),
  overload(`${RESOURCE}.name(string) -> ${RESOURCE}`, (of: Authorizer, name: string) =>
    of.with(RESOURCE, { name }),
  ),
  // Selectors only ever narrow what is asked for; authorizers that do not know them decide wider.
  overload(`${RESOURCE}.fieldSelector(string) -> ${RESOURCE}`, (of: Authorizer) => of, selector),
  overload(`${RESOURCE}.labelSelector(string) -> ${RESOURCE}`, (of: Authorizer) => of, selector),
  overload(`${PATH}.check(string) -> ${DECISION}`, check, () => CHECK_COST),
  overload(`${RESOURCE}.check(string) -> ${DECISION}`, check, () => CHECK_COST),
  overload(`${DECISION}.allowed() -> bool`, ({ allowed }: Decision) => allowed),
  overload(`${DECISION}.reason() -> string`, ({ reason }: Decision) => reason),
  overload(`${DECISION}.errored() -> bool`, () => false),
  overload(`${DECISION}.error() -> string`, () => ""),
];
