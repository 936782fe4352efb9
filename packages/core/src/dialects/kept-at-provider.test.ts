// Checks what paths, queries and bodies that are passed through name among the things that a provider keeps.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { matchEndpoint } from './endpoints.ts';
import { parseInferenceRequest } from './inference-request.ts';
import { keptByPath, keptInQuery } from './kept-at-provider.ts';
import { defaultParseLimits } from './request-types.ts';

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

function said(method: string, path: string): string {
  const kept = keptByPath(method, path);
  if (kept.kind === 'one') return `${kept.reference.kind} ${kept.reference.id}`;
  return kept.kind === 'nothing' ? 'nothing' : `${kept.kind} ${kept.of}`;
}

test('a path leads to one kept thing, to a new one, to all of them, or to none', () => {
  const table: readonly (readonly [string, string, string])[] = [
    ['GET', '/v1/files', 'all file'],
    ['GET', '/v1/files/', 'all file'],
    ['DELETE', '/v1/files', 'all file'],
    ['POST', '/v1/files', 'new file'],
    ['GET', '/v1/files/file-1/content', 'file file-1'],
    ['GET', '/V1/Files/file-1', 'file file-1'],
    ['DELETE', '/v1/vector_stores/vs_1/files/file-1', 'vector_store vs_1'],
    ['GET', '/v1/vector-stores/vs_1', 'vector_store vs_1'],
    ['POST', '/v1/batches/batch_1/cancel', 'batch batch_1'],
    ['POST', '/v1/messages/batches', 'new batch'],
    ['GET', '/v1/messages/batches/msgbatch_1/results', 'batch msgbatch_1'],
    ['GET', '/v1/fine_tuning/jobs', 'all job'],
    ['GET', '/v1/fine_tuning/jobs/ftjob-1/events', 'job ftjob-1'],
    ['GET', '/v1/chat/completions', 'all completion'],
    ['DELETE', '/v1/chat/completions/chatcmpl-1', 'completion chatcmpl-1'],
    ['POST', '/v1/threads/runs', 'new thread'],
    ['GET', '/v1/threads/thread_1/messages', 'thread thread_1'],
    ['POST', '/v1/conversations/conv_1/items', 'conversation conv_1'],
    ['POST', '/v1/uploads/upload_1/parts', 'upload upload_1'],
    ['GET', '/v1beta/cachedContents', 'all cache'],
    ['POST', '/v1/batches/b:cancel', 'batch b'],
    ['POST', '/v1/audio/speech', 'nothing'],
    ['POST', '/v1/images/generations', 'nothing'],
    ['POST', '/openai/deployments/gpt-4o/chat/speech', 'nothing'],
    ['POST', '/v1/completions/x', 'nothing'],
  ];
  for (const [method, path, expected] of table)
    assert.equal(said(method, path), expected, `${method} ${path}`);
});

test('a letter that is encoded hides no collection, because such a path leads nowhere', () => {
  for (const path of ['/v1/%66iles/file-1', '/v1/file%73', '/v1/vector%5fstores', '/v1/f%', '/v1/%31'])
    assert.equal(matchEndpoint('GET', `/providers/acme${path}`).kind, 'none', path);
  assert.equal(matchEndpoint('GET', '/providers/acme/v1/a%20b/%C3%A4').kind, 'endpoint');
});

function namedIn(body: unknown): readonly string[] {
  const matched = matchEndpoint('POST', '/providers/acme/v1/batches');
  assert.ok(matched.kind === 'endpoint');
  const request = parseInferenceRequest(matched.endpoint, encoder.encode(JSON.stringify(body)), {
    decodeUtf8: (bytes) => decoder.decode(bytes),
    limits: defaultParseLimits,
  });
  assert.ok(request.kind === 'request', JSON.stringify(request));
  return request.providerState.references.map(({ kind, id }) => `${kind} ${id}`);
}

test('a body names kept things by members that are known, at any depth', () => {
  assert.deepEqual(namedIn({ input_file_id: 'a', endpoint: '/v1/responses' }), ['file a']);
  assert.deepEqual(namedIn({ x: [{ y: { training_file: 'b' } }] }), ['file b']);
  assert.deepEqual(namedIn({ tool_resources: { file_search: { vector_store_ids: ['c', 'd'] } } }), [
    'vector_store c',
    'vector_store d',
  ]);
  assert.deepEqual(namedIn({ conversation: { id: 'e' } }), ['conversation e']);
});

test('a body names kept things by ids that look like one, whatever the member is called', () => {
  assert.deepEqual(namedIn({ anything: ['file-8FzZkQ2', { deep: 'vs_68abcdef01' }] }), [
    'file file-8FzZkQ2',
    'vector_store vs_68abcdef01',
  ]);
  const innocent = ['file_search', 'container_upload', 'batch', 'file-x', 'thread_pooling', 'a file-8FzZkQ2'];
  assert.deepEqual(namedIn({ tools: innocent, metadata: { a: 'resp_onse_format' } }), []);
});

test('a query names kept things too', () => {
  const query = new Map(new URLSearchParams('limit=3&file_id=x&after=file-8FzZkQ2&order=asc&thread_id='));
  assert.deepEqual(keptInQuery(query), [
    { kind: 'file', id: 'x' },
    { kind: 'file', id: 'file-8FzZkQ2' },
  ]);
});
