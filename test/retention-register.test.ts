import { expect, test } from 'vitest';
import { processorsOf } from '../src/retention/processors.js';

test('the register names who handles data as the configuration tells, without keys, passwords and paths', () => {
  expect(
    processorsOf({
      databaseUrl: 'postgres://somebody:secret@db.example.nl:5432/opname',
      s3: { endpoint: 'https://s3.example.eu', region: 'eu-west-1' },
      oidc: { issuer: 'https://login.example.nl/realm' },
      timeStampUrls: ['https://tsa.example.nl/tsr'],
    }),
  ).toEqual([
    { role: 'storage', name: 's3.example.eu', region: 'eu-west-1' },
    { role: 'database', name: 'db.example.nl', region: '' },
    { role: 'sign_in', name: 'login.example.nl', region: '' },
    { role: 'time_stamping', name: 'tsa.example.nl', region: '' },
  ]);
  expect(processorsOf({ databaseUrl: undefined, s3: undefined, oidc: undefined, timeStampUrls: [] })).toEqual([]);
});
