// Owns the calendar of budgets: where a day, an ISO week, a month begins and ends in UTC.

import type { Budget } from '../directory/objects.ts';

export type BudgetPeriod = Budget['period'];

/** From `startMs` up to but not including `endMs`, in milliseconds since 1970-01-01 UTC; `null`: has no end. */
export type PeriodBounds = { readonly startMs: number; readonly endMs: number | null };

export const dayMs = 86_400_000;

type CivilDate = { readonly year: number; readonly month: number; readonly day: number };

/** Days since 1970-01-01 of a date in the proleptic Gregorian calendar; `month` is 1 to 12. */
export function dayOfDate(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  return (
    era * 146_097 +
    yearOfEra * 365 +
    Math.floor(yearOfEra / 4) -
    Math.floor(yearOfEra / 100) +
    dayOfYear -
    719_468
  );
}

/** The date of a number of days since 1970-01-01. */
export function dateOfDay(dayNumber: number): CivilDate {
  const shifted = dayNumber + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1,
  };
}

/** The period that holds `atMs`: UTC day, ISO 8601 week (Monday to Sunday), calendar month, or all time. */
export function periodBounds(period: BudgetPeriod, atMs: number): PeriodBounds {
  const day = Math.floor(atMs / dayMs);
  switch (period) {
    case 'day':
      return { startMs: day * dayMs, endMs: (day + 1) * dayMs };
    case 'week': {
      // Day 0 was a Thursday, the fourth day of its week.
      const monday = day - ((((day + 3) % 7) + 7) % 7);
      return { startMs: monday * dayMs, endMs: (monday + 7) * dayMs };
    }
    case 'month': {
      const { year, month } = dateOfDay(day);
      const next = month === 12 ? dayOfDate(year + 1, 1, 1) : dayOfDate(year, month + 1, 1);
      return { startMs: dayOfDate(year, month, 1) * dayMs, endMs: next * dayMs };
    }
    case 'total':
      return { startMs: 0, endMs: null };
  }
}

/** A time as RFC 3339 in UTC to the second, for sentences shown to people. */
export function utcText(atMs: number): string {
  const { year, month, day } = dateOfDay(Math.floor(atMs / dayMs));
  const seconds = Math.floor((((atMs % dayMs) + dayMs) % dayMs) / 1000);
  const two = (n: number): string => String(n).padStart(2, '0');
  const clock = `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  return `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}T${clock}Z`;
}
