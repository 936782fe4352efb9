// Owns reading a plain request's body under a bound.

import type { PlainExchange } from '../../platform/http1/plain-exchange.ts';
import { type IdleLimit, refuseEncoded, stalled, tooLarge, torn } from './read-body.ts';

function readRest(exchange: PlainExchange, idle: IdleLimit): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const deadline = idle.deadlines.after(idle.ms, () => reject(stalled()));
    exchange.readBody({
      onPart: () => deadline.extend(idle.ms),
      onWhole(body) {
        deadline.cancel();
        resolve(body);
      },
      onTorn() {
        deadline.cancel();
        reject(torn());
      },
    });
  });
}

/** The whole body, at once where it came with its head. Refuses as `readBody` does. */
export function readPlainBody(
  exchange: PlainExchange,
  limit: number,
  idle: IdleLimit,
): Uint8Array | Promise<Uint8Array> {
  const encoded = refuseEncoded(exchange.header('content-encoding'));
  if (encoded !== undefined) throw encoded;
  if (exchange.contentLength > limit) throw tooLarge(limit);
  return exchange.body() ?? readRest(exchange, idle);
}
