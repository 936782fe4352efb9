// Owns the error of a message that is not HTTP/1.1 as this product speaks it.

/** `invalid`: not to be read, or not to be written, in one way only. `too_large`: beyond the bound of a head. */
export type ProtocolErrorKind = 'invalid' | 'too_large';

export class ProtocolError extends Error {
  readonly kind: ProtocolErrorKind;

  constructor(kind: ProtocolErrorKind, message: string) {
    super(message);
    this.name = 'ProtocolError';
    this.kind = kind;
  }
}
