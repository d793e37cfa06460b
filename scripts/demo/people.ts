import { randomBytes } from 'node:crypto';
import type { PersonRole } from '../../src/access/caller.js';
import { agents } from '../samples/calls.js';
import type { Client } from './client.js';

/** Who works at the sample provider. */

export interface DemoPerson {
  role: PersonRole;
  name: string;
  email: string;
  password: string;
  extensions?: string[];
}

/** Easy to type, different at every start: the demo may be reachable by others. */
const passwordOf = (role: PersonRole) => `${role.replace('_', '-')}-${randomBytes(4).toString('hex')}`;

function person(role: PersonRole, name: string, email: string, extension?: keyof typeof agents): DemoPerson {
  return { role, name, email, password: passwordOf(role), ...(extension === undefined ? {} : { extensions: [extension] }) };
}

export const administrator = person('administrator', 'Ad Ministrator', 'admin@opname.example');
export const sanne = person('agent', `${agents['201']} Support`, 'sanne@opname.example', '201');
export const trainer = person('trainer', 'Thea Trainer', 'trainer@opname.example');
export const officer = person('privacy_officer', 'Petra Privacy', 'officer@opname.example');

/** One of each role: their sign-ins are printed. */
export const people: readonly DemoPerson[] = [
  trainer,
  officer,
  administrator,
  person('auditor', 'Fons Toezicht', 'auditor@opname.example'),
  sanne,
];

/** What one officer decides, another approves. */
export const secondOfficer = person('privacy_officer', 'Otto Tweede', 'otto@opname.example');

/** Agents whose calls there are; nobody signs in as them. */
export const colleagues: readonly DemoPerson[] = [
  person('agent', `${agents['202']} Support`, 'daan@opname.example', '202'),
  person('agent', `${agents['203']} Support`, 'meryem@opname.example', '203'),
  person('agent', `${agents['204']} Support`, 'joost@opname.example', '204'),
];

/** Gives someone an account. @returns its id */
export async function addPerson(admin: Client, added: DemoPerson): Promise<string> {
  return await admin.make('POST', '/users', { ...added, locale: 'nl' });
}

/** Signs `who` in at `client`, which keeps the session. @returns the same client */
export async function signIn(client: Client, who: DemoPerson): Promise<Client> {
  await client.send('POST', '/session', { email: who.email, password: who.password });
  return client;
}
