// Owns what forwarding one attempt is given, and how it ends.

import type { Hash } from 'node:crypto';
import type { InferenceRequest } from '@countersign/core/dialects/request-types';
import type { AnswerReport } from '@countersign/core/dialects/usage-types';
import type { AppError } from '@countersign/core/errors';
import type { Upstream, UpstreamError, UpstreamRequest } from '../../upstreams/upstream.ts';
import type { Reply, ReplyHeaders } from '../call.ts';

/** Why an answer ended before its end, where it was us. */
export type Cut = {
  readonly status: 'cut' | 'cancelled';
  readonly error: AppError;
  /** What the record says, where nobody is left to hear the error. */
  readonly code?: 'client_gone';
};

export type Forwarding = {
  readonly upstream: Upstream;
  readonly outbound: UpstreamRequest;
  readonly request: InferenceRequest;
  readonly reply: Reply;
  /** Headers of our own, which follow the provider's. */
  readonly ownHeaders: ReplyHeaders;
  /** Output tokens at which a stream is cut. */
  readonly outputCeiling: number;
  /** Our guess at the tokens of the prompt, where its provider does not count them. */
  readonly inputEstimate: number;
  /** The limit for each choice that the body names as it leaves; `undefined` where it names none. */
  readonly namedLimit: number | undefined;
  readonly maxAnswerBytes: number;
  /** How the answer's content is committed to: as a whole at its end, or piece by piece where it streams. */
  readonly commitment:
    | { readonly whole: (content: Uint8Array) => string; readonly begin: () => Hash }
    | undefined;
  /** Copies of the answer's bytes are kept when its content is sealed. */
  readonly keepsBody: boolean;
  /** Our key at the provider: an error that repeats it goes no further. */
  readonly providerKey: string | undefined;
  /** Statuses on which this attempt is given up for another, before a byte has reached the client. */
  readonly retryStatuses: readonly number[];
  readonly clock: () => number;
};

/** How an attempt ended. Nothing of `held` has reached the client. */
export type Forwarded = {
  /** The provider's status; 0 if none came. */
  readonly status: number;
  readonly headers: ReplyHeaders;
  readonly isStream: boolean;
  /** The answer says that it is JSON, or its endpoint answers nothing else. */
  readonly isJson: boolean;
  readonly headSent: boolean;
  /** The last bytes of a stream, or the whole of any other answer. */
  readonly held: readonly Uint8Array[];
  readonly bytes: number;
  readonly body: readonly Uint8Array[];
  /** The commitment to what the provider sent, in hex. */
  readonly commitment: string | undefined;
  readonly report: AnswerReport | undefined;
  readonly failure: UpstreamError | undefined;
  readonly fault: string | undefined;
  readonly cut: Cut | undefined;
  readonly shouldRetry: boolean;
  readonly firstByteMs: number;
  readonly upstreamMs: number;
};

/** An attempt under way: its end, and the way to end it early. */
export type ForwardingCall = { readonly done: Promise<Forwarded>; readonly cut: (cut: Cut) => void };
