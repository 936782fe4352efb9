// Checks that a large answer is read as a small one is, and that none holds up the others, whatever it is made of.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { noUsage } from '../metering/usage.ts';
import { createAnswerBody, createAnswerReader, readAnswer } from './answer.ts';
import { chunk, decodeUtf8, estimates, follow, sse } from './answer-streams.support.ts';
import type { EndpointId } from './endpoints.ts';
import { madeByAnswer } from './kept-paths.ts';
import { createSseReader, maxSseEventBytes } from './sse.ts';
import type { AnswerReport } from './usage-types.ts';

const encode = (text: string) => new TextEncoder().encode(text);

/** Reads an answer in pieces, all of it skimmed. */
function skimmed(endpoint: EndpointId, text: string, size: number) {
  const bytes = encode(text);
  const body = createAnswerBody(endpoint, decodeUtf8, 0);
  for (let at = 0; at < bytes.length; at += size) assert.ok(body.push(bytes.subarray(at, at + size)));
  return body.report(estimates);
}

const names = [
  ...['id', 'object', 'type', 'model', 'service_tier', 'usage', 'x_groq', 'error', 'choices', 'message'],
  ...['audio', 'output', 'outputs', 'content', 'annotations', 'container', 'container_id', 'conversation'],
  ...['file', 'files', 'file_id', 'name', 'result_files', 'thread_id', 'output_file_id', 'text', 'logprobs'],
  ...['prompt_tokens', 'completion_tokens', 'cached_tokens', 'embedding', 'a name that nobody reads'],
];
const texts = [
  ...['', 'msg_1', 'response', 'message', 'container_file_citation', 'code_interpreter_call', 'file_path'],
  ...['"', '\\', '\\"', '{"id":"x"}', ']}', 'é中😀', '\u0000', 'x'.repeat(3_000), `${'\\'.repeat(30)}"`],
];
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom(...texts),
    fc.constantFrom(null, true, 0, 7, 1.5, -3e20),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.constantFrom(...names), tie('value'), { maxKeys: 6 }),
  ),
}));
const root = fc.dictionary(fc.constantFrom(...names), value, { minKeys: 1, maxKeys: 12 });
/** No id, tier or model is longer than a skim keeps. */
const short = (text: string | undefined) => ((text ?? '').length > 2_048 ? '' : (text ?? ''));
const escaped = (json: string) =>
  json.replaceAll('"id":', '"\\u0069d":').replaceAll('"usage":', '"us\\u0061ge" :').replaceAll(',', ',\n ');

test('a skimmed answer says what a parsed one says, however it is cut and spelled', () => {
  fc.assert(
    fc.property(root, fc.integer({ min: 1, max: 50 }), fc.boolean(), (answer, size, isOdd) => {
      const plain = JSON.stringify(answer);
      const json = isOdd ? escaped(plain) : plain;
      for (const endpoint of ['chat', 'responses', 'passthrough', 'embeddings'] as const) {
        const one = readAnswer(endpoint, json, estimates);
        const other = skimmed(endpoint, json, size);
        assert.deepEqual(other.createdState, one.createdState);
        const said = ({ ending, responseId, modes, servedModel }: AnswerReport) =>
          JSON.stringify([ending, ...[responseId, modes.serviceTier, servedModel].map(short)]);
        assert.equal(said(other), said(one));
        if (!one.estimated && !other.estimated) assert.deepEqual(other.usage, one.usage);
        for (const path of ['/v1/files', '/v1/batches/msg_1', '/v1/threads/runs'])
          assert.deepEqual(
            madeByAnswer('POST', path, other.passed ?? {}).filter(({ id }) => id.length < 300),
            madeByAnswer('POST', path, one.passed ?? {}).filter(({ id }) => id.length < 300),
          );
      }
    }),
    { numRuns: 500 },
  );
});

test('a skimmed answer of vectors has its usage, wherever that stands, and is cut wherever its JSON is', () => {
  const data = [{ object: 'embedding', index: 0, embedding: [0.125, -1e-7, 3] }];
  const usage = { prompt_tokens: 7, total_tokens: 7, cost: { currency: 'USD' } };
  for (const answer of [
    { object: 'list', data, model: 'm', usage },
    { usage, object: 'list', data },
  ]) {
    const json = JSON.stringify(answer);
    for (const size of [1, 3, 1_000]) {
      const report = skimmed('embeddings', ` ${json}\n`, size);
      assert.deepEqual(
        [report.ending, report.estimated, report.usage],
        ['whole', false, { ...noUsage, input: 7 }],
      );
      for (let end = 0; end < json.length; end += 1)
        assert.equal(skimmed('embeddings', json.slice(0, end), size).ending, 'cut');
      for (const more of ['x', '}', json])
        assert.equal(skimmed('embeddings', json + more, size).ending, 'cut');
    }
  }
  for (const text of [
    '<html>',
    'null',
    '[]',
    '"ok"',
    '{"id" 1}',
    '{"id":}',
    '{"id":1,}',
    '{"usage":[1,]}',
    '[}',
  ])
    assert.equal(skimmed('chat', text, 2).ending, 'cut', text);
  for (const text of ['12', '[{"id":1}]', '"ok"', 'null'])
    assert.equal(skimmed('passthrough', text, 2).ending, 'whole', text);
});

