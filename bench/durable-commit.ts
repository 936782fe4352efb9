// Owns the measurement of the disk: how long one small durable commit takes where the ledger lies. Prints JSON.
// usage: node bench/durable-commit.ts DIRECTORY COMMITS

import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { quantile } from './statistics.ts';

/** Milliseconds of each commit of one row of a kilobyte: WAL and `synchronous=FULL`, as the product has it. */
function measureCommits(directory: string, commits: number): readonly number[] {
  const folder = join(directory, `durable-commit-${process.pid}`);
  mkdirSync(folder, { recursive: true });
  const db = new DatabaseSync(join(folder, 'probe.db'));
  try {
    db.exec('pragma journal_mode = wal; pragma synchronous = full; create table t (bytes blob not null)');
    const insert = db.prepare('insert into t (bytes) values (?)');
    const row = new Uint8Array(1024).fill(7);
    const times: number[] = [];
    // The first tenth warms up.
    for (let i = -Math.ceil(commits / 10); i < commits; i += 1) {
      const started = performance.now();
      db.exec('begin immediate');
      insert.run(row);
      db.exec('commit');
      if (i >= 0) times.push(performance.now() - started);
    }
    return times;
  } finally {
    db.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

const [directory = '.', commits = '200'] = process.argv.slice(2);
const times = measureCommits(directory, Number(commits));
process.stdout.write(`${JSON.stringify({ medianMs: quantile(times, 0.5), p99Ms: quantile(times, 0.99) })}\n`);
