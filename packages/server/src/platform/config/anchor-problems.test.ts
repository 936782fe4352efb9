// Tests the settings of pushed checkpoints: what cannot be is refused in one sentence, and the token is shown nowhere.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeConfig, formatConfig } from './describe.ts';
import { ConfigError, loadConfig } from './load.ts';
import { readSyslogUrl } from './syslog-url.ts';

type Env = Readonly<Record<string, string>>;

const named = (env: Env): Env =>
  Object.fromEntries(Object.entries(env).map(([name, value]) => [`COUNTERSIGN_${name}`, value]));
const load = (env: Env, readFile: (path: string) => string = () => '') => loadConfig(named(env), readFile);

function problems(env: Env): readonly string[] {
  try {
    load(env);
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.problems;
  }
  return [];
}

test('an address of a syslog receiver is read with its port, or with the one of its transport', () => {
  const read = (text: string) => {
    const place = readSyslogUrl(text);
    return place === undefined ? undefined : `${place.transport} ${place.host} ${place.port}`;
  };
  assert.equal(read('udp://logs.example.com'), 'udp logs.example.com 514');
  assert.equal(read('tcp://10.0.0.5/'), 'tcp 10.0.0.5 601');
  assert.equal(read('tls://[2001:db8::1]'), 'tls [2001:db8::1] 6514');
  assert.equal(read('tls://logs.example.com:7000'), 'tls logs.example.com 7000');
  const wrong = ['logs.example.com', 'unix:///dev/log', 'udp://', 'udp://a:0', 'udp://a:70000', 'udp://a/b'];
  for (const text of [...wrong, 'tcp://u:p@a', 'tcp://2130706433', 'tls://[::1', 'tls://a:1?x', 'TLS://a']) {
    assert.equal(read(text), undefined, text);
  }
});

test('a webhook is an http or https URL without credentials, and a token belongs to one', () => {
  assert.deepEqual(problems({ CHECKPOINT_WEBHOOK: 'https://anchors.example.com/in?project=7' }), []);
  for (const url of [
    'anchors.example.com',
    'ftp://a.example',
    'https://u:p@a.example/',
    'https://a.example/#x',
  ]) {
    assert.deepEqual(problems({ CHECKPOINT_WEBHOOK: url }), [
      '`checkpointWebhook` (COUNTERSIGN_CHECKPOINT_WEBHOOK): must be an https URL without credentials or a fragment',
    ]);
  }
  assert.deepEqual(problems({ CHECKPOINT_WEBHOOK_TOKEN: 'canary' }), [
    '`checkpointWebhookToken` is of `checkpointWebhook`, which is not set; set it too, or remove this',
  ]);
  const [problem = '', ...rest] = problems({
    CHECKPOINT_WEBHOOK: 'https://a.example',
    CHECKPOINT_WEBHOOK_TOKEN: 'canary\r\nx-more: 1',
  });
  assert.deepEqual(rest, []);
  assert.match(
    problem,
    /^`checkpointWebhookToken` \(COUNTERSIGN_CHECKPOINT_WEBHOOK_TOKEN\): must be letters/,
  );
  assert.ok(!problem.includes('canary'));
});

test('a receiver that no answer of a name server could make reachable is refused at the start', () => {
  const webhook = (url: string, allow = ''): readonly string[] =>
    problems({ CHECKPOINT_WEBHOOK: url, EGRESS_ALLOW: allow });
  const syslog = (url: string, allow = ''): readonly string[] =>
    problems({ CHECKPOINT_SYSLOG: url, EGRESS_ALLOW: allow });
  const isPrivate =
    /^`checkpoint\w+`: `\S+` is not on the public internet; list it in COUNTERSIGN_EGRESS_ALLOW$/;
  const isPlain = /^`checkpoint\w+`: `\S+` may not be reached without TLS; use (https|tls), or list it in/;

  assert.match(webhook('https://10.0.0.5/').join(), isPrivate);
  assert.match(webhook('https://169.254.169.254/', '169.254.0.0/16').join(), isPrivate);
  assert.match(webhook('http://anchors.example.com/').join(), isPlain);
  assert.match(webhook('http://anchors.example.com/', 'other.internal').join(), isPlain);
  assert.match(webhook('http://anchors.example.com/', 'anchors.example.com:81').join(), isPlain);
  assert.match(syslog('tls://192.168.1.1').join(), isPrivate);
  assert.match(syslog('udp://logs.internal').join(), isPlain);
  assert.match(syslog('tcp://8.8.8.8').join(), isPlain);

  for (const allow of ['anchors.example.com', 'anchors.example.com:80', '10.0.0.0/8']) {
    assert.deepEqual(webhook('http://anchors.example.com/', allow), [], allow);
  }
  assert.deepEqual(webhook('https://10.0.0.5:8443/', '10.0.0.5:8443'), []);
  assert.deepEqual(syslog('udp://logs.internal', 'logs.internal:514'), []);
  assert.deepEqual(syslog('tls://logs.example.com'), []);
});

test('the token of the webhook comes from its variable or a file, and is shown as a secret', () => {
  const CHECKPOINT_WEBHOOK = 'https://anchors.example.com/in';
  const inVariable = load({ CHECKPOINT_WEBHOOK, CHECKPOINT_WEBHOOK_TOKEN: 'canary-token' });
  const inFile = load({ CHECKPOINT_WEBHOOK, CHECKPOINT_WEBHOOK_TOKEN_FILE: 'f' }, () => 'canary-token\n');
  for (const loaded of [inVariable, inFile]) {
    assert.equal(loaded.config.checkpointWebhookToken?.reveal(), 'canary-token');
    const settings = describeConfig(loaded);
    const text = `${formatConfig(settings)}${JSON.stringify(settings)}`;
    assert.ok(!text.includes('canary-token'));
    assert.match(text, /checkpointWebhookToken +\[secret\]/);
    assert.ok(text.includes(CHECKPOINT_WEBHOOK));
  }
});
