// Owns turning a request's bytes into the one value that every later step reads.

import { isObject } from '../json.ts';
import { utf8Length } from '../ledger/canonical.ts';
import { noModes, readModes } from './call-modes.ts';
import type { Endpoint } from './endpoints.ts';
import { type JsonBody, readJsonBody, refuse } from './json-body.ts';
import { addKept } from './kept-ids.ts';
import { fallbackLimit, readMessages, storesThread } from './read-anthropic.ts';
import { readChat, readCompletion, readEmbedding, readIncludeUsage } from './read-openai.ts';
import { readResponses } from './read-responses.ts';
import { addUnknownSettings } from './read-settings.ts';
import {
  addOpaque,
  addProblem,
  checkKeys,
  isName,
  type JsonRecord,
  newRequestBuilder,
  type RequestBuilder,
  readCount,
  readFlag,
} from './request-builder.ts';
import type {
  ClaimedLabels,
  InferenceRequest,
  ParseDeps,
  Refusal,
  TokenLimitField,
} from './request-types.ts';
import { limitFieldsOf } from './token-bounds.ts';

const allLimits: readonly TokenLimitField[] = ['max_tokens', 'max_completion_tokens', 'max_output_tokens'];
const passthroughKeys: ReadonlySet<string> = new Set(['model', 'stream']);
const anthropicMetadataKeys: ReadonlySet<string> = new Set(['user_id']);
const noLabels: ReadonlyMap<string, string> = new Map();
const nothingClaimed: ClaimedLabels = {
  user: undefined,
  safetyIdentifier: undefined,
  metadataUserId: undefined,
  metadata: noLabels,
};
const noMarks = { offsets: [], closeBrace: -1 } as const;

/** Reads the endpoint's own shape; answers how many answers are generated. */
function readShape(builder: RequestBuilder, endpoint: Endpoint, root: JsonRecord): number {
  switch (endpoint.id) {
    case 'chat':
      return readChat(builder, root);
    case 'completions':
      return readCompletion(builder, root);
    case 'embeddings':
      return readEmbedding(builder, root);
    case 'responses':
    case 'response_tokens':
    case 'response_compact':
      return readResponses(builder, root);
    case 'messages':
    case 'count_tokens':
      return readMessages(builder, root);
    case 'passthrough':
      addKept(builder, root);
      return readUnknown(builder, root);
    case 'models':
    case 'response_object':
      return readUnknown(builder, root);
  }
}

/** How many answers a body seems to ask for whose endpoint we do not know (`n` pictures, `n` choices). */
function seemingChoices({ n, best_of }: JsonRecord): number {
  const counts = [n, best_of].filter((count) => typeof count === 'number');
  return counts.reduce((most, count) => (Number.isSafeInteger(count) && count > most ? count : most), 1);
}

/** A body of which only `model`, `stream` and what bounds it are read. */
function readUnknown(builder: RequestBuilder, root: JsonRecord): number {
  checkKeys(builder, root, passthroughKeys);
  addUnknownSettings(builder, root, passthroughKeys);
  addOpaque(builder, 'user', 'body', []);
  return seemingChoices(root);
}

