// Owns the examples of credentials and markings. Keys are put together here so that no scanner takes them for real.

export type Examples = {
  readonly positive: readonly (readonly [text: string, value: string])[];
  readonly negative: readonly string[];
};

const a20 = 'a1B2c3D4e5F6g7H8i9J0';
const a36 = `${a20}k1L2m3N4o5P6q7R8`;
const jwt = ['eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9', 'eyJzdWIiOiIxMjM0NTY3ODkwIn0', 'abc_DEF-123'].join('.');
const pem = (name: string, body: string): string => `-----BEGIN ${name}-----\n${body}\n-----END ${name}-----`;
const rsa = pem('RSA PRIVATE KEY', 'MIIEpAIBAAKCAQEA7b+/=\nq1w2e3');
const ec = pem('EC PRIVATE KEY', 'MHcCAQEEIA==');
const plain = pem('PRIVATE KEY', 'MIIEvQIBADANBg');
const ssh = pem('OPENSSH PRIVATE KEY', 'b3BlbnNzaC1rZXktdjEAAAAA');
const encrypted = pem('ENCRYPTED PRIVATE KEY', 'MIIFHDBOBgkqhkiG9w0B');
const legacy = pem('RSA PRIVATE KEY', 'Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,AB12\n\nabc+/=');
const pgp = pem('PGP PRIVATE KEY BLOCK', 'Version: GnuPG v2\n\nlQOYBF');
const jsonPem = '-----BEGIN PRIVATE KEY-----\\nMIIEvQIB\\n-----END PRIVATE KEY-----';

const apiKey: Examples = {
  positive: [
    ['AKIAIOSFODNN7EXAMPLE', 'AKIAIOSFODNN7EXAMPLE'],
    [`OPENAI=sk-${a36}`, `sk-${a36}`],
    [`sk-proj-${a36}_x`, `sk-proj-${a36}_x`],
    [`sk-ant-api03-${a36}-${a36}AA`, `sk-ant-api03-${a36}-${a36}AA`],
    [`ghp_${a36} x`, `ghp_${a36}`],
    [`gho_${a36}`, `gho_${a36}`],
    [`github_pat_${a20}_${a36}`, `github_pat_${a20}_${a36}`],
    [`xoxb-123456789012-${a20}`, `xoxb-123456789012-${a20}`],
    [`AIza${a20}k1L2m3N4o5P6q7R`, `AIza${a20}k1L2m3N4o5P6q7R`],
    [`sk_live_${a20}`, `sk_live_${a20}`],
    [`//registry/:_authToken=npm_${a36}`, `npm_${a36}`],
    [`glpat-${a20}`, `glpat-${a20}`],
    [jwt, jwt],
    [`csk_01hxyz_${a36}_Q1w2E3`, `csk_01hxyz_${a36}_Q1w2E3`],
    [`api_key = "${a20}"`, a20],
    [
      'client_secret: 550e8400-e29b-41d4-a716-446655440000x1y2z3q4w5e6',
      '550e8400-e29b-41d4-a716-446655440000x1y2z3q4w5e6',
    ],
    [`Authorization: Bearer ${a36}`, a36],
    [`{"x":"ghp\u200b_${a36}"}`, `ghp_${a36}`],
    [`aws_secret_access_key=${a20}+/${a20}`, `${a20}+/${a20}`],
  ],
  negative: [
    'id 550e8400-e29b-41d4-a716-446655440000',
    'sha 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
    'commit da39a3ee5e6b4b0d3255bfef95601890afd80709',
    'run_01hq3v5k9m8n7p6q5r4s3t2v1w',
    'msg_01XFDUDYJgAACzvnptvVoYEL and call_abc123DEF456ghi789',
    'resp_68b1f0c2d3e4819a8f7e6d5c4b3a2918',
    'class sk-fading-circle-container',
    'sk-xxxxxxxxxxxxxxxxxxxxxxxxxxxx',
    'task-a1B2c3D4e5F6g7H8i9J0k1',
    'AKIA is a prefix',
    'AKIAlowercase1234567',
    'ghp_short',
    'eyJhbGciOiJIUzI1NiJ9 alone',
    'api_key = process.env.API_KEY_FOR_PRODUCTION',
    'api_key: string; access_token: Promise<string>',
    'bearer of the message that arrived yesterday',
    'the npm_config_registry_something_long_name_value',
    '507f1f77bcf86cd799439011 01ARZ3NDEKTSV4RRFFQ69G5FAV',
  ],
};

