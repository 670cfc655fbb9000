import { parseDuration } from "./cel/functions/time-text.ts";

/** The configuration is not usable; the message names the field and what it wants. */
export class ConfigurationFileError extends Error {
  override readonly name = "ConfigurationFileError";
}

/** Reads fields of a decoded document and knows where they stand, for messages. */
export class ConfigurationReader {
  readonly #fields: Readonly<Record<string, unknown>>;
  readonly #path: string;
  readonly #subject: string;
  /** Names of the fields that were asked for. */
  readonly used: Set<string> = new Set();

  /** `subject` names the document in messages, such as "the scheduler configuration". */
  constructor(value: unknown, at: { subject: string; path?: string }) {
    this.#path = at.path ?? "";
    this.#subject = at.subject;
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw this.error("", "must be an object");
    }
    this.#fields = value as Readonly<Record<string, unknown>>;
  }

  error(field: string, complaint: string): ConfigurationFileError {
    const path = this.#pathOf(field) || "the document";
    return new ConfigurationFileError(`Cannot read ${this.#subject}: ${path} ${complaint}`);
  }

  /** Refuses a document of another version or kind. @throws ConfigurationFileError */
  requireKind(wanted: { apiVersion: string; kind: string }): void {
    const [apiVersion, kind] = [this.text("apiVersion"), this.text("kind")];
    if (apiVersion === wanted.apiVersion && kind === wanted.kind) return;
    throw new ConfigurationFileError(
      `Cannot read ${this.#subject}: it is "${apiVersion}" "${kind}", ` +
        `wanted "${wanted.apiVersion}" "${wanted.kind}"`,
    );
  }

  names(): string[] {
    return Object.keys(this.#fields);
  }

  /** A field that nobody asked for is a mistake. @throws ConfigurationFileError */
  refuseOthers(): void {
    const other = this.names().find((name) => !this.used.has(name));
    if (other !== undefined) throw this.error(other, "is not known");
  }

  value(field: string): unknown {
    this.used.add(field);
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

  /** One of `allowed`, the first of which stands for none. */
  choice<const T extends string>(field: string, allowed: readonly [T, ...T[]]): T {
    const text = this.text(field) || allowed[0];
    const found = allowed.find((one) => one === text);
    if (found !== undefined) return found;
    throw this.error(field, `must be one of ${allowed.join(", ")}`);
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

  /** Reads "5m0s", "1.5h", "100ms". */
  durationMs(field: string): number | undefined {
    const text = this.text(field);
    if (text === undefined) return undefined;
    const nanos = parseDuration(text);
    if (nanos !== undefined && nanos >= 0n) return Number(nanos) / 1e6;
    throw this.error(field, 'must be a duration such as "5s"');
  }

  object(field: string): ConfigurationReader {
    const path = this.#pathOf(field);
    return new ConfigurationReader(this.value(field) ?? {}, { subject: this.#subject, path });
  }

  list(field: string): ConfigurationReader[] {
    const path = this.#pathOf(field);
    return this.#items(field).map(
      (item, at) =>
        new ConfigurationReader(item, { subject: this.#subject, path: `${path}[${at}]` }),
    );
  }

  /** A list of strings; empty when absent. */
  texts(field: string): string[] {
    return this.#items(field).map((item, at) => {
      if (typeof item === "string") return item;
      throw this.error(`${field}[${at}]`, "must be a string");
    });
  }

  #items(field: string): unknown[] {
    const value = this.value(field) ?? [];
    if (!Array.isArray(value)) throw this.error(field, "must be a list");
    return value as unknown[];
  }

  #pathOf(field: string): string {
    return [this.#path, field].filter(Boolean).join(".");
  }
}
