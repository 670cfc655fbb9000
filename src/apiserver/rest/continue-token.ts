import { StatusError } from "../../api/errors.ts";

/** Where a list goes on. */
export interface ContinuePoint {
  /** Revision of all pages; -1 means newest (a list that outlived its history). */
  revision: number;
  /** First key of the next page, inclusive. */
  start: string;
}

/** The opaque text clients send back; the layout is that of upstream. */
export function encodeContinue(point: ContinuePoint): string {
  const token = { v: "meta.k8s.io/v1", rv: point.revision, start: point.start };
  return Buffer.from(JSON.stringify(token)).toString("base64url");
}

/** @throws StatusError BadRequest for anything that this server did not produce */
export function decodeContinue(text: string): ContinuePoint {
  let token: unknown;
  try {
    token = JSON.parse(Buffer.from(text, "base64url").toString());
  } catch {
    throw invalid("the token is not valid");
  }
  if (typeof token !== "object" || token === null) throw invalid("the token is not valid");
  const { v, rv, start } = token as Record<string, unknown>;
  if (v !== "meta.k8s.io/v1") throw invalid("the server does not recognize this encoded version");
  if (typeof rv !== "number" || !Number.isSafeInteger(rv) || rv === 0 || rv < -1) {
    throw invalid("incorrect encoded start resourceVersion (version meta.k8s.io/v1)");
  }
  if (typeof start !== "string" || start === "") throw invalid("no start key");
  if (start.split("/").some((part) => part === "." || part === "..")) {
    throw invalid("the start key is not valid");
  }
  return { revision: rv, start };
}

function invalid(why: string): StatusError {
  return new StatusError("BadRequest", `continue key is not valid: ${why}`);
}
