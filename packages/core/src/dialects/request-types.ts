// Owns the values that a model request becomes once it is parsed: what policy, classification and metering see.

import type { ErrorCode } from '../errors.ts';
import type { CallModes } from './call-modes.ts';
import type { Dialect, EndpointId } from './endpoints.ts';
import type { ShapeLimits } from './json-scan.ts';

/** Whose words a part holds. `developer` is `system`; definitions of tools are `system` too. */
export type PartRole = 'system' | 'user' | 'assistant' | 'tool';

/** Where in the body a value stands: object keys and array indices from the root. */
export type BodyPath = readonly (string | number)[];

/**
 * One piece of the prompt. `text` can be classified and redacted (`path` leads to its JSON string, or to
 * the object or array whose JSON text it is when `structured`; empty for a text that is no string of the body, such
 * as a member's name, in whose place nothing can be put); `opaque` is what no detector reads.
 */
export type Part =
  | {
      readonly kind: 'text';
      readonly role: PartRole;
      readonly text: string;
      readonly path: BodyPath;
      readonly structured: boolean;
      /** An id, a setting or a header, in which numbers are nobody's. */
      readonly isControl?: boolean;
    }
  | {
      readonly kind: 'opaque';
      readonly role: PartRole;
      readonly reason: OpaqueReason;
      readonly path: BodyPath;
    };

export type OpaqueReason =
  | 'image'
  | 'audio'
  | 'video'
  | 'file'
  | 'document'
  | 'encrypted'
  /** Sealed by the provider that it goes back to, by its form: reasoning, compacted context. */
  | 'sealed'
  | 'tokens'
  | 'stored_prompt'
  | 'item_reference'
  | 'unknown_type'
  | 'body';

/** What an id that the client names stands for at the provider. */
export type StateKind =
  | 'response'
  | 'conversation'
  | 'file'
  | 'vector_store'
  | 'container'
  | 'item'
  | 'prompt'
  | 'completion'
  | 'skill'
  | 'audio'
  | 'connector'
  | KeptKind;

/** What is only known from endpoints that are passed through. */
export type KeptKind =
  | 'upload'
  | 'batch'
  | 'assistant'
  | 'thread'
  | 'video'
  | 'eval'
  | 'job'
  | 'cache'
  | 'agent'
  | 'session'
  | 'environment'
  | 'memory'
  | 'vault'
  | 'account';

/** An id that the request names and the provider resolves. The owner of each must be checked. */
export type StateReference = { readonly kind: StateKind; readonly id: string };

export type ProviderState = {
  readonly references: readonly StateReference[];
  /** Does the request ask the provider to keep the answer? `undefined` when it does not say (see `storesByDefault`). */
  readonly store: boolean | undefined;
  /** The answer is made after the connection ends; it is fetched by id. */
  readonly background: boolean;
};

/** What the client says of itself: labels, never identity. Only strings are kept. */
export type ClaimedLabels = {
  readonly user: string | undefined;
  readonly safetyIdentifier: string | undefined;
  /** Anthropic `metadata.user_id`. */
  readonly metadataUserId: string | undefined;
  readonly metadata: ReadonlyMap<string, string>;
};

/** How much of each kind of input the request holds; bytes are of the JSON body as sent. */
export type InputCounts = {
  /** The body's bytes without inline media: an upper bound of its text tokens, as each token is a byte or more. */
  readonly textBytes: number;
  readonly images: number;
  readonly audios: number;
  readonly files: number;
};

/** A JSON value's place in the body, in bytes; `end` is exclusive. */
export type Span = { readonly start: number; readonly end: number };

/** Where the top-level members stand, as raw offsets (see `JsonScan`); `topLevelMembers` in splice.ts reads them. */
export type TopLevelMarks = { readonly offsets: readonly number[]; readonly closeBrace: number };

/** A field that bounds the answer's tokens, as found in the body. */
export type TokenLimitField = 'max_tokens' | 'max_completion_tokens' | 'max_output_tokens';

export type InferenceRequest = {
  readonly kind: 'request';
  readonly endpoint: EndpointId;
  readonly dialect: Dialect;
  /** As the client wrote it. Empty only where the body names none (passthrough, a stored prompt). */
  readonly model: string;
  /** Further models that the body asks the provider to run (fallbacks, advisors, image tools), each once, sorted. */
  readonly otherModels: readonly string[];
  readonly stream: boolean;
  /** `stream_options.include_usage`. It is never injected. */
  readonly includeUsage: boolean;
  /** The largest of the endpoint's own limits in the body, per choice, in tokens; `undefined` when it names none, or 0. */
  readonly maxOutputTokens: number | undefined;
  /** One of those limits is `max_tokens`, which every server knows that speaks OpenAI's dialect of chats. */
  readonly namesMaxTokens: boolean;
  /** How many answers are generated and billed: the larger of `n` and `best_of`, times the number of prompts. */
  readonly choices: number;
  /** Bytes of a predicted output, whose rejected tokens are billed as output beside the limit. */
  readonly predictionBytes: number;
  readonly parts: readonly Part[];
  readonly counts: InputCounts;
  /** Tools that the provider runs itself, by name, each once, sorted: `web_search`, `mcp:label`, … */
  readonly hostedTools: readonly string[];
  readonly providerState: ProviderState;
  readonly claimed: ClaimedLabels;
  /** What the body asks for that changes the price of a token. */
  readonly modes: CallModes;
  readonly topLevel: TopLevelMarks;
};

/** A request that is not sent on; the gateway records and renders it. */
export type Refusal = { readonly kind: 'refusal'; readonly code: ErrorCode; readonly message: string };

/** What parsing needs from outside. */
export type ParseDeps = {
  /** Strict UTF-8; must throw on an invalid sequence and must keep a byte order mark. */
  readonly decodeUtf8: (bytes: Uint8Array) => string;
  /** Refuse bodies beyond these. */
  readonly limits: ParseLimits;
};

export type ParseLimits = {
  /** Nested arrays and objects. */
  readonly maxDepth: number;
  readonly maxBytes: number;
  /** Keys, array elements and objects in the whole body: bounds the memory that parsing takes. */
  readonly maxNodes: number;
  /** Of what is read more closely than numbers are; without it nothing bounds these by themselves. */
  readonly shape?: ShapeLimits;
};

export const defaultParseLimits: ParseLimits = {
  maxDepth: 64,
  maxBytes: 32 * 1024 * 1024,
  maxNodes: 500_000,
  shape: { maxStrings: 150_000, maxMembers: 10_000, maxTopMembers: 1_000 },
};

/** Parts of one request: each is examined by itself, which costs more than its text. */
export const mostParts = 20_000;
