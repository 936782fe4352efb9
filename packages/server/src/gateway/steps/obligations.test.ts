// Claims about redaction: whatever is found is cut where it stands, or the call is refused.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseInferenceRequest } from '@countersign/core/dialects/inference-request';
import { defaultParseLimits } from '@countersign/core/dialects/request-types';
import { AppError } from '@countersign/core/errors';
import { fulfil, utf8 } from './obligations.ts';

const labels = ['payment_card', 'us_ssn', 'email'];
const endpoint = {
  id: 'messages',
  dialect: 'anthropic',
  providerPath: '/v1/messages',
  provider: undefined,
  objectId: undefined,
} as const;

/** The content of the one message as it leaves; undefined where the call is refused. */
function leaving(content: string): string | undefined {
  const body = utf8.encodeUtf8(
    `{"model":"c","max_tokens":5,"messages":[{"role":"assistant","content":[${content}]}]}`,
  );
  const request = parseInferenceRequest(endpoint, body, {
    decodeUtf8: utf8.decodeUtf8,
    limits: defaultParseLimits,
  });
  assert.ok(request.kind === 'request', JSON.stringify(request));
  const asked = { redact: labels, content: undefined, model: undefined, maxTokens: undefined };
  const made = fulfil(request, body, 'c', asked, undefined);
  if (made instanceof AppError) return undefined;
  const [, left = ''] = utf8.decodeUtf8(made.bytes).split('"content":[');
  return left.slice(0, -'}]}'.length - 1);
}
const call = (input: string) => `{"type":"tool_use","id":"t","name":"n","input":{${input}}}`;

/** Found in the string alone: in the JSON around it each quotation mark takes two characters, too many for a word to reach. */
const decoy = `"note":"ssn ${'\\"'.repeat(25)} 123456789"`;

test('what can be cut is cut, in the strings of arguments too', () => {
  assert.equal(leaving(call('"to":"a@b.example","n":7')), call('"to":"[email]","n":7'));
  assert.equal(leaving(call(decoy)), call(decoy.replace('123456789', '[us_ssn]')));
});

test('a finding in a string stands in for none in a name, in a number, or in a member whose name hides another', () => {
  for (const kept of [
    '"4111 1111 1111 1111":1',
    '"card":4111111111111111',
    '"a":"a@b.example","a\\u0001":"x"',
  ]) {
    assert.equal(leaving(call(kept)), undefined, kept);
    assert.equal(leaving(call(`${kept},${decoy}`)), undefined, kept);
  }
});

test('a tool that joins within a compaction is cut where it stands, once, whatever stands beside it', () => {
  const part = (text: string, beside = '') =>
    `{"type":"compaction","content":"x"${beside},"tool_changes":[{"type":"tool_addition","tool":{"name":"n","description":"${text}"}}]}`;
  assert.equal(leaving(part('a@b.example')), part('[email]'));
  const tool = (text: string) => `,"tool":{"description":"${text}"}`;
  assert.equal(leaving(part('a@b.example', tool('a@b.example'))), part('[email]', tool('[email]')));
});
