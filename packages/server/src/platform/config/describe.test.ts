// Tests that the settings' reference page is the schema's, and that showing settings shows no secret.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { configReference, describeConfig, formatConfig } from './describe.ts';
import { loadConfig } from './load.ts';

const page = new URL('../../../../../docs/reference/configuration.md', import.meta.url);

test('docs/reference/configuration.md is what the schema says', () => {
  assert.ok(
    readFileSync(page, 'utf8') === configReference(),
    'the page is old: write `configReference()` to it',
  );
});

test('a secret setting is shown as a secret, and where it came from is said', () => {
  const canary = 'postgres://app:canary-of-the-database@db.example.com/countersign';
  const env = { DATABASE_URL: canary, COUNTERSIGN_MASTER_KEY: Buffer.alloc(32, 7).toString('base64') };
  const settings = describeConfig(loadConfig(env, () => ''));
  const text = `${formatConfig(settings)}${JSON.stringify(settings)}`;
  assert.ok(!text.includes('canary-of-the-database'));
  assert.ok(!text.includes(env.COUNTERSIGN_MASTER_KEY));
  const url = settings.find(({ key }) => key === 'databaseUrl');
  assert.deepEqual([url?.value, url?.origin], ['[secret]', 'environment DATABASE_URL']);
});
