// Owns the flags of `npm run bench`.

import { parseArgs } from 'node:util';

export type Options = {
  readonly rounds: number;
  readonly seconds: number;
  /** Scenario ids and server names to keep; empty: all. */
  readonly only: readonly string[];
  readonly isQuick: boolean;
  /** Minutes of steady load; 0: none. */
  readonly soakMinutes: number;
  readonly isScaling: boolean;
  readonly isProfiling: boolean;
  /** A call's own steps in a loop, without sockets. */
  readonly isSteps: boolean;
  /** Detectors, decisions and verification, each alone. */
  readonly isParts: boolean;
  /** The long tests of kills and of revocation. */
  readonly isFaults: boolean;
  readonly kills: number;
  readonly interleavings: number;
};

/** What the issue asks of the long tests: fewer answer nothing that may be kept. */
export const wholeFaults = { kills: 1_000, interleavings: 10_000 } as const;

export const usage = `npm run bench -- [flags]

  --rounds N      interleaved rounds (5)
  --seconds S     seconds of each measurement (3)
  --only a,b      only these scenarios (c1 c16 c64 c256 open streams slow-streams) and servers (direct bare off on peer)
  --quick         3 rounds of 1 s; prints, but leaves RESULTS.md as it is
  --scale         instead: 100 to 100,000 keys, 10 to 2,000 rules, 0 to 1,000,000 records
  --soak M        instead: M minutes of steady load, is memory flat?
  --profile       instead: a processor profile of the gateway under 64 connections
  --steps         instead: a call's own steps in a loop, without sockets, provider or ledger; swings least
  --parts         instead: detectors, decisions and their comparison with Cedar, mutations of a log, verification, each alone
  --faults        instead: 1,000 kills under load and 10,000 interleavings of revocation and intent; 40 minutes
  --kills N, --interleavings N
                  with --faults: fewer of them; prints, but leaves RESULTS.md as it is
`;

/** Reads the flags. Throws an Error that says what is wrong with them. */
export function readOptions(argv: readonly string[]): Options {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  const { values } = parseArgs({
    args: [...argv],
    options: {
      rounds: text,
      seconds: text,
      only: text,
      soak: text,
      quick: flag,
      scale: flag,
      profile: flag,
      steps: flag,
      parts: flag,
      faults: flag,
      kills: text,
      interleavings: text,
    },
  });
  const isQuick = values.quick === true;
  if (values.faults !== true && (values.kills ?? values.interleavings) !== undefined)
    throw new Error('--kills and --interleavings belong to --faults');
  const positive = (name: string, value: string | undefined, fallback: number): number => {
    const given = value === undefined ? fallback : Number(value);
    if (!(given > 0 && Number.isFinite(given))) throw new Error(`--${name} must be a number above 0`);
    return given;
  };
  const whole = (name: string, value: string | undefined, fallback: number): number => {
    const given = positive(name, value, fallback);
    if (!Number.isInteger(given)) throw new Error(`--${name} must be a whole number`);
    return given;
  };
  return {
    rounds: whole('rounds', values.rounds, isQuick ? 3 : 5),
    seconds: positive('seconds', values.seconds, isQuick ? 1 : 3),
    only: (values.only ?? '').split(',').filter((name) => name !== ''),
    isQuick,
    soakMinutes: values.soak === undefined ? 0 : positive('soak', values.soak, 10),
    isScaling: values.scale === true,
    isProfiling: values.profile === true,
    isSteps: values.steps === true,
    isParts: values.parts === true,
    isFaults: values.faults === true,
    kills: whole('kills', values.kills, isQuick ? 10 : wholeFaults.kills),
    interleavings: whole('interleavings', values.interleavings, isQuick ? 600 : wholeFaults.interleavings),
  };
}

/** `items` whose name was asked for; all of them if none was. */
export function chosen<T>(
  items: readonly T[],
  nameOf: (item: T) => string,
  only: readonly string[],
): readonly T[] {
  const kept = items.filter((item) => only.includes(nameOf(item)));
  return kept.length === 0 ? items : kept;
}
