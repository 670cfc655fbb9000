/** The configuration is not usable; the message names the field and what it wants. */
export class SchedulerConfigurationError extends Error {
  override readonly name = "SchedulerConfigurationError";
}

/** Reads fields of a decoded document and knows where they stand, for messages. */
export class Reader {
  readonly #fields: Readonly<Record<string, unknown>>;
  readonly #path: string;

  constructor(value: unknown, path: string) {
    this.#path = path;
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw this.error("", "must be an object");
    }
    this.#fields = value as Readonly<Record<string, unknown>>;
  }

  error(field: string, complaint: string): SchedulerConfigurationError {
    const path = [this.#path, field].filter(Boolean).join(".") || "the document";
    return new SchedulerConfigurationError(
      `Cannot read the scheduler configuration: ${path} ${complaint}`,
    );
  }

  names(): string[] {
    return Object.keys(this.#fields);
  }

  value(field: string): unknown {
    return this.#fields[field] ?? undefined;
  }

  text(field: string): string | undefined {
    const value = this.value(field);
    if (value === undefined || typeof value === "string") return value;
    throw this.error(field, "must be a string");
  }

  requiredText(field: string): string {
    const value = this.text(field);
    if (value) return value;
    throw this.error(field, "must be set");
  }

  boolean(field: string): boolean {
    const value = this.value(field) ?? false;
    if (typeof value === "boolean") return value;
    throw this.error(field, "must be true or false");
  }

  number(field: string, { min, max }: { min: number; max: number }): number | undefined {
    const value = this.value(field);
    if (value === undefined) return undefined;
    if (typeof value === "number" && Number.isInteger(value) && value >= min && value <= max) {
      return value;
    }
    throw this.error(field, `must be a whole number from ${min} to ${max}`);
  }

  object(field: string): Reader {
    return new Reader(this.value(field) ?? {}, [this.#path, field].filter(Boolean).join("."));
  }

  list(field: string): Reader[] {
    const value = this.value(field) ?? [];
    if (!Array.isArray(value)) throw this.error(field, "must be a list");
    const path = [this.#path, field].filter(Boolean).join(".");
    return value.map((item, at) => new Reader(item, `${path}[${at}]`));
  }
}
