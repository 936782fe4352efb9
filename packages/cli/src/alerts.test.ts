// Tests how alerts and the beginning of a log are told: by what happened and to what, not as somebody's deed.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { signSample } from '@countersign/sdk/replay/sample-export';
import { logText, makeLog } from '@countersign/sdk/replay/sample-log';
import { serveContract } from './contract-server.ts';
import { runCli } from './run-cli.ts';

const log = makeLog();
const [first] = log.entries;
const system = { id: 'system', kind: 'system' };
const alerts = [
  {
    alert: { kind: 'budget_warning', budget: 'bud_1', limit_nanos: 5e9, used_nanos: 4e9, percent: 80 },
    name: 'research-month',
    told: /^alert of the gateway at \S+: budget research-month \(bud_1\) has reached the share of its limit at which it warns: 4\.00 of 5\.00 USD are used \(80 %\)\.\nproof: /,
  },
  {
    alert: { kind: 'budget_exhausted', budget: 'bud_1', limit_nanos: 5e9, used_nanos: 5e9, percent: 100 },
    name: undefined,
    told: /: budget bud_1 has reached its limit: 5\.00 of 5\.00 USD are used \(100 %\)\.\n/,
  },
  {
    alert: { kind: 'log_altered', origin: 'gateway.example/org_1', finding: 'entry_altered', index: 17 },
    name: undefined,
    told: /: the log gateway\.example\/org_1 is not what was signed \(entry_altered at entry 17\): somebody changed the store, or its disk failed\. Keep the store as it is, and compare its log with an earlier export\.\n/,
  },
  {
    alert: { kind: 'unknown_price', model: 'mdl_1' },
    name: 'unpriced',
    told: /: no table prices model unpriced \(mdl_1\): it is charged at the organization's default until it is given a price\.\n/,
  },
] as const;

function aboutOf(alert: (typeof alerts)[number]['alert']): string {
  if (alert.kind === 'log_altered') return alert.origin;
  return alert.kind === 'unknown_price' ? alert.model : alert.budget;
}

for (const { alert, name, told } of alerts) {
  test(`records and who tell of ${alert.kind}`, async (t) => {
    const common = Object(first);
    const entry = logText({
      ...{ v: 1, id: common.id, log: common.log, ts: common.ts, node: common.node, boot: common.boot },
      ...{ sv: common.sv, type: 'alert', actor: system, alert },
    });
    const signed = signSample([entry]);
    const about = aboutOf(alert);
    const view = {
      ...{ id: common.id, index: 0, at: common.ts, type: 'alert', event: alert.kind },
      ...{ actor: { ...system, agents: [] }, teams: [], rules: [], labels: [], entries: [] },
      alert: { kind: alert.kind, about, ...(name === undefined ? {} : { aboutName: name }) },
    };
    const server = await serveContract({
      'record.get': () => view,
      'record.list': () => ({ items: [view] }),
      'record.proof': () => ({ index: 0, entry, proof: signed.receipt(0), verifierKey: signed.vkey }),
    });
    t.after(server.close);
    const env = { COUNTERSIGN_URL: server.url, COUNTERSIGN_KEY: 'k' };
    const who = await runCli(['who', common.id, '--vkey', signed.vkey], env);
    assert.equal(who.code, 0, who.err);
    assert.match(who.out, told);
    const listed = await runCli(['records', '--type', 'alert'], env);
    assert.match(listed.out, new RegExp(` ${alert.kind} of ${name ?? about} +system$`, 'm'));
    const csv = await runCli(['records', '--csv'], env);
    assert.match(
      csv.out,
      new RegExp(`,alert,system,[^\\r]*,${alert.kind},${alert.kind},${about},${name ?? ''},`),
    );
  });
}

test('who tells which log the beginning of a continued one goes on from', async (t) => {
  const held = signSample(log.entries.map(logText)).checkpoint;
  const [origin, size] = held.split('\n');
  const common = Object(first);
  const entry = logText({ ...common, opened: { ...common.opened, previous: held } });
  const signed = signSample([entry]);
  const view = {
    ...{ id: common.id, index: 0, at: common.ts, type: 'log_opened' },
    ...{ actor: { ...system, agents: [] }, teams: [], rules: [], labels: [], entries: [] },
  };
  const server = await serveContract({
    'record.get': () => view,
    'record.proof': () => ({ index: 0, entry, proof: signed.receipt(0), verifierKey: signed.vkey }),
  });
  t.after(server.close);
  const who = await runCli(['who', common.id], { COUNTERSIGN_URL: server.url, COUNTERSIGN_KEY: 'k' });
  assert.equal(who.code, 0, who.err);
  assert.ok(
    who.out.includes(
      `, and continues ${origin} after a restore: the last checkpoint held of that has ${size} entries.\n`,
    ),
    who.out,
  );
});
