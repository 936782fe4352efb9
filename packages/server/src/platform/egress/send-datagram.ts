// Owns sending one datagram by UDP to an address that was checked.

import { createSocket } from 'node:dgram';
import { isIP } from 'node:net';
import type { DialTarget } from './dial.ts';
import { EgressError } from './egress-error.ts';

type Found = (error: Error | null, address: string, family: number) => void;

/** An address is its own answer. A name would be a second one that nobody has checked. */
function asItIs(host: string, _options: unknown, found: Found): void {
  const family = isIP(host);
  if (family === 0) throw new EgressError('forbidden', `\`${host}\` is not a checked address`);
  found(null, host, family);
}

function sendTo(address: string, port: number, datagram: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = createSocket({ type: isIP(address) === 6 ? 'udp6' : 'udp4', lookup: asItIs });
    const end = (error: Error | null): void => (error === null ? resolve() : reject(error));
    // Stays: an error after the datagram has left must not end the process.
    socket.on('error', end);
    socket.send(datagram, port, address, (error) => {
      end(error);
      socket.close();
    });
  });
}

/** Sends it to the first address that takes it. Resolves when it has left; whether it arrives, nobody says. */
export async function sendDatagram({ addresses, port }: DialTarget, datagram: Uint8Array): Promise<void> {
  let failure: unknown = new EgressError('unreachable', 'there is no address to send to');
  for (const address of addresses) {
    try {
      return await sendTo(address, port, datagram);
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}
