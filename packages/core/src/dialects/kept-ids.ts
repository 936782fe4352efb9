// Owns which ids of kept things the bodies, forms and queries of requests that are passed through name.

import { isObject } from '../json.ts';
import { addReference, type JsonRecord, type RequestBuilder } from './request-builder.ts';
import type { StateKind, StateReference } from './request-types.ts';

/** What the names of members are made of, without `_` and `-`, in lower case: `fileId`, `file_ids`, `previous_response_id`. */
const words: ReadonlyMap<string, StateKind> = new Map([
  ...['file', 'inputfile', 'outputfile', 'errorfile', 'resultfile', 'trainingfile', 'validationfile'].map(
    (word) => [word, 'file'] as const,
  ),
  ...['vectorstore', 'filesearchstore', 'library', 'corpus'].map((word) => [word, 'vector_store'] as const),
  ...['response', 'interaction'].map((word) => [word, 'response'] as const),
  ...['job', 'run', 'finetune', 'operation'].map((word) => [word, 'job'] as const),
  ...['cache', 'cachedcontent'].map((word) => [word, 'cache'] as const),
  ...['memory', 'memorystore'].map((word) => [word, 'memory'] as const),
  ['video', 'video'],
  ['generation', 'generation'],
  ...['audio', 'voice'].map((word) => [word, 'audio'] as const),
  ['container', 'container'],
  ['skill', 'skill'],
  ['connector', 'connector'],
  ['conversation', 'conversation'],
  ['completion', 'completion'],
  ['thread', 'thread'],
  ['assistant', 'assistant'],
  ['batch', 'batch'],
  ['upload', 'upload'],
  ['eval', 'eval'],
  ['agent', 'agent'],
  ['session', 'session'],
  ['environment', 'environment'],
  ['vault', 'vault'],
  ['prompt', 'prompt'],
  ['item', 'item'],
] satisfies readonly (readonly [string, StateKind])[]);

/** Words that name a thing by themselves, where their value is a text. `voice: "alloy"` and `prompt: "a cat"` do not. */
const bareWords: ReadonlySet<string> = new Set([
  ...['conversation', 'container', 'agent', 'cachedcontent', 'thread', 'assistant', 'environment'],
  ...['inputfile', 'trainingfile', 'validationfile', 'filesearchstorename'],
]);

/** Members whose text is the caller's own words, which only look like an id by chance. */
const proseKeys: ReadonlySet<string> = new Set([
  ...[
    'content',
    'text',
    'query',
    'name',
    'title',
    'description',
    'instructions',
    'input',
    'prompt',
    'system',
  ],
  ...['customid', 'displayname', 'filename', 'user', 'safetyidentifier', 'after', 'before', 'cursor'],
  ...['startingafter', 'endingbefore', 'pagetoken', 'page'],
]);

const fold = (key: string): string => key.toLowerCase().replaceAll(/\[.*$|[_-]/g, '');

/** What a member of this name names, if its value is a text (`isText`) or an object with an `id`. */
function kindByKey(key: string, isText: boolean): StateKind | undefined {
  const folded = fold(key).replace(/^previous/, '');
  const suffixed = /^(.+?)ids?$/.exec(folded)?.[1];
  const kind = suffixed === undefined ? undefined : words.get(suffixed);
  if (kind !== undefined) return kind;
  const single = folded.replace(/s$/, '');
  if (isText && !bareWords.has(folded) && !bareWords.has(single)) return undefined;
  return (
    words.get(folded) ?? words.get(single) ?? (single === 'filesearchstorename' ? 'vector_store' : undefined)
  );
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

/** An id within a text: its beginning, and a rest in which there is a digit or a capital. `file_search` is none. */
const shape = new RegExp(
  `(?<![A-Za-z0-9_-])(${[...prefixes.keys()].join('|')})[_-](?=[a-z_-]*[0-9A-Z])[A-Za-z0-9_-]{6,}`,
  'g',
);
/** Longer texts are prose. */
const longestText = 4_096;

function idsByShape(text: string): readonly StateReference[] {
  if (text.length > longestText) return [];
  return [...text.matchAll(shape)].flatMap(([id, prefix = '']) => {
    const kind = prefixes.get(prefix);
    return kind === undefined ? [] : [{ kind, id }];
  });
}

/** What an id that stands alone is by its looks. */
export function kindByShape(id: string): StateKind | undefined {
  const [found] = idsByShape(id);
  return found?.id === id ? found.kind : undefined;
}

/** The ids that one text names: several by commas, the last part of an address. */
function idsOf(text: string): readonly string[] {
  const parts = text.split(/[,\s]+/).map((part) => part.split('/').at(-1) ?? part);
  return parts.filter((part) => part !== '');
}

/** What one named text refers to: by its name, else by its looks. */
function referencesOf(key: string, value: string): readonly StateReference[] {
  const kind = kindByKey(key, true);
  if (kind !== undefined) return idsOf(value).map((id) => ({ kind, id }));
  return proseKeys.has(fold(key)) ? [] : idsByShape(value);
}

/** What the pairs of a query or of a form name. */
export function keptInPairs(pairs: Iterable<readonly [string, string]>): readonly StateReference[] {
  const references: StateReference[] = [];
  for (const [key, value] of pairs) references.push(...idsByShape(key), ...referencesOf(key, value));
  return references;
}

/** Sources of an evaluation that are everyone's stored answers at once. */
const everyones: ReadonlySet<unknown> = new Set(['stored_completions', 'responses', 'logs']);
const sourceKeys: ReadonlySet<string> = new Set(['datasource', 'datasourceconfig', 'source']);

function addAll(builder: RequestBuilder, references: readonly StateReference[]): void {
  for (const { kind, id } of references) addReference(builder, kind, id);
}

function addValue(builder: RequestBuilder, key: string, value: unknown): void {
  if (typeof value === 'string') addAll(builder, referencesOf(key, value));
  else if (Array.isArray(value)) {
    const items: readonly unknown[] = value;
    for (const item of items) addValue(builder, key, item);
  } else if (isObject(value)) {
    const kind = kindByKey(key, false);
    if (kind !== undefined && typeof value.id === 'string') addReference(builder, kind, value.id);
    if (sourceKeys.has(fold(key)) && everyones.has(value.type)) addReference(builder, 'response', '*');
    addKept(builder, value);
  }
}

/** Notes every kept thing that a body which is passed through names, at any depth. */
export function addKept(builder: RequestBuilder, object: JsonRecord): void {
  if (object.type === 'item_reference' && object.id !== undefined) addReference(builder, 'item', object.id);
  for (const key in object) {
    // A label of the caller's own.
    if (key === 'metadata') continue;
    // The vendor's own skills are there for everyone.
    if (key === 'skill_id' && object.type === 'anthropic') continue;
    addAll(builder, idsByShape(key));
    addValue(builder, key, object[key]);
  }
}
