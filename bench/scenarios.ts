// Owns what is asked of each server: how many connections, at which rate, which bodies, for how long.

import type { BodyName } from './bodies.ts';

export type Scenario = {
  readonly id: string;
  readonly title: string;
  readonly connections: number;
  /** Requests a second of an open loop; 0: closed loop. */
  readonly rate: number;
  readonly body: BodyName;
  readonly seconds: number;
  readonly warmUp: number;
  readonly grace: number;
  /** Which servers take part. */
  readonly servers: readonly string[];
};

const all = ['direct', 'bare', 'off', 'on', 'peer'];
const ours = ['bare', 'off', 'on'];

/** Streams that are open at the same time: each lasts five seconds. */
export const slowStreams = 500;
const streamSeconds = 5;

/** The scenarios with this many seconds of measuring each. */
export function scenariosOf(seconds: number): readonly Scenario[] {
  const common = { rate: 0, body: 'plain', seconds, warmUp: Math.min(1, seconds / 4), grace: 0 } as const;
  const closed = (connections: number): Scenario => ({
    ...common,
    id: `c${connections}`,
    title: `${connections} connection${connections === 1 ? '' : 's'}`,
    connections,
    servers: all,
  });
  return [
    closed(1),
    closed(16),
    closed(64),
    closed(256),
    {
      ...common,
      id: 'open',
      title: '1,000 requests/s, open loop',
      connections: 256,
      rate: 1000,
      grace: 5,
      servers: ['direct', ...ours],
    },
    {
      ...common,
      id: 'streams',
      title: '64 connections, fast streams of 50 chunks',
      connections: 64,
      body: 'stream',
      servers: all,
    },
    {
      ...common,
      id: 'slow-streams',
      title: `${slowStreams} slow streams at the same time`,
      // Arrivals are even: 100 a second that last five seconds each are 500 at any time.
      connections: slowStreams + 100,
      rate: slowStreams / streamSeconds,
      body: 'slowStream',
      warmUp: streamSeconds + 1,
      seconds: Math.max(seconds, 4),
      servers: ['direct', ...ours],
    },
  ];
}
