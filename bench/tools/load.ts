// Owns the load generator for machines without a C compiler: lg.c's flags and its JSON line, but for the gaps
// between events. It costs more per request than lg.c, so a fast server looks slower; ratios suffer less.

import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { createTally, Slot, type Tally } from './load-slot.ts';

type Settings = {
  readonly port: number;
  readonly connections: number;
  readonly seconds: number;
  readonly warmUp: number;
  /** Requests a second in an open loop; 0: closed loop. */
  readonly rate: number;
  readonly grace: number;
  readonly head: string;
  readonly body: string;
  readonly lines: readonly string[];
};

function readSettings(): Settings {
  const text = { type: 'string' } as const;
  const short = { p: 'port', u: 'path', c: 'connections', d: 'seconds', w: 'warm', r: 'rate' } as const;
  const named = Object.fromEntries(Object.entries(short).map(([s, name]) => [name, { ...text, short: s }]));
  const { values } = parseArgs({
    options: {
      ...named,
      body: { ...text, short: 'b' },
      grace: { ...text, short: 'g' },
      keys: { ...text, short: 'k' },
      header: { ...text, short: 'H', multiple: true },
    },
  });
  const one = (name: string, fallback: string): string => {
    const value = new Map<string, unknown>(Object.entries(values)).get(name);
    return typeof value === 'string' ? value : fallback;
  };
  const port = Number(one('port', '0'));
  const body = values.body === undefined ? '' : readFileSync(values.body, 'utf8');
  const headers = (values.header ?? []).map((line) => `${line}\r\n`).join('');
  return {
    port,
    connections: Number(one('connections', '16')),
    seconds: Number(one('seconds', '5')),
    warmUp: Number(one('warm', '1')),
    rate: Number(one('rate', '0')),
    grace: Number(one('grace', '5')),
    head:
      `${body === '' ? 'GET' : 'POST'} ${one('path', '/v1/chat/completions')} HTTP/1.1\r\n` +
      `Host: 127.0.0.1:${port}\r\nContent-Type: application/json\r\n${headers}`,
    body: body === '' ? '\r\n' : `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    lines: values.keys === undefined ? [] : readFileSync(values.keys, 'utf8').split('\n').filter(Boolean),
  };
}

function quantilesOf(values: readonly number[]): (p: number) => number {
  const sorted = Float64Array.from(values).sort();
  return (p) => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(p * sorted.length))] ?? 0);
}

function resultLine(settings: Settings, tally: Tally, open: { unsent: number; unfinished: number }): string {
  const { latency, firstBytes, count } = tally;
  const at = quantilesOf(latency);
  const first = quantilesOf(firstBytes);
  const mean = latency.length === 0 ? 0 : latency.reduce((sum, x) => sum + x, 0) / latency.length;
  return JSON.stringify({
    c: settings.connections,
    rate: settings.rate,
    n: latency.length,
    total: count.total,
    rps: Math.round(latency.length / settings.seconds),
    errs: count.errors,
    non2xx: count.notOk,
    bad: count.lastBad,
    ...open,
    us: {
      mean: Math.round(mean),
      p50: at(0.5),
      p90: at(0.9),
      p95: at(0.95),
      p99: at(0.99),
      p999: at(0.999),
      max: at(1),
    },
    ttfb_us: { p50: first(0.5), p95: first(0.95), p99: first(0.99) },
    events_s: Math.round(count.events / settings.seconds),
    mb_s: count.bytes / settings.seconds / 1e6,
  });
}

function run(settings: Settings): void {
  const started = performance.now();
  const from = started + settings.warmUp * 1000;
  const to = from + settings.seconds * 1000;
  const isOpen = settings.rate > 0;
  const tally = createTally(from, to, isOpen);
  const idle: Slot[] = [];
  let lines = 0;
  const render = (): string => {
    const line = settings.lines[lines % settings.lines.length];
    lines += 1;
    return settings.head + (line === undefined ? '' : `${line}\r\n`) + settings.body;
  };
  const onFree = (slot: Slot): void => {
    const now = performance.now();
    if (isOpen) idle.push(slot);
    else if (now < to) slot.send(now);
  };
  const { port } = settings;
  const slots = Array.from({ length: settings.connections }, () => new Slot({ port, tally, render, onFree }));
  const interval = 1000 / Math.max(settings.rate, 1e-9);
  let next = started;
  if (isOpen) idle.push(...slots);
  else for (const slot of slots) slot.send(performance.now());

  function tick(): void {
    const now = performance.now();
    while (isOpen && next <= now && next < to) {
      const slot = idle.pop();
      if (slot === undefined) break;
      slot.send(next);
      next += interval;
    }
    const unfinished = isOpen ? slots.filter((slot) => slot.isBusy).length : 0;
    if (now < to || (isOpen && unfinished > 0 && now < to + settings.grace * 1000)) {
      // Timers of a millisecond are too coarse for an open loop; a closed loop only waits for its end.
      if (isOpen && now < to) setImmediate(tick);
      else setTimeout(tick, 5);
      return;
    }
    for (const slot of slots) slot.end();
    const unsent = isOpen && next < to ? Math.floor((to - next) / interval) : 0;
    process.stdout.write(`${resultLine(settings, tally, { unsent, unfinished })}\n`);
  }
  tick();
}

run(readSettings());