function label(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function readClaims(builder: RequestBuilder, endpoint: Endpoint, root: JsonRecord): ClaimedLabels {
  const { metadata } = root;
  if (root.user === undefined && root.safety_identifier === undefined && metadata === undefined) {
    return nothingClaimed;
  }
  const labels = new Map<string, string>();
  if (isObject(metadata)) {
    if (endpoint.dialect === 'anthropic') checkKeys(builder, metadata, anthropicMetadataKeys);
    for (const key in metadata) {
      const value = metadata[key];
      if (typeof value === 'string') labels.set(key, value);
    }
  }
  return {
    user: label(root.user),
    safetyIdentifier: label(root.safety_identifier),
    metadataUserId: endpoint.dialect === 'anthropic' ? labels.get('user_id') : undefined,
    metadata: labels,
  };
}

/**
 * The largest of the endpoint's own limits. All three names must hold a count, as upstreams differ in what they make of
 * anything else; but one that is another endpoint's bounds nothing here, and 0 is read as no limit by some.
 */
function readLimit(builder: RequestBuilder, endpoint: Endpoint, root: JsonRecord): number | undefined {
  // Of an endpoint that is passed through nobody here knows the limits: any may hold there.
  const own = endpoint.id === 'passthrough' ? allLimits : limitFieldsOf(endpoint.id);
  let limit: number | undefined;
  for (const field of allLimits) {
    const value = readCount(builder, root, field, 0);
    if (value === undefined || value === 0 || !own.includes(field)) continue;
    if (limit === undefined || value > limit) limit = value;
  }
  return limit === undefined ? undefined : Math.max(limit, fallbackLimit(root));
}

/** The model's name. A stored prompt may bring its own; then, and in a passthrough, it may be missing. */
function readModel(builder: RequestBuilder, endpoint: Endpoint, root: JsonRecord): string {
  const { model } = root;
  if (isName(model)) return model;
  const isOptional = endpoint.id === 'passthrough' || (endpoint.id === 'responses' && isObject(root.prompt));
  if (isOptional && (model === undefined || model === null)) return '';
  addProblem(builder, '`model` must be the name of a model: a string of 1 to 256 characters');
  return '';
}

/** OpenAI's `background`, and xAI's `deferred`: the answer is made later and fetched by an id. */
function isDeferred(builder: RequestBuilder, root: JsonRecord): boolean {
  const flags = [readFlag(builder, root, 'background'), readFlag(builder, root, 'deferred')];
  return flags.includes(true);
}

/** What the names of further models and of hosted tools may take together in the record of a call, in bytes. */
const mostNamedBytes = 4_096;

/** Every name is decided on and recorded; so many that the record could not hold them are refused here. */
function checkNamed(builder: RequestBuilder): void {
  const { otherModels, hostedTools } = builder;
  if (otherModels === undefined && hostedTools === undefined) return;
  const named = [...(otherModels ?? []), ...(hostedTools ?? [])];
  if (utf8Length(JSON.stringify(named)) > mostNamedBytes)
    addProblem(
      builder,
      `the body names too many models and tools: their names may have ${mostNamedBytes} bytes together`,
    );
}

function sorted(names: ReadonlySet<string> | undefined): readonly string[] {
  return names === undefined ? [] : [...names].sort();
}

function build(endpoint: Endpoint, bytes: Uint8Array, body: JsonBody): InferenceRequest | Refusal {
  const { root } = body;
  const builder = newRequestBuilder();
  const choices = readShape(builder, endpoint, root);
  checkNamed(builder);
  const isThread = endpoint.dialect === 'anthropic' && storesThread(root);
  const request: InferenceRequest = {
    kind: 'request',
    endpoint: endpoint.id,
    dialect: endpoint.dialect,
    model: readModel(builder, endpoint, root),
    otherModels: sorted(builder.otherModels),
    stream: readFlag(builder, root, 'stream') === true,
    includeUsage: readIncludeUsage(builder, root),
    maxOutputTokens: readLimit(builder, endpoint, root),
    namesMaxTokens: typeof root.max_tokens === 'number' && root.max_tokens > 0,
    choices,
    predictionBytes: builder.predictionBytes,
    parts: builder.parts,
    counts: {
      textBytes: Math.max(0, bytes.length - builder.mediaBytes),
      images: builder.images,
      audios: builder.audios,
      files: builder.files,
    },
    hostedTools: sorted(builder.hostedTools),
    providerState: {
      references: builder.references === undefined ? [] : [...builder.references.values()],
      store: readFlag(builder, root, 'store') ?? (isThread ? true : undefined),
      background: isDeferred(builder, root),
    },
    claimed: readClaims(builder, endpoint, root),
    modes: readModes(endpoint.dialect, root),
    topLevel: body.marks,
  };
  return builder.problem === undefined ? request : refuse(builder.problem);
}

/** A request whose body is not JSON that we read: nothing is known of it but its size. */
function opaqueRequest(endpoint: Endpoint, bytes: Uint8Array): InferenceRequest {
  return {
    kind: 'request',
    endpoint: endpoint.id,
    dialect: endpoint.dialect,
    model: '',
    otherModels: [],
    stream: false,
    includeUsage: false,
    maxOutputTokens: undefined,
    namesMaxTokens: false,
    choices: 1,
    predictionBytes: 0,
    parts: bytes.length === 0 ? [] : [{ kind: 'opaque', role: 'user', reason: 'body', path: [] }],
    counts: { textBytes: bytes.length, images: 0, audios: 0, files: 0 },
    hostedTools: [],
    providerState: { references: [], store: undefined, background: false },
    claimed: nothingClaimed,
    modes: noModes,
    topLevel: noMarks,
  };
}

/** The first byte that is not white space; -1 if there is none. */
function firstByte(bytes: Uint8Array): number {
  for (const byte of bytes) if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return byte;
  return -1;
}

const openBrace = 0x7b;
const openBracket = 0x5b;
/** `{"items":`, and `}`: a list as the one member of an object, so that it is read under the same rules. */
const before = [0x7b, 0x22, 0x69, 0x74, 0x65, 0x6d, 0x73, 0x22, 0x3a];
const after = [0x7d];

function asObject(list: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(before.length + list.length + after.length);
  bytes.set(before, 0);
  bytes.set(list, before.length);
  bytes.set(after, before.length + list.length);
  return bytes;
}

/** A list that is passed through: what its items name counts, and nothing stands at its top. */
function buildList(endpoint: Endpoint, bytes: Uint8Array, deps: ParseDeps): InferenceRequest | Refusal {
  const body = readJsonBody(asObject(bytes), deps);
  if (body.kind === 'refusal') return body;
  const built = build(endpoint, bytes, body);
  return built.kind === 'refusal' ? built : { ...built, topLevel: noMarks };
}

/**
 * Reads a request's body once, under bounds (`deps.limits`). The refusal says what to change. Bodies of
 * `passthrough` may be anything; those that are JSON objects or lists obey the same rules, because models and kept
 * things are read from them; all are opaque.
 */
export function parseInferenceRequest(
  endpoint: Endpoint,
  bytes: Uint8Array,
  deps: ParseDeps,
): InferenceRequest | Refusal {
  const needsBody =
    endpoint.id !== 'passthrough' && endpoint.id !== 'response_object' && endpoint.id !== 'models';
  const first = firstByte(bytes);
  if (!needsBody && bytes.length <= deps.limits.maxBytes && first !== openBrace) {
    if (first !== openBracket) return opaqueRequest(endpoint, bytes);
    return buildList(endpoint, bytes, deps);
  }
  const body = readJsonBody(bytes, deps);
  return body.kind === 'refusal' ? body : build(endpoint, bytes, body);
}

/** True when the provider will keep the answer: Responses do unless told not to, all others only if told. */
export function storesAnswer(request: InferenceRequest): boolean {
  if (request.providerState.background) return true;
  return request.providerState.store ?? request.endpoint === 'responses';
}
