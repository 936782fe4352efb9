// Owns the claims about the flags of a start.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readFlags } from './flags.ts';

test('flags stand for their variables, in either spelling', () => {
  assert.deepEqual(readFlags(['--listen', '127.0.0.1:1', '--data-dir=/d', '--config', 'c.json']), {
    kind: 'start',
    env: {
      COUNTERSIGN_LISTEN: '127.0.0.1:1',
      COUNTERSIGN_DATA_DIR: '/d',
      COUNTERSIGN_CONFIG: 'c.json',
    },
    json: false,
  });
  assert.deepEqual(readFlags([]), { kind: 'start', env: {}, json: false });
  assert.deepEqual(readFlags(['--json']), { kind: 'start', env: {}, json: true });
  assert.deepEqual(readFlags(['--listen', 'x', '-h']), { kind: 'help' });
});

test('a word that is no flag, or a flag without its value, starts nothing', () => {
  for (const [words, named] of [
    [['--port', '7071'], '--port'],
    [['--listen'], '--listen'],
    [['--listen', '--config', 'x'], '--listen'],
    [['7071'], '7071'],
    [['--help=no'], '--help'],
  ] as const) {
    const read = readFlags(words);
    assert.ok(read.kind === 'refused', JSON.stringify(words));
    assert.ok(read.why.includes(`\`${named}`), read.why);
    assert.match(read.why, /--listen, --public-url, --data-dir, --config, --json and --help$/);
  }
});
