// Owns what a path that is passed through names among the things that a provider keeps, and what its answer makes.

import { isObject } from '../json.ts';
import { kindByShape } from './kept-ids.ts';
import type { JsonRecord } from './request-builder.ts';
import type { StateKind, StateReference } from './request-types.ts';

/** Path segments under which providers keep things, without `_` and `-`, in lower case, and what one of them is. */
const collections: ReadonlyMap<string, StateKind> = new Map([
  ...['files', 'generatedfiles', 'datasets'].map((name) => [name, 'file'] as const),
  ['uploads', 'upload'],
  ...['batches', 'batchjobs', 'batchpredictionjobs'].map((name) => [name, 'batch'] as const),
  ...['vectorstores', 'filesearchstores', 'libraries', 'corpora', 'collections'].map(
    (name) => [name, 'vector_store'] as const,
  ),
  ['conversations', 'conversation'],
  ...['responses', 'interactions'].map((name) => [name, 'response'] as const),
  ...['storedcompletions', 'deferredcompletion'].map((name) => [name, 'completion'] as const),
  ['assistants', 'assistant'],
  ['threads', 'thread'],
  ['containers', 'container'],
  ['skills', 'skill'],
  ['prompts', 'prompt'],
  ['connectors', 'connector'],
  ['webhooks', 'connector'],
  ['videos', 'video'],
  ...['evals', 'evaluation', 'evaluations'].map((name) => [name, 'eval'] as const),
  ...['jobs', 'finetunes', 'finetunedmodels', 'operations', 'tunedmodels', 'embedjobs', 'predictions'].map(
    (name) => [name, 'job'] as const,
  ),
  ...['caches', 'cachedcontents'].map((name) => [name, 'cache'] as const),
  ['agents', 'agent'],
  ...['sessions', 'calls', 'userprofiles'].map((name) => [name, 'session'] as const),
  ['environments', 'environment'],
  ...['memorystores', 'memories', 'dreams'].map((name) => [name, 'memory'] as const),
  ...['organization', 'organizations'].map((name) => [name, 'account'] as const),
  ['vaults', 'vault'],
] satisfies readonly (readonly [string, StateKind])[]);

/** Segments that are collections below these alone. */
const nested: ReadonlyMap<string, StateKind> = new Map([
  ['chat/completions', 'completion'],
  ['video/generations', 'video'],
  ['audio/voices', 'audio'],
  ['audio/voiceconsents', 'audio'],
] satisfies readonly (readonly [string, StateKind])[]);

/** What ends a path below a collection in an id's place and is none: `POST /v1/threads/runs` makes a thread and runs it. */
const makers: ReadonlySet<string> = new Set(['threads/runs', 'videos/edits', 'videos/extensions']);

/** What a path that is passed through leads to. */
export type KeptByPath =
  /** Nothing that a provider keeps, as far as we know the path. */
  | { readonly kind: 'nothing' }
  /** One thing, or what is below it: each of these must be the caller's. */
  | { readonly kind: 'one'; readonly references: readonly StateReference[] }
  /** All of them at once: everyone's. */
  | { readonly kind: 'all'; readonly of: StateKind }
  /** A new one, whose id the answer says. */
  | { readonly kind: 'new'; readonly of: StateKind };

const nothingKept: KeptByPath = { kind: 'nothing' };

/** A segment as its collection's name: `Vector-Stores:list` is `vectorstores`. */
function nameOf(segment: string): string {
  return (/^[A-Za-z0-9_-]*/.exec(segment)?.[0] ?? '').toLowerCase().replaceAll(/[_-]/g, '');
}

/** A segment as an id: `abc:cancel` asks something of `abc`. */
const idOf = (segment: string): string => segment.replace(/:[A-Za-z]+$/, '');

type Segments = { readonly raw: readonly string[]; readonly names: readonly string[] };

function segmentsOf(path: string): Segments {
  const raw = path.split('/').filter((segment) => segment !== '');
  return { raw, names: raw.map(nameOf) };
}

