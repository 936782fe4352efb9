// Checks what paths, queries and bodies that are passed through name among the things that a provider keeps.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { matchEndpoint } from './endpoints.ts';
import { parseInferenceRequest } from './inference-request.ts';
import { keptInPairs, mostNamed } from './kept-ids.ts';
import { keptByPath, madeByAnswer } from './kept-paths.ts';
import { defaultParseLimits } from './request-types.ts';

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

function said(method: string, path: string): string {
  const kept = keptByPath(method, path);
  if (kept.kind === 'one') return kept.references.map(({ kind, id }) => `${kind} ${id}`).join(', ');
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
    ['DELETE', '/v1/vector_stores/vs_1/files/file-Abc12345', 'vector_store vs_1, file file-Abc12345'],
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
    ['GET', '/v1/video/generations/v1', 'video v1'],
    ['POST', '/v1/files:list', 'all file'],
    ['PUT', '/v1/files', 'all file'],
    ['GET', '/v1/files/a:b1', 'file a:b1'],
    ['GET', '/v1/organization/audit_logs', 'account audit_logs'],
    ['POST', '/v1/agents/completions', 'nothing'],
    ['POST', '/openai/deployments/gpt-4o/chat/speech', 'nothing'],
    ['POST', '/v1/completions/x', 'nothing'],
    ['GET', '/v1/files:list', 'all file'],
    ['GET', '/v1/files.json', 'all file'],
    ['GET', '/v1/files%20/file-1', 'file file-1'],
    ['POST', '/v1/threads/runs/run_1/cancel', 'thread runs'],
    ['GET', '/v1/files/file-Own12345/files/file-Their567', 'file file-Own12345, file file-Their567'],
    ['GET', '/v1beta/fileSearchStores', 'all vector_store'],
  ];
  for (const [method, path, expected] of table)
    assert.equal(said(method, path), expected, `${method} ${path}`);
});

test('a careless spelling of an endpoint that is read leads nowhere', () => {
  for (const path of ['/v1/responses/', '/V1/responses', '/v1/Chat/Completions', '/v1/responses/resp_1/'])
    assert.equal(matchEndpoint('POST', `/providers/acme${path}`).kind, 'none', path);
});

