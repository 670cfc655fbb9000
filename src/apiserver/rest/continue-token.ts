import { StatusError } from "../../api/errors.ts";

/** Where a list goes on. */
export interface ContinuePoint {
  /** Revision of all pages; negative means newest (a list that outlived its history). */
  revision: number;
  /** First key of the next page, inclusive. */
  start: string;
}

const VERSION = "meta.k8s.io/v1";

/**
 * The opaque text clients send back, in upstream's layout. Its start is relative to `prefix`, that
 * of the list: no token leads out of a namespace.
 */
export function encodeContinue({ revision, start }: ContinuePoint, prefix: string): string {
  const token = { v: VERSION, rv: revision, start: start.slice(prefix.length) };
  return Buffer.from(JSON.stringify(token)).toString("base64url");
}

/** @throws StatusError BadRequest for anything that this server did not produce */
export function decodeContinue(text: string, prefix: string): ContinuePoint {
  const { v, rv, start } = parse(text);
  if (v !== VERSION) {
    throw refusal(`: server does not recognize this encoded version ${JSON.stringify(v ?? "")}`);
  }
  if (typeof rv !== "number" || !Number.isSafeInteger(rv) || rv === 0) {
    throw refusal(`: incorrect encoded start resourceVersion (version ${VERSION})`);
  }
  if (typeof start !== "string" || start === "") {
    throw refusal(`: encoded start key empty (version ${VERSION})`);
  }
  const segments = (start.startsWith("/") ? start.slice(1) : start).split("/");
  if (segments.some((segment) => segment === "" || segment === "." || segment === "..")) {
    throw refusal(`: ${start}`);
  }
  return { revision: rv, start: `${prefix}${segments.join("/")}` };
}

function parse(text: string): Record<string, unknown> {
  if (!/^[\w-]*$/.test(text)) throw refusal(": illegal base64 data");
  let token: unknown;
  try {
    token = JSON.parse(Buffer.from(text, "base64url").toString());
  } catch (error) {
    throw refusal(`: ${(error as Error).message}`);
  }
  if (typeof token !== "object" || token === null) throw refusal("");
  return token as Record<string, unknown>;
}

function refusal(why: string): StatusError {
  return new StatusError("BadRequest", `invalid continue token: continue key is not valid${why}`);
}
