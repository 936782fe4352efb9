// Tests reading the settings: which source wins, what is refused and how, and that no problem shows a secret.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeConfig, formatConfig } from './describe.ts';
import { ConfigError, type LoadedConfig, loadConfig } from './load.ts';

type Env = Readonly<Record<string, string>>;
type Files = Readonly<Record<string, string>>;

function load(env: Env = {}, files: Files = {}, alsoKnown: readonly string[] = []): LoadedConfig {
  const readFile = (path: string) => {
    const text = files[path];
    if (text === undefined) throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
    return text;
  };
  return loadConfig(env, readFile, { hostName: 'node-a', alsoKnown });
}

function problems(env: Env, files: Files = {}): readonly string[] {
  try {
    load(env, files);
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.problems;
  }
  return [];
}

test('without any source every setting has its documented default', () => {
  const { config, origins } = load();
  assert.deepEqual(config.listen, { host: '127.0.0.1', port: 7070 });
  assert.equal(config.publicUrl, 'http://127.0.0.1:7070');
  assert.equal(config.dataDir, './.countersign');
  assert.equal(config.bodyLimitBytes, 33_554_432);
  assert.equal(config.headerLimitBytes, 32_768);
  assert.equal(config.headerTimeoutMs, 10_000);
  assert.equal(config.idleStreamTimeoutMs, 120_000);
  assert.equal(config.connectTimeoutMs, 5_000);
  assert.equal(config.drainTimeoutMs, 120_000);
  assert.equal(config.checkpointFile, '.countersign/checkpoints.log');
  assert.equal(config.nodeName, 'node-a');
  assert.equal(config.databaseUrl, undefined);
  assert.deepEqual(origins.listen, { kind: 'default' });
});

test('the URL of management is made from its address, is that of everything without one, and belongs to one', () => {
  assert.equal(load().config.managementPublicUrl, 'http://127.0.0.1:7070');
  const own = { COUNTERSIGN_PUBLIC_URL: 'https://ai.example', COUNTERSIGN_MANAGEMENT_LISTEN: '[::1]:7071' };
  assert.equal(load(own).config.managementPublicUrl, 'http://[::1]:7071');
  const every = { ...own, COUNTERSIGN_MANAGEMENT_LISTEN: '0.0.0.0:7071' };
  assert.equal(load(every).config.managementPublicUrl, 'http://127.0.0.1:7071');
  const named = { ...own, COUNTERSIGN_MANAGEMENT_PUBLIC_URL: 'https://admin.example/' };
  assert.equal(load(named).config.managementPublicUrl, 'https://admin.example');
  const [problem] = problems({ COUNTERSIGN_MANAGEMENT_PUBLIC_URL: 'https://admin.example' });
  assert.match(problem ?? '', /`managementListen`, which is not set/);
});

test('the environment wins over the file, and the file over the defaults', () => {
  const files = { 'c.json': '{"listen":"0.0.0.0:1","logLevel":"warn","trustedProxies":["10.0.0.0/8"]}' };
  const { config, origins } = load({ COUNTERSIGN_CONFIG: 'c.json', COUNTERSIGN_LISTEN: '[::1]:2' }, files);
  assert.deepEqual(config.listen, { host: '::1', port: 2 });
  assert.equal(config.logLevel, 'warn');
  assert.deepEqual(config.trustedProxies, ['10.0.0.0/8']);
  assert.deepEqual(origins.listen, { kind: 'environment', variable: 'COUNTERSIGN_LISTEN' });
  assert.deepEqual(origins.logLevel, { kind: 'file', path: 'c.json' });
});

test('lists and numbers are read from variables, and `off` switches the checkpoint file off', () => {
  const { config } = load({
    COUNTERSIGN_EGRESS_ALLOW: 'llm.internal:8080, 10.1.0.0/16',
    COUNTERSIGN_BODY_LIMIT_BYTES: '4096',
    COUNTERSIGN_CHECKPOINT_FILE: 'off',
  });
  assert.deepEqual(config.egressAllow, ['llm.internal:8080', '10.1.0.0/16']);
  assert.equal(config.bodyLimitBytes, 4096);
  assert.equal(config.checkpointFile, undefined);
});

