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
  ...['generation', 'generations'].map((name) => [name, 'generation'] as const),
  ...['evals', 'evaluations'].map((name) => [name, 'eval'] as const),
  ...['jobs', 'finetunes', 'operations', 'tunedmodels', 'embedjobs', 'predictions'].map(
    (name) => [name, 'job'] as const,
  ),
  ...['caches', 'cachedcontents'].map((name) => [name, 'cache'] as const),
  ['agents', 'agent'],
  ...['sessions', 'calls', 'userprofiles'].map((name) => [name, 'session'] as const),
  ['environments', 'environment'],
  ...['memorystores', 'dreams'].map((name) => [name, 'memory'] as const),
  ['vaults', 'vault'],
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

/** A segment as an id: what follows a colon is asked of it. */
const idOf = (segment: string): string => segment.split(':', 1)[0] ?? segment;

type Segments = { readonly raw: readonly string[]; readonly names: readonly string[] };

function segmentsOf(path: string): Segments {
  const raw = path.split('/').filter((segment) => segment !== '');
  return { raw, names: raw.map(nameOf) };
}

function kindAt({ names }: Segments, at: number): StateKind | undefined {
  const name = names[at] ?? '';
  return name === 'completions' && names[at - 1] === 'chat' ? 'completion' : collections.get(name);
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
  if (first === undefined || isMaker)
    return method === 'POST' || method === 'PUT' ? { kind: 'new', of } : { kind: 'all', of };
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

/** The id that the answer to the making of a thing says: Google's is the end of a name. */
function newId(answer: JsonRecord, of: StateKind): readonly StateReference[] {
  const inner = isObject(answer.file) ? answer.file : answer;
  const name = typeof inner.name === 'string' ? inner.name.split('/').at(-1) : undefined;
  if (of === 'thread' && answer.object === 'thread.run') return named(of, answer.thread_id);
  return named(of, answer.id ?? answer[`${of}_id`] ?? name);
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
  if (kept.kind === 'new') return newId(answer, kept.of);
  return kept.kind === 'one' ? latelyMade(segmentsOf(path), method, answer) : [];
}
