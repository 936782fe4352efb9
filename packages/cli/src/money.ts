// Owns how money is written: nano-units of a currency as a decimal number, nothing rounded away.

/** Nano-units as a decimal: 1_500_000_000 is `1.50`, 400 is `0.0000004`. */
export function money(nanos: number): string {
  const sign = nanos < 0 ? '-' : '';
  const digits = String(Math.abs(nanos)).padStart(10, '0');
  const whole = digits.slice(0, -9);
  const rest = digits.slice(-9).replace(/0+$/, '').padEnd(2, '0');
  return `${sign}${whole}.${rest}`;
}