test('an unknown variable is refused with a suggestion', () => {
  assert.deepEqual(problems({ COUNTERSIGN_LISTN: 'x' }), [
    'unknown variable `COUNTERSIGN_LISTN`; did you mean `COUNTERSIGN_LISTEN`?',
  ]);
  assert.equal(load({ COUNTERSIGN_URL: 'x' }, {}, ['COUNTERSIGN_URL']).config.logLevel, 'info');
});

test('an unknown key of the file is refused with a suggestion, prototype names too', () => {
  const files = { 'c.json': '{"lisen":"x","__proto__":1,"toString":2}' };
  const found = problems({ COUNTERSIGN_CONFIG: 'c.json' }, files);
  assert.equal(found.length, 3);
  assert.match(found[0] ?? '', /unknown setting `lisen`; did you mean `listen`\?/);
});

test('every problem is told at once, with its variable', () => {
  const found = problems({
    COUNTERSIGN_LISTEN: 'nowhere',
    COUNTERSIGN_CONNECT_TIMEOUT_MS: 'soon',
    COUNTERSIGN_TRUSTED_PROXIES: '10.0.0.0/33',
    COUNTERSIGN_EGRESS_ALLOW: 'http://x/',
    COUNTERSIGN_PUBLIC_URL: 'ftp://x',
    COUNTERSIGN_TLS_CERT_FILE: 'cert.pem',
  });
  for (const name of ['LISTEN', 'CONNECT_TIMEOUT_MS', 'TRUSTED_PROXIES', 'EGRESS_ALLOW', 'PUBLIC_URL']) {
    assert.ok(
      found.some((problem) => problem.includes(`(COUNTERSIGN_${name}): must be`)),
      `${name}: ${found.join('\n')}`,
    );
  }
});

test('a certificate without its key is refused', () => {
  assert.match(problems({ COUNTERSIGN_TLS_CERT_FILE: 'cert.pem' }).join(), /belong together/);
  const { config } = load({ COUNTERSIGN_TLS_CERT_FILE: 'c', COUNTERSIGN_TLS_KEY_FILE: 'k' });
  assert.equal(config.publicUrl, 'https://127.0.0.1:7070');
});

test('a secret is read from its variable or its file, never from the JSON file, and never from two places', () => {
  const files = {
    k: ' canary-file\n',
    'c.json': '{"masterKey":"canary-inline"}',
    'd.json': '{"masterKeyFile":"k"}',
  };
  assert.equal(load({ COUNTERSIGN_MASTER_KEY: 'a' }).config.masterKey?.reveal(), 'a');
  assert.equal(load({ COUNTERSIGN_MASTER_KEY_FILE: 'k' }, files).config.masterKey?.reveal(), 'canary-file');
  assert.equal(load({ COUNTERSIGN_CONFIG: 'd.json' }, files).config.masterKey?.reveal(), 'canary-file');
  const inline = problems({ COUNTERSIGN_CONFIG: 'c.json' }, files).join();
  assert.match(inline, /holds the secret `masterKey`; give it as `masterKeyFile`/);
  assert.ok(!inline.includes('canary'));
  const both = problems({ COUNTERSIGN_MASTER_KEY: 'canary', COUNTERSIGN_MASTER_KEY_FILE: 'k' }, files).join();
  assert.match(both, /both set/);
  assert.ok(!both.includes('canary'));
});

test('a file that is missing or is no JSON object is named, without its text', () => {
  assert.match(problems({ COUNTERSIGN_CONFIG: 'none' }).join(), /`none` cannot be read \(ENOENT\)/);
  const broken = problems({ COUNTERSIGN_CONFIG: 'b' }, { b: '{"masterKey": canary' }).join();
  assert.match(broken, /not a JSON object/);
  assert.ok(!broken.includes('canary'));
});

test('the printed settings show origins and mask secrets', () => {
  const loaded = load({ DATABASE_URL: 'postgres://u:canary@h/d', COUNTERSIGN_LISTEN: '0.0.0.0:1' });
  const text = formatConfig(describeConfig(loaded));
  assert.match(text, /^listen +0\.0\.0\.0:1 +\(environment COUNTERSIGN_LISTEN\)$/m);
  assert.match(text, /^databaseUrl +\[secret\] +\(environment DATABASE_URL\)$/m);
  assert.match(text, /^masterKey +- +\(not set\)$/m);
  assert.match(text, /^publicUrl +\S+ +\(derived\)$/m);
  assert.ok(!text.includes('canary'));
  assert.ok(!JSON.stringify(loaded).includes('canary'));
});
