// Owns the lock that lets one process at a time install: a file with the holder's process id and a nonce.

import { randomUUID } from 'node:crypto';
import { readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** When a process started, so that a recycled process id is not taken for the holder; '' where unknown. */
function startedAt(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}

function isAlive(holder) {
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    return error.code === 'EPERM';
  }
  return holder.started === startedAt(holder.pid);
}

function readHolder(path) {
  try {
    const [pid, started, nonce] = readFileSync(path, 'utf8').split('\n');
    // A holder that has opened the file but not written it yet reads as empty: it is alive.
    return nonce === undefined ? undefined : { pid: Number(pid), started, nonce };
  } catch {
    return undefined;
  }
}

function createExclusively(path, text) {
  try {
    writeFileSync(path, text, { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}

/**
 * Takes the lock or waits for it; returns the function that releases it, or undefined after the time-out.
 * INVARIANT: a dead holder's file is removed by exactly one process, the one that creates `<nonce>.taken`;
 * so a lock which a third process has taken meanwhile is never removed by mistake.
 */
export async function takeLock(path, { timeoutMs, onWait }) {
  const deadline = Date.now() + timeoutMs;
  const mine = `${process.pid}\n${startedAt(process.pid)}\n${randomUUID()}\n`;
  let told = false;
  for (;;) {
    if (createExclusively(path, mine)) return () => unlinkSync(path);
    const holder = readHolder(path);
    if (holder !== undefined && !isAlive(holder)) {
      if (createExclusively(`${path}.${holder.nonce}.taken`, mine)) unlinkSync(path);
      else await sleep(50);
    } else {
      if (Date.now() > deadline) return undefined;
      if (!told) onWait(holder?.pid);
      told = true;
      await sleep(200);
    }
  }
}