function kindAt({ names }: Segments, at: number): StateKind | undefined {
  const [above, name = ''] = [names[at - 1], names[at]];
  const kind = nested.get(`${above}/${name}`) ?? collections.get(name);
  // `POST /v1/agents/completions` asks an agent that its body names, and makes none.
  return kind === 'agent' && names[at + 1] === 'completions' ? undefined : kind;
}

/**
 * What a path names, by the first of its segments under which providers keep things. Below a thing, further ones are
 * named too where their ids look like one. `path` has passed `matchEndpoint`.
 */
export function keptByPath(method: string, path: string): KeptByPath {
  const segments = segmentsOf(path);
  const { raw, names } = segments;
  const at = raw.findIndex((_, i) => kindAt(segments, i) !== undefined);
  const of = kindAt(segments, at);
  if (of === undefined) return nothingKept;
  const isMaker = at + 2 === raw.length && makers.has(`${names[at]}/${names[at + 1]}`);
  const first = raw[at + 1];
  // `files:list` asks something of all.
  const isPlain = /^[A-Za-z0-9_-]+$/.test(raw[at] ?? '');
  if (first === undefined || isMaker)
    return method === 'POST' && isPlain ? { kind: 'new', of } : { kind: 'all', of };
  const references: StateReference[] = [{ kind: of, id: idOf(first) }];
  for (const segment of raw.slice(at + 2)) {
    const kind = kindByShape(idOf(segment));
    if (kind !== undefined) references.push({ kind, id: idOf(segment) });
  }
  return { kind: 'one', references };
}

function named(kind: StateKind, id: unknown): readonly StateReference[] {
  return typeof id === 'string' && id !== '' ? [{ kind, id }] : [];
}

/** The id that the answer to the making of a thing says: Google's is the end of a name below the path's own collection. */
function newId({ raw }: Segments, answer: JsonRecord, of: StateKind): readonly StateReference[] {
  if (of === 'thread' && answer.object === 'thread.run') return named(of, answer.thread_id);
  if (of === 'conversation') return named(of, answer.id ?? answer.conversation_id);
  if (answer.id !== undefined) return named(of, answer.id);
  const { name } = isObject(answer.file) ? answer.file : answer;
  const above = `${raw.at(-1)}/`;
  return typeof name === 'string' && name.startsWith(above) ? named(of, name.slice(above.length)) : [];
}

/** What becomes a file only later is said by the thing that it comes of, and by nothing else. */
function latelyMade({ raw, names }: Segments, method: string, answer: JsonRecord): readonly StateReference[] {
  const [collection, id, verb] = [names.at(-3), raw.at(-2), names.at(-1)];
  if (method === 'POST' && collection === 'videos' && verb === 'remix') return named('video', answer.id);
  if (method === 'POST' && collection === 'uploads' && verb === 'complete' && answer.id === id)
    return answer.object === 'upload' && isObject(answer.file) ? named('file', answer.file.id) : [];
  const isCancelled = method === 'POST' && verb === 'cancel';
  const [parent, own] = isCancelled ? [collection, id] : [names.at(-2), raw.at(-1)];
  if (answer.id !== own || !(isCancelled || method === 'GET')) return [];
  if (parent === 'batches' && answer.object === 'batch')
    return [...named('file', answer.output_file_id), ...named('file', answer.error_file_id)];
  if (parent !== 'jobs' || answer.object !== 'fine_tuning.job' || !Array.isArray(answer.result_files))
    return [];
  const files: readonly unknown[] = answer.result_files;
  return files.flatMap((file) => named('file', file));
}

/**
 * What the answer to a request that was passed through made, whose it is then. INVARIANT: only members that the
 * provider alone writes, on exactly the paths where it writes them. The content of a file is what its maker wrote:
 * an id that stands there, or anywhere that a caller's words may be repeated, becomes nobody's.
 */
export function madeByAnswer(method: string, path: string, answer: JsonRecord): readonly StateReference[] {
  const kept = keptByPath(method, path);
  const segments = segmentsOf(path);
  if (kept.kind === 'new') return newId(segments, answer, kept.of);
  return kept.kind === 'one' ? latelyMade(segments, method, answer) : [];
}