/** What the work takes of a processor, in ms, whoever else is at work. */
function busy(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}
const mostMs = 400;

/** The longest that one step took, and what came of it. */
function timed(endpoint: EndpointId, text: string) {
  const bytes = encode(text);
  const body = createAnswerBody(endpoint, decodeUtf8);
  let longest = 0;
  let isTaken = true;
  for (let at = 0; at < bytes.length && isTaken; at += 65_536) {
    const took = busy(() => {
      isTaken = body.push(bytes.subarray(at, at + 65_536));
    });
    longest = Math.max(longest, took);
  }
  longest = Math.max(
    longest,
    busy(() => void body.report(estimates)),
  );
  return { longest, isTaken, report: body.report(estimates) };
}

test('no answer takes long to read, and one of too many values where ids stand is refused', () => {
  const tail = '"usage":{"prompt_tokens":7,"completion_tokens":3,"total_tokens":10}}';
  const megabyte = (piece: string) => piece.repeat(Math.ceil(1_000_000 / piece.length));
  const vectors = `${megabyte('-0.012345678,').repeat(10)}1`;
  for (const [endpoint, text, isTaken, input] of [
    ['embeddings', `{"data":[{"embedding":[${vectors}]}],${tail}`, true, 7],
    ['chat', `{"choices":[${megabyte('{},').repeat(30)}{}],${tail}`, false, 0],
    ['chat', `{"choices":[{"a":${'['.repeat(4e6)}${']'.repeat(4e6)}}],${tail}`, true, 7],
    ['chat', `{"choices":${'['.repeat(4e6)}${']'.repeat(4e6)},${tail}`, true, 7],
    ['chat', `{"choices":[{"logprobs":[${megabyte('{"t":"a"},').repeat(8)}0]}],${tail}`, true, 7],
    ['chat', `{"choices":[{"message":{"content":"${megabyte('\\u4e2d\\"').repeat(8)}"}}],${tail}`, true, 7],
    ['chat', `{${megabyte('"a":1,').repeat(8)}${tail}`, true, 7],
    ['chat', `{"usage":[${megabyte('1,').repeat(4)}1]}`, false, 0],
    ['passthrough', `{"content":[${megabyte('{},').repeat(8)}{}],${tail}`, true, 40],
  ] as const) {
    const read = timed(endpoint, text);
    const name = text.slice(0, 40);
    assert.equal(read.isTaken, isTaken, name);
    assert.ok(read.longest < mostMs, `${name}: ${read.longest} ms`);
    if (isTaken) assert.deepEqual([read.report.ending, read.report.usage.input], ['whole', input], name);
  }
});

test('one huge event of a stream does not take long either, and is read for its end and its ids', () => {
  const room = maxSseEventBytes - 2_000;
  const filled = (piece: string, last: string) => piece.repeat(Math.floor(room / piece.length)) + last;
  const output = `[{"id":"msg_1","type":"message","content":[{"text":"${filled('word ', '')}"}]}]`;
  const usage = '{"input_tokens":5,"output_tokens":9}';
  const completed = `{"type":"response.completed","response":{"id":"resp_1","object":"response","output":${output},"usage":${usage}}}`;
  const { report, passed } = follow('responses', `event: response.completed\ndata: ${completed}\n\n`);
  assert.deepEqual([report.ending, report.usage.output, passed], ['whole', 9, '']);
  assert.deepEqual(
    report.createdState.map(({ id }) => id),
    ['resp_1', 'msg_1'],
  );
  const open = sse(chunk('a', null));
  for (const [data, ending, holds] of [
    [`{"choices":${filled('[', '')}`, 'cut', false],
    [`{"choices":[${filled('{},', '{}')}]}`, 'cut', true],
    [`{"choices":[${filled('{"delta":{"content":"a"}},', '{"finish_reason":"stop"}')}]}`, 'cut', true],
    [`{${filled('"a":1,', '"choices":[{"finish_reason":"stop"}]}')}`, 'whole', true],
    [`{"choices":[{"finish_reason":"stop"}],"x":[${filled('1,', '1')}]}`, 'whole', true],
  ] as const) {
    const bytes = encode(`${open}data: ${data}\n\n`);
    const batch = createSseReader(decodeUtf8).push(bytes);
    const answer = createAnswerReader('chat', 1, decodeUtf8);
    let passable = -1;
    const took = busy(() => {
      passable = answer.read(batch);
    });
    assert.ok(took < mostMs, `${data.slice(0, 40)}: ${took} ms`);
    assert.deepEqual(
      [answer.ending(), passable],
      [ending, holds ? open.length : bytes.length],
      data.slice(0, 40),
    );
  }
});
