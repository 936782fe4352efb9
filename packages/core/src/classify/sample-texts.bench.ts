// Owns the texts that the measurement and the linearity test share: realistic ones and hostile families.

const prose =
  'The committee met on Tuesday to review the third quarter. Revenue rose by 4.2% to 18,340 units, and the team ' +
  'agreed that the remaining work should be finished before March. "We call it done when it is measured," said ' +
  'the chair. Nobody objected; the confidential annex was not discussed, and the next meeting is in two weeks. ';

const json =
  '{"id":"550e8400-e29b-41d4-a716-446655440000","created_at":"2026-02-03T10:15:42.123Z","name":"Widget","price":19.99,' +
  '"tags":["a","b","seasonal"],"sha":"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08","count":42,' +
  '"owner":{"login":"alice","url":"https://example.com/users/alice?page=2&size=50"},"ok":true,"ratio":0.3333333333}\n';

const code =
  'export async function loadSnapshot(deps: Deps, orgId: OrgId): Promise<Snapshot> {\n  const rows = await deps.db' +
  ".selectFrom('keys').select(['id', 'hash', 'owner_id']).where('org_id', '=', orgId).execute();\n  // see RFC 9562\n" +
  '  return rows.reduce((acc, row) => ({ ...acc, [row.id]: { hash: row.hash, n: acc.n + 1 } }), empty);\n}\n\n';

const log =
  '2026-02-03T10:15:42.123Z INFO  gateway[2213] req_01h5 10.2.3.4:55231 "POST /v1/messages HTTP/1.1" 200 1834 12ms\n' +
  '2026-02-03T10:15:42.671Z WARN  gateway[2213] retry 2/5 upstream=model-a status=529 trace=4bf92f3577b34da6a3ce929d0e0e4736\n';

const german =
  'Sehr geehrte Damen und Herren, wir möchten Sie über die Änderungen ab dem 1. März 2026 informieren. Die Gebühren ' +
  'für Überweisungen bleiben unverändert; größere Beträge prüfen wir weiterhin persönlich. Mit freundlichen Grüßen ';

const chinese =
  '会议于星期二举行,讨论了第三季度的结果。收入增长了百分之四,团队同意在三月之前完成剩余的工作。请联系我们的支持团队。';

const personal =
  'Customer Alice Example, born 1980-03-12, mail alice@example.com, phone (415) 555-2671, SSN 078-05-1120, card ' +
  '4111 1111 1111 1111, IBAN DE89 3704 0044 0532 0130 00, last login from 192.0.2.17. ';

export const realisticTexts = { prose, json, code, log, german, chinese, personal } as const;

/** Each repeats to any length and tries to make some detector look at the same characters again and again. */
export const hostileFamilies = {
  'all digits': '1',
  'single digits': '1 ',
  'groups of three': '123 ',
  'groups of four': '4111 ',
  'groups of four, dashes': '4111-',
  'nine digits named': 'ssn 123456789 ',
  'card candidates': '4111111111111112 ',
  'phone words': 'phone 1 2 3 4 5 6 7 8 9 ',
  'all at signs': '@',
  'a@a@': 'a@',
  'long locals': `${'a.'.repeat(40)}@`,
  'long hosts': `a@${'b.'.repeat(120)}`,
  dots: '.',
  'dotted digits': '1.',
  'dotted quads': '1.1.1.256 ',
  hex: 'deadbeef0123456789',
  'hex colons': 'a1:',
  'double colons': 'a1::',
  'eyJ run': 'eyJ',
  'eyJ parted': 'eyJ_',
  'eyJ dotted': 'eyJhbGciOiJIUzI1NiJ9.',
  'sk- parted': 'sk-',
  'sk- short': 'sk-abc ',
  'AKIA run': 'AKIA_',
  'api_key =': 'api_key = ',
  'api_key = words': `api_key = ${'abcdefghij-'.repeat(40)} `,
  'BEGIN repeated': '-----BEGIN PRIVATE KEY-----',
  'BEGIN unclosed': '-----BEGIN RSA PRIVATE KEY-----\nabcd ',
  'DOB repeated': 'DOB ',
  'DOB dates': 'DOB 1980-01-02 ',
  'dates DOB': '1980-01-02 DOB ',
  months: '12 March ',
  'IBAN starts': 'GB00 ',
  'IBAN near misses': 'DE00370400440532013000 ',
  'CONFIDENTIAL in a line': 'CONFIDENTIAL ',
  'CONFIDENTIAL lines': 'CONFIDENTIAL x\n',
  'CUI//': 'CUI//A ',
  schemes: 'a://b:c ',
  'scheme colons': 'a://',
  plus: '+',
  'plus digits': '+1234567',
  brackets: '(',
  'bracketed digits': '(415) ',
  backslashes: '\\n',
  'zero-width': '1\u200b',
  'full-width': '\uff11\uff20',
  mathematical: '\ud835\udfce',
} as const;

/** `seed` repeated and cut to `size` code units, as one flat string. */
export function sized(seed: string, size: number): string {
  return Buffer.from(seed.repeat(Math.ceil(size / seed.length)).slice(0, size), 'utf16le').toString(
    'utf16le',
  );
}
