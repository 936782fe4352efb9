export type SelfSigned = {
  readonly cert: string;
  readonly key: string;
};
/** A certificate (RFC 5280) that signs itself, valid from yesterday to tomorrow, and its key, both in PEM. */
export declare function selfSigned(): SelfSigned;
