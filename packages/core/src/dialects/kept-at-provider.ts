// Owns what a path and a body that are passed through name among the things that a provider keeps.

import { isObject } from '../json.ts';
import { addReferencesIn, referenceKeys } from './named-in.ts';
import { addReference, type JsonRecord, type RequestBuilder } from './request-builder.ts';
import type { StateKind, StateReference } from './request-types.ts';

/** Path segments under which providers keep things, without `_` and `-`, in lower case, and what one of them is. */
const collections: ReadonlyMap<string, StateKind> = new Map([
  ['files', 'file'],
  ['uploads', 'upload'],
  ['batches', 'batch'],
  ['vectorstores', 'vector_store'],
  ['conversations', 'conversation'],
  ['responses', 'response'],
  ['interactions', 'response'],
  ['assistants', 'assistant'],
  ['threads', 'thread'],
  ['containers', 'container'],
  ['skills', 'skill'],
  ['prompts', 'prompt'],
  ['videos', 'video'],
  ['evals', 'eval'],
  ['jobs', 'job'],
  ['finetunes', 'job'],
  ['operations', 'job'],
  ['datasets', 'file'],
  ['corpora', 'vector_store'],
  ['caches', 'cache'],
  ['cachedcontents', 'cache'],
  ['agents', 'agent'],
  ['sessions', 'session'],
  ['environments', 'environment'],
  ['memorystores', 'memory'],
  ['vaults', 'vault'],
]);

/** What stands below a collection in an id's place and is none: `POST /v1/threads/runs` makes a thread and runs it. */
const makers: ReadonlySet<string> = new Set(['threads/runs']);

/** What a path that is passed through leads to. */
export type KeptByPath =
  /** Nothing that a provider keeps, as far as we know the path. */
  | { readonly kind: 'nothing' }
  /** One thing, or what is below it. */
  | { readonly kind: 'one'; readonly reference: StateReference }
  /** All of them at once: everyone's. */
  | { readonly kind: 'all'; readonly of: StateKind }
  /** A new one, whose id the answer says. */
  | { readonly kind: 'new'; readonly of: StateKind };

const nothingKept: KeptByPath = { kind: 'nothing' };

/** What a path names, by its first segment under which providers keep things. `path` has passed `matchEndpoint`. */
export function keptByPath(method: string, path: string): KeptByPath {
  const segments = path.split('/').filter((segment) => segment !== '');
  const names = segments.map((segment) => segment.toLowerCase().replaceAll(/[_-]/g, ''));
  const completions = names.findIndex((name, i) => name === 'completions' && names[i - 1] === 'chat');
  const collection = names.findIndex((name) => collections.has(name));
  const at = collection >= 0 ? collection : completions;
  if (at < 0) return nothingKept;
  const of = collections.get(names[at] ?? '') ?? 'completion';
  const id = segments[at + 1];
  if (id !== undefined && !makers.has(`${names[at]}/${names[at + 1]}`))
    // `batches/abc:cancel`: what follows the colon is asked of it.
    return { kind: 'one', reference: { kind: of, id: id.split(':', 1)[0] ?? id } };
  return method === 'POST' || method === 'PUT' ? { kind: 'new', of } : { kind: 'all', of };
}

/** Members that name a kept thing in the bodies of endpoints that are passed through, beside those of `named-in.ts`. */
const furtherKeys: ReadonlyMap<string, StateKind> = new Map([
  ['input_file_id', 'file'],
  ['output_file_id', 'file'],
  ['training_file', 'file'],
  ['validation_file', 'file'],
  ['previous_response_id', 'response'],
  ['response_id', 'response'],
  ['conversation', 'conversation'],
  ['conversation_id', 'conversation'],
  ['assistant_id', 'assistant'],
  ['thread_id', 'thread'],
  ['batch_id', 'batch'],
  ['upload_id', 'upload'],
  ['video_id', 'video'],
  ['eval_id', 'eval'],
  ['agent_id', 'agent'],
  ['session_id', 'session'],
  ['environment_id', 'environment'],
  ['cached_content', 'cache'],
]);

/** How ids look with which providers name kept things, whatever the member is called. `file_search` is none of them. */
const shapes =
  /^(?=.*[0-9A-Z])(?:(file)|(batch|msgbatch)|(vs)|(conv)|(resp)|(asst)|(thread)|(upload)|(cntr|container)|(ftjob)|(video)|(skill)|(eval))[_-][A-Za-z0-9_-]{6,}$/;
const shapeKinds: readonly StateKind[] = [
  'file',
  'batch',
  'vector_store',
  'conversation',
  'response',
  'assistant',
  'thread',
  'upload',
  'container',
  'job',
  'video',
  'skill',
  'eval',
];

function kindByShape(text: string): StateKind | undefined {
  const match = text.length > 256 ? null : shapes.exec(text);
  return match === null ? undefined : shapeKinds[match.slice(1).findIndex((group) => group !== undefined)];
}

function addByShape(builder: RequestBuilder, value: unknown): void {
  if (typeof value === 'string') {
    const kind = kindByShape(value);
    if (kind !== undefined) addReference(builder, kind, value);
  } else if (Array.isArray(value)) {
    const items: readonly unknown[] = value;
    for (const item of items) addByShape(builder, item);
  } else if (isObject(value)) addKeptIn(builder, value);
}

/** Notes what an object names by a key that is known, or by an id that looks like one, at any depth. */
function addKeptIn(builder: RequestBuilder, object: JsonRecord): void {
  for (const key in object) {
    const value = object[key];
    const kind = furtherKeys.get(key);
    if (kind !== undefined && typeof value === 'string' && value !== '') addReference(builder, kind, value);
    else if (kind !== undefined && isObject(value) && value.id !== undefined)
      addReference(builder, kind, value.id);
    else addByShape(builder, value);
  }
}

/** What the values of a query name, by its keys and by how they look. Values that are no names are the body's matter. */
export function keptInQuery(query: ReadonlyMap<string, string>): readonly StateReference[] {
  const references: StateReference[] = [];
  for (const [key, value] of query) {
    const kind = referenceKeys.get(key) ?? furtherKeys.get(key) ?? kindByShape(value);
    if (kind !== undefined && value !== '') references.push({ kind, id: value });
  }
  return references;
}

/** Notes every kept thing that the body of an endpoint which is passed through names. */
export function addKept(builder: RequestBuilder, root: JsonRecord): void {
  addReferencesIn(builder, root);
  addKeptIn(builder, root);
}
