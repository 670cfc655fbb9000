/**
 * Calls what is added later in the same turn of the event loop, in order, when the promises that
 * are due have gone on. A tick of its own for each would cost more than most of what is called.
 */
export class LaterInTurn {
  #due: (() => void)[] = [];

  /** @param call must not throw: others come after it */
  add(call: () => void): void {
    if (this.#due.push(call) === 1) process.nextTick(this.#callAll);
  }

  readonly #callAll = (): void => {
    const due = this.#due;
    this.#due = [];
    for (const call of due) call();
  };
}
