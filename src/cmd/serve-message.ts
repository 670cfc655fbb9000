/** What the daemon tells the command that started it. */
export type ServeMessage =
  | { type: "progress"; text: string }
  | { type: "ready" }
  /** It cannot start; `text` is one sentence for the person at the terminal. */
  | { type: "failed"; text: string };