const privateKey: Examples = {
  positive: [
    [`key: ${rsa} after`, rsa],
    [ec, ec],
    [plain, plain],
    [ssh, ssh],
    [encrypted, encrypted],
    [legacy, legacy],
    [pgp, pgp],
    [`{"private_key":"${jsonPem}"}`, jsonPem],
    ['-----BEGIN DSA PRIVATE KEY-----', '-----BEGIN DSA PRIVATE KEY-----'],
  ],
  negative: [
    pem('CERTIFICATE', 'MIIC'),
    pem('PUBLIC KEY', 'MIIB'),
    pem('RSA PUBLIC KEY', 'MIIB'),
    pem('PGP PUBLIC KEY BLOCK', 'mQEN'),
    pem('CERTIFICATE REQUEST', 'MIIB'),
    'BEGIN PRIVATE KEY',
    '---BEGIN PRIVATE KEY---',
    'how do I write a PRIVATE KEY header',
    '-----BEGIN private key-----',
  ],
};

const urlPassword: Examples = {
  positive: [
    ['postgres://app:hunter22@db.internal/x', 'hunter22'],
    ['https://bob:s3cr3t!@example.com', 's3cr3t!'],
    ['redis://:p4ssw0rd9@cache:6379', 'p4ssw0rd9'],
    ['"mongodb+srv://u:Xy12@cluster.example"', 'Xy12'],
    ['ftp://u:abc@192.168', 'abc'],
    ['amqp://guest:guest@rabbit', 'guest'],
    ['mysql://root:toor@db', 'toor'],
    ['DATABASE_URL=postgresql://a:b-c_d@h/p', 'b-c_d'],
  ],
  negative: [
    'https://example.com:8080/x@y',
    'https://example.com/a:b@c',
    'postgres://user:password@db/x',
    'postgres://user:$PASSWORD@db/x',
    'postgres://user:{{PW}}@db/x',
    'postgres://user:<password>@db/x',
    'https://user@example.com',
    'http://host:80 and a@b',
    'a: // comment b:c@d',
    'https://u:*****@host',
  ],
};

const controlled: Examples = {
  positive: [
    ['CUI//SP-CTI//NOFORN\ntext', 'CUI//SP-CTI//NOFORN'],
    ['header\n  CUI  \ntext', 'CUI'],
    ['CONFIDENTIAL\ntext', 'CONFIDENTIAL'],
    ['*** CONFIDENTIAL ***', 'CONFIDENTIAL'],
    ['CONFIDENTIAL - do not distribute', 'CONFIDENTIAL'],
    ['CONFIDENTIAL: third quarter', 'CONFIDENTIAL'],
    ['ACME CORP CONFIDENTIAL\nx', 'CONFIDENTIAL'],
    ['Page 3 of 10    CONFIDENTIAL', 'CONFIDENTIAL'],
    ['SECRET', 'SECRET'],
    ['SECRET//NOFORN', 'SECRET//NOFORN'],
    ['TOP SECRET//SI//NOFORN', 'TOP SECRET//SI//NOFORN'],
    ['(CUI) The wing is short.', 'CUI'],
    ['text\\nSTRICTLY CONFIDENTIAL\\nmore', 'STRICTLY CONFIDENTIAL'],
    ['ECCN: EAR99', 'EAR99'],
    ['This drawing is EXPORT CONTROLLED.', 'EXPORT CONTROLLED'],
    ['This file contains export-controlled technical data', 'contains export-controlled'],
    ['FOR OFFICIAL USE ONLY', 'FOR OFFICIAL USE ONLY'],
    ['VS-NfD', 'VS-NfD'],
    [
      'subject to the Export Administration Regulations (EAR)',
      'subject to the Export Administration Regulations',
    ],
    ['CONFI\u200bDENTIAL', 'CONFIDENTIAL'],
  ],
  negative: [
    'this is confidential information',
    'Confidential',
    'keep it secret, keep it safe',
    'SECRET_KEY=abc\nSECRET=def',
    'const SECRET = read("CONFIDENTIAL_FILE");',
    'What does CUI mean in a contract?',
    'CUI is information that the government creates',
    'Controlled Unclassified Information (CUI) has rules',
    'ITAR compliance is hard',
    'ITAR - International Traffic in Arms Regulations',
    'Is my product export controlled?',
    'Explain NOFORN to me',
    'SECRET SANTA PARTY LIST',
    'SECRET: abc',
    'he said CONFIDENTIAL in the middle of it',
    'see https://example.com/SECRET/x',
    'an EAR99 item needs no license to most places',
    'a restricted area',
  ],
};

export const secretExamples = {
  api_key: apiKey,
  private_key: privateKey,
  url_password: urlPassword,
  controlled,
} as const;
