/** How many answers are being made, so that a server that stops can let them finish. */
export class OpenResponses {
  #count = 0;
  #closed: (() => void) | undefined;

  /** Whoever enters leaves once. */
  enter(): void {
    this.#count++;
  }

  leave(): void {
    if (--this.#count === 0) this.#closed?.();
  }

  /** Resolves as soon as there is none. */
  async drained(): Promise<void> {
    if (this.#count > 0) await new Promise<void>((resolve) => (this.#closed = resolve));
  }
}