test('a letter that is encoded hides no collection, because such a path leads nowhere', () => {
  for (const path of [
    '/v1/%66iles/file-1',
    '/v1/file%73',
    '/v1/vector%5fstores',
    '/v1/f%',
    '/v1/%31',
    '/v1/%2566iles/x',
  ])
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

test('a body names kept things by ids that look like one, wherever they stand in a text or a key', () => {
  assert.deepEqual(
    namedIn({
      anything: ['file-8FzZkQ2a', { deep: 'vs_68abcdef01' }],
      a: ' conv_9Zabcdefg ',
      batch_7Qabcdefg: 1,
    }),
    [
      'file file-8FzZkQ2a',
      'vector_store vs_68abcdef01',
      'conversation conv_9Zabcdefg',
      'batch batch_7Qabcdefg',
    ],
  );
  const innocent = ['file_search', 'container_upload', 'batch', 'file-x', 'thread_pooling', 'xfile-8FzZkQ2a'];
  assert.deepEqual(
    namedIn({ tools: innocent, metadata: { a: 'resp_1234567' }, custom_id: 'batch_000001' }),
    [],
  );
  assert.deepEqual(
    namedIn({ query: 'thread-2024-notes', voice: 'alloy', prompt: 'a cat', file: 'aGk=' }),
    [],
  );
});

test('a body names kept things by members of every spelling', () => {
  const table: readonly (readonly [object, string])[] = [
    [{ fileId: 'a' }, 'file a'],
    [{ inputFileIds: ['a'] }, 'file a'],
    [{ input_files: ['a-uuid'] }, 'file a-uuid'],
    [{ training_files: ['a'] }, 'file a'],
    [{ file: { id: 'a' } }, 'file a'],
    [{ previous_interaction_id: 'a' }, 'response a'],
    [{ agent: 'a' }, 'agent a'],
    [{ vault_ids: ['a'] }, 'vault a'],
    [{ resources: [{ memory_store_id: 'a' }] }, 'memory a'],
    [{ cachedContent: 'cachedContents/a' }, 'cache a'],
    [{ fileSearchStoreNames: ['fileSearchStores/a'] }, 'vector_store a'],
    [{ library_ids: ['a'] }, 'vector_store a'],
    [{ batch_ids: 'a, b' }, 'batch a,batch b'],
    [{ items: [{ type: 'item_reference', id: 'msg_1' }] }, 'item msg_1'],
    [{ prompt: { id: 'pmpt_1' } }, 'prompt pmpt_1'],
    [{ audio: { id: 'audio_1' } }, 'audio audio_1'],
    [{ data_source: { type: 'responses', source: { type: 'responses' } } }, 'response *'],
    [{ data_source: { type: 'responses', source: { type: 'file_id', id: 'a' } } }, 'file a'],
    [{ contents: [{ parts: [{ fileData: { fileUri: 'https://x.example/v1beta/files/a' } }] }] }, 'file a'],
    [{ batch: { inputConfig: { fileName: 'files/a' } } }, 'file a'],
    [{ dataset_id: 'a', collection_ids: ['b'] }, 'file a,vector_store b'],
    [{ input_file_id: 'a?x=/b' }, 'file a?x=/b'],
    [{ data_source_config: { type: 'stored_completions' } }, 'response *'],
    [{ skill_id: 'own' }, 'skill own'],
    [{ skills: [{ type: 'anthropic', skill_id: 'pptx' }] }, ''],
    [[{ file_id: 'a' }], 'file a'],
  ];
  for (const [body, expected] of table) assert.equal(namedIn(body).join(), expected, JSON.stringify(body));
});

test('what is data of the caller’s own names nothing, however it looks', () => {
  for (const body of [
    { documents: ['set batch_size_32 now', 'batch_2024q1xyz9'] },
    { tool_outputs: [{ output: 'file_20240115abc' }] },
    { attributes: { session_id: 's-1' } },
    { filters: { type: 'eq', key: 'k', value: 'batch_2024Q1xyz' } },
    { messages: [{ content: [{ type: 'tool_use', input: { session_id: 's', thread_id: 't' } }] }] },
    {
      content: [{ item: { id: 'row-1' } }],
      environment: 'production',
      job_id: '1',
      voice_id: 'v',
      run_id: 'r',
    },
  ])
    assert.deepEqual(namedIn(body), [], JSON.stringify(body));
});

test('what a caller sends is read in a time that its length bounds', () => {
  const started = performance.now();
  const brackets = `${'['.repeat(200_000)}\n`;
  namedIn({ [brackets]: 'v', x: Array.from({ length: 50_000 }, () => 'file-Abcd1234') });
  assert.equal(namedIn({ file_ids: Array.from({ length: 100_000 }, (_, i) => `f${i}`) }).length, 501);
  keptInPairs([
    [brackets, 'v'],
    ['file_id', '1,'.repeat(1_000_000)],
  ]);
  assert.ok(performance.now() - started < 4_000, `${performance.now() - started} ms`);
});

test('a query names kept things too, by each of its pairs', () => {
  const query = new URLSearchParams(
    'limit=3&file_id=x&file_id=y&FileIds[]=a,b&q=file-8FzZkQ2a&after=file-8FzZkQ3a&file-8FzZkQ4a=1',
  );
  assert.deepEqual(
    keptInPairs(query).map(({ kind, id }) => `${kind} ${id}`),
    ['file x', 'file y', 'file a', 'file b', 'file file-8FzZkQ2a', 'file file-8FzZkQ4a'],
  );
});

test('of too many things in a query so many are told that it is refused, and no more', () => {
  const ids = (letter: string) => Array.from({ length: mostNamed }, (_, i) => `${letter}${i}`).join();
  const pairs = (letters: string) => [...letters].map((letter) => ['file_id', ids(letter)] as const);
  assert.equal(keptInPairs(pairs('a')).length, mostNamed);
  for (const letters of ['ab', 'abc']) assert.equal(keptInPairs(pairs(letters)).length, mostNamed + 1);
});

test('what stands in the `input` of anything but a call of the caller’s own tool is named', () => {
  const input = { file_id: 'x' };
  assert.deepEqual(namedIn({ input }), ['file x']);
  assert.deepEqual(namedIn({ content: [{ type: 'other', input }] }), ['file x']);
  assert.deepEqual(namedIn({ content: [{ type: 'tool_use', input }] }), []);
  assert.deepEqual(namedIn({ content: [{ type: 'tool_use', other: input }] }), ['file x']);
});

test('an answer makes what its provider alone writes, on exactly the paths where it does', () => {
  const batch = { id: 'b', object: 'batch', output_file_id: 'o', error_file_id: 'e' };
  const upload = { id: 'u', object: 'upload', file: { id: 'f' } };
  const run = { id: 'r', object: 'thread.run', thread_id: 't' };
  const job = { id: 'j', object: 'fine_tuning.job', result_files: ['f1', 'f2'] };
  const table: readonly (readonly [string, string, object, string])[] = [
    ['POST', '/v1/files', { id: 'f' }, 'file f'],
    ['POST', '/upload/v1beta/files', { file: { name: 'files/g' } }, 'file g'],
    ['POST', '/v1/conversations', { conversation_id: 'c' }, 'conversation c'],
    ['GET', '/v1/batches/b', batch, 'file o,file e'],
    ['POST', '/v1/batches/b/cancel', batch, 'file o,file e'],
    ['GET', '/v1/batches/other', batch, ''],
    ['GET', '/v1/files/b/content', batch, ''],
    ['GET', '/v1/files/b', batch, ''],
    ['POST', '/v1/uploads/u/complete', upload, 'file f'],
    ['GET', '/v1/uploads/u', upload, ''],
    ['POST', '/v1/threads/runs', run, 'thread t'],
    ['GET', '/v1/threads/t/runs/r', run, ''],
    ['GET', '/v1/fine_tuning/jobs/j', job, 'file f1,file f2'],
    ['POST', '/v1/videos/v/remix', { id: 'w' }, 'video w'],
    ['GET', '/v1/videos/v', { id: 'w' }, ''],
    ['POST', '/v1/audio/speech', { id: 'x', file: { id: 'f' } }, ''],
    ['POST', '/v1/collections', { name: 'file-Console1' }, ''],
    ['POST', '/v1/images/generations', { name: 'file-Console1', id: 'x' }, ''],
    ['POST', '/v1/threads/runs', { id: 't', object: 'thread' }, 'thread t'],
  ];
  for (const [method, path, answer, expected] of table) {
    const made = madeByAnswer(method, path, { ...answer });
    assert.equal(made.map(({ kind, id }) => `${kind} ${id}`).join(), expected, `${method} ${path}`);
  }
});
