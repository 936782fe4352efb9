// Owns profiling a running gateway through Node's inspector: all of its threads, for the time of a load alone.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Running } from './processes.ts';

export type ThreadProfile = { readonly thread: string; readonly profile: unknown };

type Reply = { readonly id: number; readonly result: unknown };
type Send = (method: string, params?: object) => Promise<unknown>;

function fieldsOf(value: unknown): ReadonlyMap<string, unknown> {
  return new Map<string, unknown>(typeof value === 'object' && value !== null ? Object.entries(value) : []);
}

/** Numbered questions over one channel, and their answers. */
function createQuestions(write: (text: string) => void) {
  const waiting = new Map<number, (result: unknown) => void>();
  let last = 0;
  const send: Send = (method, params = {}) => {
    last += 1;
    const id = last;
    const { promise, resolve } = Promise.withResolvers<unknown>();
    waiting.set(id, resolve);
    write(JSON.stringify({ id, method, params }));
    return promise;
  };
  return {
    send,
    onReply({ id, result }: Reply): void {
      waiting.get(id)?.(result);
      waiting.delete(id);
    },
  };
}

type Questions = ReturnType<typeof createQuestions>;

async function inspectorUrl(running: Running): Promise<string> {
  for (let tries = 0; tries < 100; tries += 1) {
    const url = /Debugger listening on (ws:\S+)/.exec(running.log())?.[1];
    if (url !== undefined) return url;
    await sleep(50);
  }
  throw new Error(`${running.name} opened no inspector`);
}

/** Every thread of a program that was started with `--inspect`: its name, and how to ask it. */
async function connect(running: Running): Promise<{
  readonly threads: ReadonlyMap<string, Send>;
  readonly close: () => void;
}> {
  const socket = new WebSocket(await inspectorUrl(running));
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve, { once: true });
    socket.addEventListener('error', () => reject(new Error('the inspector refused the connection')), {
      once: true,
    });
  });
  const main = createQuestions((text) => socket.send(text));
  const workers = new Map<string, Questions>();
  const threads = new Map<string, Send>([['main', main.send]]);

  function onMessage(value: unknown, questions: Questions): void {
    const message = fieldsOf(value);
    const id = message.get('id');
    if (typeof id === 'number') {
      questions.onReply({ id, result: message.get('result') });
      return;
    }
    const params = fieldsOf(message.get('params'));
    const sessionId = String(params.get('sessionId') ?? '');
    if (message.get('method') === 'NodeWorker.attachedToWorker') {
      const worker = createQuestions((text) => {
        void main.send('NodeWorker.sendMessageToWorker', { sessionId, message: text });
      });
      workers.set(sessionId, worker);
      const url = String(fieldsOf(params.get('workerInfo')).get('url') ?? sessionId);
      threads.set(url.replace(/^.*\//, ''), worker.send);
    }
    const worker = workers.get(sessionId);
    if (message.get('method') !== 'NodeWorker.receivedMessageFromWorker' || worker === undefined) return;
    const inner: unknown = JSON.parse(String(params.get('message')));
    onMessage(inner, worker);
  }

  socket.addEventListener('message', ({ data }) => {
    const parsed: unknown = JSON.parse(String(data));
    onMessage(parsed, main);
  });
  await main.send('NodeWorker.enable', { waitForDebuggerOnStart: false });
  // Attachments are told of after the answer.
  await sleep(200);
  return { threads, close: () => socket.close() };
}

/** Profiles every thread while `load` runs; one sample in 200 µs. */
export async function profileWhile(
  running: Running,
  load: () => Promise<void>,
): Promise<readonly ThreadProfile[]> {
  const { threads, close } = await connect(running);
  try {
    for (const send of threads.values()) {
      await send('Profiler.enable');
      await send('Profiler.setSamplingInterval', { interval: 200 });
      await send('Profiler.start');
    }
    await load();
    const profiles: ThreadProfile[] = [];
    for (const [thread, send] of threads) {
      const stopped = fieldsOf(await send('Profiler.stop'));
      profiles.push({ thread, profile: stopped.get('profile') });
    }
    return profiles;
  } finally {
    close();
  }
}
