// Owns the claims about counting and about the text that scrapers read.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createRegistry } from './registry.ts';

/** Reads labels back from a rendered line, as a scraper does. */
function parseLabels(line: string): ReadonlyMap<string, string> {
  const body = /^[a-zA-Z_:][\w:]*\{(.*)\} \S+$/s.exec(line)?.[1] ?? '';
  const labels = new Map<string, string>();
  for (const [, name = '', value = ''] of body.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"(?:,|$)/gs)) {
    labels.set(
      name,
      value.replace(/\\(.)/gs, (_, escaped) => (escaped === 'n' ? '\n' : escaped)),
    );
  }
  return labels;
}

test('a registry renders as the text format says', () => {
  const registry = createRegistry();
  const requests = registry.counter({
    name: 'requests_total',
    help: 'Requests by outcome\nand \\ route',
    labels: ['outcome', 'route'],
  });
  const open = registry.gauge({ name: 'open_streams', help: 'Open streams' }).with({});
  const seconds = registry.histogram({ name: 'seconds', help: 'Time', labels: ['route'], buckets: [0.1, 1] });
  registry.observed({ name: 'heap_bytes', help: 'Heap', read: () => 12.5 });
  requests.with({ outcome: 'allow', route: '/v1' }).inc();
  requests.with({ route: '/v1', outcome: 'allow' }).inc(2);
  requests.with({ outcome: 'a "b"\\\n', route: '' }).inc();
  open.set(5);
  open.inc();
  open.dec(2);
  for (const value of [0.05, 0.1, 0.5, 7]) seconds.with({ route: 'x' }).observe(value);
  assert.equal(
    registry.render(),
    `# HELP requests_total Requests by outcome\\nand \\\\ route
# TYPE requests_total counter
requests_total{outcome="allow",route="/v1"} 3
requests_total{outcome="a \\"b\\"\\\\\\n",route=""} 1
# HELP open_streams Open streams
# TYPE open_streams gauge
open_streams 4
# HELP seconds Time
# TYPE seconds histogram
seconds_bucket{route="x",le="0.1"} 2
seconds_bucket{route="x",le="1"} 3
seconds_bucket{route="x",le="+Inf"} 4
seconds_sum{route="x"} 7.65
seconds_count{route="x"} 4
# HELP heap_bytes Heap
# TYPE heap_bytes gauge
heap_bytes 12.5
`,
  );
});

test('whatever a label holds, it is read back and forges no line', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (a, b) => {
      const registry = createRegistry();
      registry
        .counter({ name: 'n', help: 'h', labels: ['a', 'b'] })
        .with({ a, b })
        .inc();
      const lines = registry.render().split('\n');
      assert.equal(lines.length, 4);
      const labels = parseLabels(lines[2] ?? '');
      assert.deepEqual([labels.get('a'), labels.get('b')], [a.toWellFormed(), b.toWellFormed()]);
    }),
  );
});

test('different label values never share a child below the bound', () => {
  const value = fc.string({ unit: fc.constantFrom('a', ':', '1', '2', ',', '"', '\u0000') });
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.tuple(value, value), { selector: (pair) => JSON.stringify(pair) }),
      (pairs) => {
        const registry = createRegistry();
        const family = registry.counter({ name: 'n', help: 'h', labels: ['a', 'b'] });
        const children = new Set(pairs.map(([a, b]) => family.with({ a, b })));
        assert.equal(children.size, pairs.length);
      },
    ),
  );
  const family = createRegistry().counter({ name: 'n', help: 'h', labels: ['a', 'b'] });
  assert.notEqual(family.with({ a: 'x:', b: 'y' }), family.with({ a: 'x', b: ':y' }));
  assert.notEqual(family.with({ a: 'x', b: '1:y' }), family.with({ a: 'x1:', b: 'y' }));
});

test('past the bound new combinations count as `other`, and known ones stay', () => {
  const registry = createRegistry();
  const family = registry.counter({ name: 'n', help: 'h', labels: ['model'], mostChildren: 3 });
  const first = family.with({ model: 'm0' });
  for (let i = 0; i < 10_000; i += 1) family.with({ model: `m${i}` }).inc();
  assert.equal(family.with({ model: 'm0' }), first);
  const lines = registry.render().trimEnd().split('\n').slice(2);
  assert.deepEqual(lines, ['n{model="m0"} 1', 'n{model="m1"} 1', 'n{model="m2"} 1', 'n{model="other"} 9997']);
});

test('a counter does not fall, a histogram leaves out what is no number', () => {
  const registry = createRegistry();
  const counter = registry.counter({ name: 'n', help: 'h' }).with({});
  for (const amount of [-1, Number.NaN, Number.POSITIVE_INFINITY]) {
    assert.throws(() => counter.inc(amount), RangeError);
  }
  counter.inc(0);
  const histogram = registry.histogram({ name: 's', help: 'h', buckets: [1] }).with({});
  histogram.observe(Number.NaN);
  assert.match(registry.render(), /^n 0$[\s\S]*^s_bucket\{le="\+Inf"\} 0$[\s\S]*^s_sum 0$/m);
});

test('names that scrapers refuse, and names taken twice, stop the start', () => {
  const registry = createRegistry();
  registry.counter({ name: 'n', help: 'h' });
  assert.throws(() => registry.gauge({ name: 'n', help: 'h' }), /there already/);
  for (const name of ['', '1n', 'a-b', 'a b', 'ä']) {
    assert.throws(() => registry.counter({ name, help: 'h' }), RangeError, name);
  }
  for (const label of ['', '__name__', 'a-b', 'a:b']) {
    assert.throws(() => registry.counter({ name: 'm', help: 'h', labels: [label] }), RangeError, label);
  }
  assert.throws(() => registry.counter({ name: 'm', help: 'h', labels: ['a', 'a'] }), RangeError);
  assert.throws(() => registry.histogram({ name: 'm', help: 'h', labels: ['le'], buckets: [1] }), RangeError);
  for (const buckets of [[], [1, 1], [2, 1], [Number.POSITIVE_INFINITY]]) {
    assert.throws(() => registry.histogram({ name: 'm', help: 'h', buckets }), RangeError);
  }
});

test('an observed gauge that fails leaves the others readable', () => {
  const registry = createRegistry();
  registry.observed({
    name: 'broken',
    help: 'h',
    read: () => {
      throw new Error('no');
    },
  });
  registry.observed({ name: 'empty', help: 'h', read: () => Number.NaN });
  registry.counter({ name: 'n', help: 'h' });
  assert.equal(
    registry.render(),
    '# HELP empty h\n# TYPE empty gauge\nempty NaN\n# HELP n h\n# TYPE n counter\nn 0\n',
  );
});

test('a kept child is updated in well under a microsecond', () => {
  const registry = createRegistry();
  const child = registry.counter({ name: 'n', help: 'h', labels: ['a'] }).with({ a: 'x' });
  const rounds = Array.from({ length: 7 }, () => {
    const started = performance.now();
    for (let i = 0; i < 100_000; i += 1) child.inc();
    return ((performance.now() - started) * 1e6) / 100_000;
  });
  const median = rounds.toSorted((a, b) => a - b)[3] ?? Number.POSITIVE_INFINITY;
  assert.ok(median < 1000, `${median} ns`);
});
