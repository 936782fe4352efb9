// Owns pushing checkpoints to a syslog receiver: by UDP, or over a connection that is opened for them and closed behind them.

import type { Socket } from 'node:net';
import type { SyslogPlace } from '../../platform/config/syslog-url.ts';
import type { Egress } from '../../platform/egress/egress.ts';
import { EgressError } from '../../platform/egress/egress-error.ts';
import type { Anchor } from './anchor.ts';
import { type Sender, syslogNote } from './syslog-note.ts';

export type SyslogOptions = Sender & {
  readonly place: SyslogPlace;
  readonly egress: Pick<Egress, 'openSocket' | 'sendDatagram'>;
  /** Milliseconds for connecting, and again for all that follows. */
  readonly timeoutMs: number;
};

/** RFC 6587 section 3.4.1 and RFC 5425 section 4.3: the length in bytes, a space, the message. */
function framed(message: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${message.length} `, 'ascii'), message]);
}

/**
 * Writes all of it and closes the connection. Resolves when the receiver has closed it too, which it does after it has
 * read to the end: syslog has no other answer.
 */
function writeAll(socket: Socket, bytes: Buffer, host: string, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    let failure: Error | undefined;
    const onAbort = (): void => {
      socket.destroy(new EgressError('timeout', `\`${host}\` did not read to the end and close in time`));
    };
    socket.on('error', (error: Error) => {
      failure ??= error;
    });
    socket.once('close', () => {
      signal.removeEventListener('abort', onAbort);
      if (!socket.writableFinished) failure ??= new EgressError('unreachable', `\`${host}\` closed early`);
      if (failure === undefined) resolve();
      else reject(failure);
    });
    signal.addEventListener('abort', onAbort, { once: true });
    // What it may say is thrown away.
    socket.resume();
    socket.end(bytes);
    if (signal.aborted) onAbort();
  });
}

/** The receiver as an anchor. By UDP what has left counts as taken: nobody confirms it. */
export function createSyslog(options: SyslogOptions): Anchor {
  const { place, egress, timeoutMs } = options;
  const isTls = place.transport === 'tls';

  async function sendTogether(messages: readonly Buffer[], signal: AbortSignal): Promise<void> {
    const socket = await egress.openSocket({ ...place, isTls }, { timeoutMs, signal });
    const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
    await writeAll(socket, Buffer.concat(messages.map(framed)), place.host, limit);
  }

  return {
    name: 'syslog',
    async push(notes, onTaken, signal) {
      const messages = notes.map((note) => Buffer.from(syslogNote(note, options), 'utf8'));
      if (place.transport !== 'udp') {
        await sendTogether(messages, signal);
        messages.forEach(onTaken);
        return;
      }
      for (const message of messages) {
        await egress.sendDatagram(place, message, { timeoutMs, signal });
        onTaken();
      }
    },
  };
}
