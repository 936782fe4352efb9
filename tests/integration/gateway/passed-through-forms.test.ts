// Claims about bodies that are passed through: read so strictly that nobody reads others, and in no time.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import OpenAI, { toFile } from 'openai';
import { codeOf, type Person, startGateway, type TestGateway } from '../../support/gateway.ts';
import { createPassing } from '../../support/passing.ts';

let running: TestGateway;
let bob: Person;
let carol: Person;
before(async () => {
  running = await startGateway();
  bob = await running.person('bob');
  carol = await running.person('carol');
  await running.publish('@id("all") permit (principal, action, resource);');
});
after(async () => {
  await running.stop();
});

const { pass, upload, assertForeign } = createPassing(() => running);

test('what stands in a list, a form or a pair that is repeated is found as well', async () => {
  const file = await upload(bob.key);
  const sent = running.provider.dispatched();
  const form = `--x\r\ncontent-disposition: form-data; name="file_id"\r\n\r\n${file}\r\n--x--`;
  for (const body of [[{ file_id: file }], form])
    await assertForeign(await pass(carol.key, 'POST', '/v1/containers', body), sent, JSON.stringify(body));
  const own = await upload(carol.key);
  for (const query of [
    `file_id=${file}&file_id=${own}`,
    `file_id=${file}&file_id=`,
    `file_ids[]=${file}&file_ids[]=${own}`,
    `a=1;FILE_ID=${file}`,
  ]) {
    const before = running.provider.dispatched();
    const answer = await pass(carol.key, 'POST', `/v1/rerank?${query}`, { query: 'x' });
    await assertForeign(answer, before, query);
  }
});

test('a form that another reader might take for another one is refused', async () => {
  const file = await upload(bob.key);
  const sent = running.provider.dispatched();
  const part = (head: string, value: string = file) => `--x\r\n${head}\r\n\r\n${value}\r\n`;
  const plain = part('content-disposition: form-data; name="file_id"');
  const dummy = part('content-disposition: form-data; name="a"', 'b');
  const forms: readonly (readonly [string, string])[] = [
    ['x', part(`content-disposition: form-data; name="file_id"\r\ny: ${'z'.repeat(3_000)}`)],
    ['x', part('content-disposition: form-data; name="file_id"', file + ' '.repeat(5_000))],
    ['x', dummy.repeat(1_001) + plain],
    ['x', part('content-disposition: form-data; name="file_id"; x="; filename=y"')],
    ['x', plain.replaceAll('\r\n', '\n')],
    ['x', part('content-disposition: form-data; name="file_id"; filename=""')],
    ['x', part('content-disposition: form-data; q="; name=zz"; name="model"', 'm')],
    [
      'x',
      part('content-disposition: form-data; name="a"\r\ncontent-type: application/json', '{"file_id":"f"}'),
    ],
    ['x', part('content-disposition: form-data; name="a"\r\ncontent-disposition: form-data; name="file_id"')],
    [
      'x',
      part('content-disposition: form-data; name="a"\r\ncontent-disposition : form-data; name="file_id"'),
    ],
    ['x', `${dummy}--x--\r\n${plain}`],
    ['x', `${plain}--y--`],
    ['"x\\"', plain],
    ['x; charset="; boundary=y"', plain],
  ];
  for (const [boundary, form] of forms) {
    const headers = ['content-type', `multipart/form-data; boundary=${boundary}`];
    const body = form.endsWith('--y--') ? form : `${form}--x--\r\n`;
    const answer = await running.call({ key: carol.key, path: '/providers/fake/v1/x', headers, body });
    assert.deepEqual(
      [answer.status, codeOf(answer)],
      [400, 'invalid_request'],
      `${boundary} ${form.slice(0, 90)}`,
    );
  }
  assert.equal(running.provider.dispatched(), sent);
});

test('forms of the official client pass: a transcription, an upload, an edit of an image', async () => {
  const client = new OpenAI({ apiKey: bob.key, baseURL: `${running.url}/providers/fake/v1`, maxRetries: 0 });
  const bytes = (name: string) => toFile(Buffer.from('bytes'), name);
  running.provider.answer((_asked, response) => {
    response
      .writeHead(200, { 'content-type': 'application/json' })
      .end('{"id":"file-FromClient1","text":"hi"}');
  });
  const sent = running.provider.dispatched();
  await client.audio.transcriptions.create({ model: 'm', file: await bytes('a.wav') });
  await client.files.create({ purpose: 'batch', file: await bytes('a.jsonl') });
  await client.images.edit({
    model: 'm',
    image: [await bytes('a.png'), await bytes('b.png')],
    prompt: 'a cat',
  });
  running.provider.answer();
  assert.equal(running.provider.dispatched(), sent + 3);
});

test('nothing that a caller sends takes long to read', async () => {
  await running.publish('@id("none") forbid (principal, action, resource);');
  const brackets = `${'['.repeat(100_000)}\n`;
  const form = 'application/x-www-form-urlencoded';
  const slow = `--x\r\ncontent-type:${' '.repeat(1_900)}\r\ncontent-disposition: form-data; name="a"\r\n\r\nb\r\n`;
  const hostile: readonly (readonly [string, string, string])[] = [
    ['application/json', JSON.stringify({ [brackets]: 'v' }), ''],
    [form, 'a&'.repeat(1_000_000), ''],
    [form, `file_id=${'1,'.repeat(30_000)}`, ''],
    ['application/json', JSON.stringify({ file_id: '0,'.repeat(1_000_000) }), ''],
    ['application/json', '{}', `?${'a&'.repeat(6_000)}`],
    ['multipart/form-data; boundary=x', '--x\r\n'.repeat(200_000), ''],
    ['multipart/form-data; boundary=x', `${slow.repeat(900)}--y`, ''],
  ];
  for (const [type, body, query] of hostile) {
    const started = performance.now();
    const headers = ['content-type', type];
    const answer = await running.call({ key: bob.key, path: `/providers/fake/v1/x${query}`, headers, body });
    assert.ok(answer.status >= 400 && answer.status < 500, `${answer.status} ${answer.text}`);
    const tookMs = performance.now() - started;
    assert.ok(tookMs < 4_000, `${type}, ${body.length} bytes: ${tookMs} ms`);
  }
  await running.publish('@id("all") permit (principal, action, resource);');
});

test('a body that two may read in two ways is refused', async () => {
  const sent = running.provider.dispatched();
  const json = { file_id: 'file-Never1' };
  for (const [method, body] of [
    ['POST', Buffer.from(`\ufeff${JSON.stringify(json)}`)],
    ['POST', Buffer.from(JSON.stringify(json), 'utf16le')],
    ['GET', Buffer.from('{"model":"m"}')],
    ['DELETE', Buffer.from('{"model":"m"}')],
  ] as const) {
    const headers = ['content-type', 'application/json'];
    const answer = await running.call({ key: bob.key, method, path: '/providers/fake/v1/x', headers, body });
    assert.deepEqual([answer.status, codeOf(answer)], [400, 'invalid_request'], `${method} ${body}`);
  }
  assert.equal(running.provider.dispatched(), sent);
});
