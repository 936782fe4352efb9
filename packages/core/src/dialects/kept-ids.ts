// Owns which ids of kept things the bodies, forms and queries of requests that are passed through name.

import { isObject } from '../json.ts';
import { isVendorsOwn } from './named-in.ts';
import { addReference, type JsonRecord, type RequestBuilder } from './request-builder.ts';
import type { StateKind, StateReference } from './request-types.ts';

/** What the names of members are made of, without `_` and `-`, in lower case: `fileId`, `file_ids`, `previous_response_id`. */
const words: ReadonlyMap<string, StateKind> = new Map([
  ...['file', 'inputfile', 'outputfile', 'errorfile', 'resultfile', 'trainingfile', 'validationfile'].map(
    (word) => [word, 'file'] as const,
  ),
  ['dataset', 'file'],
  ...['vectorstore', 'filesearchstore', 'library', 'corpus', 'collection'].map(
    (word) => [word, 'vector_store'] as const,
  ),
  ...['response', 'interaction'].map((word) => [word, 'response'] as const),
  ...['embedjob', 'prediction', 'tunedmodel'].map((word) => [word, 'job'] as const),
  ...['cache', 'cachedcontent'].map((word) => [word, 'cache'] as const),
  ...['memory', 'memorystore'].map((word) => [word, 'memory'] as const),
  ...['session', 'userprofile'].map((word) => [word, 'session'] as const),
  ...['connector', 'webhook'].map((word) => [word, 'connector'] as const),
  ['container', 'container'],
  ['skill', 'skill'],
  ['conversation', 'conversation'],
  ['completion', 'completion'],
  ['thread', 'thread'],
  ['assistant', 'assistant'],
  ['batch', 'batch'],
  ['upload', 'upload'],
  ['video', 'video'],
  ['eval', 'eval'],
  ['agent', 'agent'],
  ['environment', 'environment'],
  ['vault', 'vault'],
] satisfies readonly (readonly [string, StateKind])[]);

/** Words that name a thing by themselves, where their value is a text. `file: "aGk="` and `video: "https://…"` do not. */
const bareWords: ReadonlyMap<string, StateKind> = new Map([
  ...['inputfile', 'trainingfile', 'validationfile'].map((word) => [word, 'file'] as const),
  ['conversation', 'conversation'],
  ['container', 'container'],
  ['agent', 'agent'],
  ['thread', 'thread'],
  ['assistant', 'assistant'],
] satisfies readonly (readonly [string, StateKind])[]);

/** Words whose value names a thing where it is an object with an `id`. */
const objectWords: ReadonlyMap<string, StateKind> = new Map([
  ...words,
  ['prompt', 'prompt'],
  ['audio', 'audio'],
  ['voice', 'audio'],
] satisfies readonly (readonly [string, StateKind])[]);

/** Members whose text is the caller's own words or data, which only look like an id by chance. */
const proseKeys: ReadonlySet<string> = new Set([
  ...['content', 'text', 'texts', 'query', 'queries', 'documents', 'name', 'title', 'description', 'user'],
  ...['instructions', 'input', 'output', 'arguments', 'prompt', 'system', 'customid', 'displayname', 'value'],
  ...['safetyidentifier', 'after', 'before', 'cursor', 'startingafter', 'endingbefore', 'pagetoken', 'page'],
]);

/** Members whose objects are the caller's own data or schemas, at any depth. */
const ownData: ReadonlySet<string> = new Set([
  ...[
    'metadata',
    'clientmetadata',
    'attributes',
    'filters',
    'filter',
    'inputschema',
    'schema',
    'parameters',
    'item',
  ],
]);

/** Longer names of members, and longer texts, name nothing. */
const longestKey = 128;
const longestId = 512;
/** Things that one request may name: whoever names more is refused where they are looked up. */
export const mostNamed = 500;

/** A member's name without case, `_`, `-` and what stands in brackets. Linear: keys are whatever a caller sends. */
function fold(key: string): string {
  if (key.length > longestKey) return '';
  const bracket = key.indexOf('[');
  const bare = bracket < 0 ? key : key.slice(0, bracket);
  return bare.toLowerCase().replaceAll('_', '').replaceAll('-', '').replaceAll('.', '');
}

/** What a folded name names by its ending: `fileids`, `previousresponseid`. */
function kindBySuffix(folded: string): StateKind | undefined {
  const end = folded.endsWith('ids') ? 3 : folded.endsWith('id') ? 2 : 0;
  if (end === 0) return undefined;
  const word = folded.slice(0, -end);
  return words.get(word.startsWith('previous') ? word.slice('previous'.length) : word);
}

function kindOfText(folded: string): StateKind | undefined {
  const single = folded.endsWith('s') ? folded.slice(0, -1) : folded;
  return kindBySuffix(folded) ?? bareWords.get(folded) ?? bareWords.get(single);
}

/** True for a member that names models or kept things: it must be a plain text. */
export function isNaming(key: string): boolean {
  return kindOfText(fold(key)) !== undefined;
}

