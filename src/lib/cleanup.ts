/**
 * Collects what was opened and closes it in reverse order; what fails to close does not keep the
 * rest open. `AsyncDisposableStack` would do, but Node.js 20 has none.
 */
export class Cleanup implements AsyncDisposable {
  #actions: (() => unknown)[] = [];

  /** Takes ownership of `resource` and returns it. */
  use<T extends AsyncDisposable | Disposable>(resource: T): T {
    this.#actions.push(() =>
      Symbol.asyncDispose in resource
        ? resource[Symbol.asyncDispose]()
        : resource[Symbol.dispose](),
    );
    return resource;
  }

  /** Runs `action` at the end. */
  defer(action: () => unknown): void {
    this.#actions.push(action);
  }

  /** Hands everything to a new owner; disposing this one then does nothing. */
  move(): Cleanup {
    const owner = new Cleanup();
    owner.#actions = this.#actions;
    this.#actions = [];
    return owner;
  }

  /** @throws the first failure, after all actions ran */
  async [Symbol.asyncDispose](): Promise<void> {
    const failures: unknown[] = [];
    for (const action of this.#actions.splice(0).reverse()) {
      try {
        await action();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}
