// Owns the wrapper for secret text, so that printing, serialising or joining it shows `[secret]`.

import { inspect } from 'node:util';

const mask = '[secret]';

/**
 * A secret value. `reveal()` is the only way to its text; every implicit conversion gives `[secret]`.
 * The text is a private field: it is not enumerable, and `structuredClone` and JSON do not carry it.
 */
export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** The secret text. Call it where the secret is used, never where it is passed on. */
  reveal(): string {
    return this.#text;
  }

  toString(): string {
    return mask;
  }

  toJSON(): string {
    return mask;
  }

  [Symbol.toPrimitive](): string {
    return mask;
  }

  [inspect.custom](): string {
    return mask;
  }
}
