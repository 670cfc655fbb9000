/** What a request carries: text still to be decoded, or a value of an in-process caller. */
export type Body =
  | { kind: "none" }
  | { kind: "bytes"; bytes: Uint8Array; contentType: string }
  | {
      kind: "value";
      value: object;
      contentType: string;
      /** What the reader of YAML says of keys that stood twice in the text. */
      duplicates?: readonly string[];
    };
