// Owns the error of a call that egress refuses or that did not bring a document.

/** `forbidden`: by the rules of egress. `invalid`: no URL, a redirect, an encoded body. `too_large`: over the cap. */
export type EgressErrorKind = 'forbidden' | 'unreachable' | 'timeout' | 'too_large' | 'invalid';

/** The message names the host as the caller wrote it and never what it resolves to: that is a map of our network. */
export class EgressError extends Error {
  readonly kind: EgressErrorKind;
  readonly code = 'ERR_EGRESS';

  constructor(kind: EgressErrorKind, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'EgressError';
    this.kind = kind;
  }
}