/** How the ids begin with which providers name kept things. */
const prefixes: ReadonlyMap<string, StateKind> = new Map([
  ['file', 'file'],
  ['batch', 'batch'],
  ['msgbatch', 'batch'],
  ['vs', 'vector_store'],
  ['conv', 'conversation'],
  ['resp', 'response'],
  ['asst', 'assistant'],
  ['thread', 'thread'],
  ['upload', 'upload'],
  ['cntr', 'container'],
  ['container', 'container'],
  ['ftjob', 'job'],
  ['video', 'video'],
  ['skill', 'skill'],
  ['eval', 'eval'],
  ['pmpt', 'prompt'],
  ['agent', 'agent'],
  ['vlt', 'vault'],
  ['memstore', 'memory'],
] satisfies readonly (readonly [string, StateKind])[]);

/** A beginning and one word of letters and digits, both: `file_search` and `batch_size_32` are none. */
const shape = /^([a-z]{2,9})[_-](?=[A-Za-z]*[0-9])(?=[0-9]*[A-Za-z])[A-Za-z0-9]{8,200}$/;
/** Google's names: `files/a`, `https://…/v1beta/files/a`. */
const resource =
  /(?:^|\/)(files|cachedContents|fileSearchStores|corpora|tunedModels)\/([A-Za-z0-9_-]{1,200})$/;
const resourceKinds: ReadonlyMap<string, StateKind> = new Map([
  ['files', 'file'],
  ['cachedContents', 'cache'],
  ['fileSearchStores', 'vector_store'],
  ['corpora', 'vector_store'],
  ['tunedModels', 'job'],
] satisfies readonly (readonly [string, StateKind])[]);

/** What a text that is nothing but an id is by its looks. */
export function kindByShape(id: string): StateKind | undefined {
  const prefix = id.length > longestId ? undefined : shape.exec(id)?.[1];
  return prefix === undefined ? undefined : prefixes.get(prefix);
}

function byLooks(text: string): readonly StateReference[] {
  const id = text.trim();
  if (id.length > longestId) return [];
  const kind = kindByShape(id);
  if (kind !== undefined) return [{ kind, id }];
  const [, collection = '', last = ''] = resource.exec(id) ?? [];
  const named = resourceKinds.get(collection);
  return named === undefined ? [] : [{ kind: named, id: last }];
}

/** The ids in the text of a member that names things: several by commas, Google's names by their end, all else as it is. */
function idsOf(text: string): readonly string[] {
  if (text.length > longestId * mostNamed) return [text.slice(0, longestId)];
  return text
    .split(',', mostNamed + 1)
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map((part) => resource.exec(part.slice(0, longestId))?.[2] ?? part.slice(0, longestId));
}

/** What one named text refers to: by its name, else by its looks. */
function referencesOf(folded: string, value: string): readonly StateReference[] {
  const kind = kindOfText(folded);
  if (kind !== undefined) return idsOf(value).map((id) => ({ kind, id }));
  const isProse = proseKeys.has(folded);
  return isProse ? [] : byLooks(value);
}

/** What the pairs of a query or of a form name; of more than `mostNamed` the first, and one more. */
export function keptInPairs(pairs: Iterable<readonly [string, string]>): readonly StateReference[] {
  const references: StateReference[] = [];
  for (const [key, value] of pairs) {
    for (const reference of byLooks(key)) references.push(reference);
    for (const reference of referencesOf(fold(key), value)) references.push(reference);
    if (references.length > mostNamed) return references.slice(0, mostNamed + 1);
  }
  return references;
}

/** Sources of an evaluation that are everyone's stored answers at once. */
const everyones: ReadonlySet<unknown> = new Set(['stored_completions', 'responses', 'logs']);

function addAll(builder: RequestBuilder, references: readonly StateReference[]): void {
  for (const { kind, id } of references) {
    if ((builder.references?.size ?? 0) > mostNamed) return;
    addReference(builder, kind, id);
  }
}

/** `source: {type: "file_id", id}` names a file, `source: {type: "responses"}` everyone's. */
function addSource(builder: RequestBuilder, folded: string, value: JsonRecord): void {
  if (folded === 'source' && value.type === 'file_id') addReference(builder, 'file', value.id);
  const isEveryones =
    (folded === 'source' && everyones.has(value.type)) ||
    (folded === 'datasourceconfig' && value.type !== 'custom' && everyones.has(value.type));
  if (isEveryones) addReference(builder, 'response', '*');
}

function addValue(builder: RequestBuilder, folded: string, value: unknown): void {
  if (typeof value === 'string') addAll(builder, referencesOf(folded, value));
  else if (Array.isArray(value)) {
    const items: readonly unknown[] = value;
    for (const item of items) addValue(builder, folded, item);
  } else if (isObject(value)) {
    const kind = objectWords.get(folded);
    if (kind !== undefined && typeof value.id === 'string') addReference(builder, kind, value.id);
    addSource(builder, folded, value);
    addKept(builder, value);
  }
}

/** Notes every kept thing that a body which is passed through names, at any depth; it stops where there are too many. */
export function addKept(builder: RequestBuilder, object: JsonRecord): void {
  if (object.type === 'item_reference' && object.id !== undefined) addReference(builder, 'item', object.id);
  for (const key in object) {
    if ((builder.references?.size ?? 0) > mostNamed) return;
    const folded = fold(key);
    if (ownData.has(folded)) continue;
    // What a model asks of a caller's tool is the caller's data.
    if (key === 'input' && object.type === 'tool_use') continue;
    // The vendor's own skills are there for everyone.
    if (key === 'skill_id' && object.type === 'anthropic') continue;
    if (key === 'connector_id' && isVendorsOwn('connector', object[key])) continue;
    addAll(builder, byLooks(key));
    addValue(builder, folded, object[key]);
  }
}
