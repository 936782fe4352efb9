// Owns the order of changes: those of one organization one after the other, and everybody's own one after the other.

import { createTurn, type Turn } from '../platform/db/turn.ts';

type Line = { readonly turn: Turn; users: number };

/** Runs work when it is its turn under each of its names, in their order. */
export type Turns = <T>(names: readonly string[], work: () => Promise<T>) => Promise<T>;

/**
 * Turns by name, first come first served; whoever waits longer than `waitMs` under a name is refused. With the name of
 * whoever asks before that of what they share, many requests of one take one place in the line of all.
 */
export function createTurns(waitMs: number): Turns {
  const lines = new Map<string, Line>();

  async function inLine<T>(name: string, work: () => Promise<T>): Promise<T> {
    const line = lines.get(name) ?? { turn: createTurn(waitMs), users: 0 };
    lines.set(name, line);
    line.users += 1;
    try {
      await line.turn.take();
      return await work().finally(line.turn.give);
    } finally {
      line.users -= 1;
      if (line.users === 0) lines.delete(name);
    }
  }
  return function inTurn<T>([name, ...others]: readonly string[], work: () => Promise<T>): Promise<T> {
    return name === undefined ? work() : inLine(name, () => inTurn(others, work));
  };
}
