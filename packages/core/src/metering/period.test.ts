// Owns the proof that periods meet without gaps and agree with the platform's calendar.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { dateOfDay, dayMs, dayOfDate, periodBounds, utcText } from './period.ts';

const at = (text: string): number => Date.parse(text);
const anyTime = fc.integer({ min: 0, max: at('2200-01-01T00:00:00Z') });

test('a month ends where the next begins, in leap years and at the turn of the year', () => {
  assert.deepEqual(periodBounds('month', at('2028-02-29T23:59:59.999Z')), {
    startMs: at('2028-02-01T00:00:00Z'),
    endMs: at('2028-03-01T00:00:00Z'),
  });
  assert.deepEqual(periodBounds('month', at('2026-12-31T12:00:00Z')), {
    startMs: at('2026-12-01T00:00:00Z'),
    endMs: at('2027-01-01T00:00:00Z'),
  });
});

test('a week is an ISO week: Monday to Sunday', () => {
  assert.deepEqual(periodBounds('week', at('2026-11-22T23:59:59Z')), {
    startMs: at('2026-11-16T00:00:00Z'),
    endMs: at('2026-11-23T00:00:00Z'),
  });
});

test('a total has no end', () => {
  assert.deepEqual(periodBounds('total', at('2026-11-22T00:00:00Z')), { startMs: 0, endMs: null });
});

test('every moment lies in its period, and the period’s end begins the next', () => {
  fc.assert(
    fc.property(anyTime, fc.constantFrom('day', 'week', 'month'), (now, period) => {
      const { startMs, endMs } = periodBounds(period, now);
      if (endMs === null) return false;
      const next = periodBounds(period, endMs);
      return startMs <= now && now < endMs && next.startMs === endMs && startMs % dayMs === 0;
    }),
  );
});

test('dates and times agree with the platform’s calendar', () => {
  fc.assert(
    fc.property(anyTime, (now) => {
      const date = new Date(now);
      const { year, month, day } = dateOfDay(Math.floor(now / dayMs));
      assert.equal(dayOfDate(year, month, day), Math.floor(now / dayMs));
      assert.equal(utcText(now), `${date.toISOString().slice(0, 19)}Z`);
    }),
  );
});
