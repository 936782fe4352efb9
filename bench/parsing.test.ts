// Tests the reading of what the load generator and the system print.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseLoadResult } from './load-result.ts';
import { parseCpuList, parseCpuMicros, parseStatusBytes, readUsage } from './process-usage.ts';

const line =
  '{"c":64,"rate":0,"n":3901,"total":5139,"rps":3901,"errs":1,"non2xx":2,"bad":503,"unsent":3,"unfinished":4,' +
  '"us":{"mean":4085,"p50":3860,"p90":4436,"p95":7543,"p99":7889,"p999":8751,"max":8846},' +
  '"ttfb_us":{"p50":3614,"p95":7299,"p99":7635},"events_s":203648,' +
  '"gap_us":{"p50":0,"p99":40,"max":2347},"mb_s":21.9}';

test('a line of the load generator is read whole', () => {
  assert.deepEqual(parseLoadResult(line), {
    n: 3901,
    total: 5139,
    requestsPerSecond: 3901,
    errors: 1,
    notOk: 2,
    lastBad: 503,
    unsent: 3,
    unfinished: 4,
    p50: 3860,
    p95: 7543,
    p99: 7889,
    firstByteP50: 3614,
    firstByteP99: 7635,
    eventsPerSecond: 203648,
  });
});

test('a line that lacks a number is refused by its name', () => {
  assert.throws(() => parseLoadResult(line.replace('"non2xx":2,', '')), /`non2xx`/);
  assert.throws(() => parseLoadResult(line.replace('"p99":7889', '"p99":"fast"')), /`p99`/);
  assert.throws(() => parseLoadResult(line.replace('"ttfb_us"', '"other"')), /`ttfb_us`/);
  assert.throws(() => parseLoadResult('null'), /everything/);
});

test("a process's time is read even when its name holds parentheses and spaces", () => {
  const stat = '42 (a (b) 7) S 1 42 42 0 -1 4194304 100 0 0 0 250 50 0 0 20 0 11 0 999 1000 2000';
  assert.equal(parseCpuMicros(stat), 3_000_000);
  assert.equal(parseCpuMicros(''), undefined);
});

test('memory is read in bytes', () => {
  const status = 'Name:\tnode\nVmHWM:\t  204800 kB\nVmRSS:\t  102400 kB\n';
  assert.equal(parseStatusBytes(status, 'VmRSS'), 102_400 * 1024);
  assert.equal(parseStatusBytes(status, 'VmHWM'), 204_800 * 1024);
  assert.equal(parseStatusBytes(status, 'VmSwap'), undefined);
});

test('a list of processors is read with its ranges', () => {
  assert.deepEqual(parseCpuList('0-2,5\n'), [0, 1, 2, 5]);
  assert.deepEqual(parseCpuList('3'), [3]);
  assert.equal(parseCpuList('').length, 0);
  assert.equal(parseCpuList('all').length, 0);
});

test('the usage of this process is told on Linux', {
  skip: process.platform !== 'linux' && 'not Linux',
}, () => {
  const usage = readUsage(process.pid);
  assert.ok(usage !== undefined && usage.rssBytes > 1_000_000 && usage.peakRssBytes >= usage.rssBytes);
  assert.ok(usage.cpuMicros > 0);
  assert.equal(readUsage(2 ** 30), undefined);
});
