// Owns Cedar's extension values `ip` and `decimal`: their text forms and their functions.

/** A parsed extension value. `key` is equal exactly when the values are. */
export type ParsedExtension =
  | {
      readonly fn: 'ip';
      readonly key: string;
      readonly bits: 32 | 128;
      readonly address: bigint;
      readonly prefix: number;
    }
  | { readonly fn: 'decimal'; readonly key: string; readonly scaled: bigint };

export type IpValue = Extract<ParsedExtension, { fn: 'ip' }>;
export type DecimalValue = Extract<ParsedExtension, { fn: 'decimal' }>;

const octet = /^(?:0|[1-9][0-9]{0,2})$/;
const hextet = /^[0-9a-fA-F]{1,4}$/;

function parseV4(text: string): bigint | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  let address = 0n;
  for (const part of parts) {
    if (!octet.test(part) || Number(part) > 255) return undefined;
    address = (address << 8n) | BigInt(part);
  }
  return address;
}

function hextets(text: string): readonly string[] | undefined {
  if (text === '') return [];
  const parts = text.split(':');
  return parts.every((part) => hextet.test(part)) ? parts : undefined;
}

function parseV6(text: string): bigint | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const head = hextets(halves[0] ?? '');
  const tail = halves.length === 2 ? hextets(halves[1] ?? '') : [];
  if (head === undefined || tail === undefined) return undefined;
  const count = head.length + tail.length;
  if (halves.length === 2 ? count > 7 : count !== 8) return undefined;
  const zeros = Array.from({ length: 8 - count }, () => '0');
  let address = 0n;
  for (const part of [...head, ...zeros, ...tail]) address = (address << 16n) | BigInt(`0x${part}`);
  return address;
}

function parsePrefix(text: string, bits: number): number | undefined {
  if (!octet.test(text)) return undefined;
  const prefix = Number(text);
  return prefix <= bits ? prefix : undefined;
}

/** An address or a range; IPv4 inside IPv6 notation and leading zeros are refused, as in Cedar. */
function parseIp(text: string): IpValue | undefined {
  const slash = text.indexOf('/');
  const host = slash < 0 ? text : text.slice(0, slash);
  const isV6 = host.includes(':');
  const bits = isV6 ? 128 : 32;
  const address = isV6 ? parseV6(host) : parseV4(host);
  const prefix = slash < 0 ? bits : parsePrefix(text.slice(slash + 1), bits);
  if (address === undefined || prefix === undefined) return undefined;
  return { fn: 'ip', key: `ip ${bits} ${address} ${prefix}`, bits, address, prefix };
}

const decimalForm = /^(-?)([0-9]+)\.([0-9]{1,4})$/;

/** A number with one to four decimal places whose ten-thousandfold fits 64 bits. */
function parseDecimal(text: string): DecimalValue | undefined {
  const match = decimalForm.exec(text);
  if (match === null) return undefined;
  const [, sign, whole = '', fraction = ''] = match;
  const magnitude = BigInt(whole + fraction.padEnd(4, '0'));
  const scaled = sign === '-' ? -magnitude : magnitude;
  if (BigInt.asIntN(64, scaled) !== scaled) return undefined;
  return { fn: 'decimal', key: `decimal ${scaled}`, scaled };
}

/** The value that `fn(text)` makes, or undefined if the text is not well formed. */
export function parseExtension(fn: string, text: string): ParsedExtension | undefined {
  if (fn === 'ip') return parseIp(text);
  return fn === 'decimal' ? parseDecimal(text) : undefined;
}

function range(ip: IpValue): { readonly low: bigint; readonly high: bigint } {
  const free = BigInt(ip.bits - ip.prefix);
  const low = (ip.address >> free) << free;
  return { low, high: low | ((1n << free) - 1n) };
}

/** True when all of `inner` lies in `outer`; never across address families. */
export function isInRange(inner: IpValue, outer: IpValue): boolean {
  if (inner.bits !== outer.bits) return false;
  const a = range(inner);
  const b = range(outer);
  return a.low >= b.low && a.high <= b.high;
}

/** True when all of the value is loopback: 127.0.0.0/8 or ::1. */
export function isLoopback(ip: IpValue): boolean {
  if (ip.bits === 32) return ip.prefix >= 8 && ip.address >> 24n === 127n;
  return ip.prefix === 128 && ip.address === 1n;
}

/** True when all of the value is multicast: 224.0.0.0/4 or ff00::/8. */
export function isMulticast(ip: IpValue): boolean {
  if (ip.bits === 32) return ip.prefix >= 4 && ip.address >> 28n === 14n;
  return ip.prefix >= 8 && ip.address >> 120n === 255n;
}
