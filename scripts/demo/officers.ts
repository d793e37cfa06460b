import { at, dayOf } from './moment.js';
import { sample, until, type Stage } from './stage.js';

/** What two privacy officers do with the sample calls and tickets. */

/** One agreement as a sealed package that can be handed out. */
export async function sealEvidence({ officer, call }: Stage): Promise<void> {
  const id = await officer.make('POST', '/evidence', {
    recordingIds: [await call('contract-agreed.opus')],
    reason: 'De klant betwist de looptijd van 24 maanden (ticket 2026-0987)',
    recipient: 'Mr. I. Wettelijk, Wettelijk Advocaten, Utrecht',
  });
  await until(officer.stopping, async () => (await officer.send('GET', `/evidence/${id}`))['state'] !== 'sealing');
}

/** Placed by one officer; the other one is to confirm it. */
export async function placeHold({ secondOfficer, call }: Stage): Promise<void> {
  await secondOfficer.send('POST', '/holds', {
    recordingId: await call('complaint-engineer.WAV'),
    ground: 'legal_claim',
    reason: 'De klant heeft na dit gesprek een claim ingediend voor gemiste omzet; hierin is een vergoeding toegezegd.',
    reviewAt: dayOf(-60),
  });
}

interface Found {
  recordings: { itemId: string }[];
  tickets: { itemId: string }[];
}

/** Requests under the GDPR, each in another state. */
export async function handleRequests(stage: Stage): Promise<void> {
  const { anyone, officer, secondOfficer, trainer } = stage;

  // Heard in a call: a draft, for the officer to complete.
  await trainer.send('POST', `/recordings/${await stage.call('erasure-request.mp3')}/flags`, {
    atMs: 16_400, rights: ['access', 'erasure'], note: 'Eerst een kopie, daarna verwijderen. Terugbellen op het bekende nummer.',
  });

  // By letter, long ago: who it is has been checked, and little of the month is left.
  const nearlyDue = await officer.make('POST', '/privacy-requests', {
    receivedAt: at(28, '10:15').toISOString(), channel: 'letter', rights: ['access'],
    subject: {
      name: 'Karin de Wit', address: 'Korenstraat 12, 3511 AB Utrecht', organisation: 'Bakkerij De Korenaar',
      emails: ['karin@dekorenaar.example'], phones: ['085 000 0110'],
    },
    details: 'Graag ontvang ik een kopie van de opnames van mijn gesprekken met uw helpdesk.',
  });
  await officer.send('POST', `/privacy-requests/${nearlyDue}/identity`, { method: 'call_back', outcome: 'verified' });

  // By e-mail: found, and to be decided item by item.
  const customer = sample('contract-agreed.opus');
  const toDecide = await officer.make('POST', '/privacy-requests', {
    receivedAt: at(4, '13:40').toISOString(), channel: 'email', rights: ['access', 'portability'],
    subject: {
      name: customer.callerName, organisation: 'Studio Van der Berg',
      emails: ['zoe@studiovanderberg.example'], phones: [customer.caller],
    },
    details: 'Ik wil graag alles ontvangen wat u van mij hebt, ook in een vorm die ik elders kan gebruiken.',
  });
  await officer.send('POST', `/privacy-requests/${toDecide}/identity`, { method: 'known_email', outcome: 'verified' });
  await officer.send('POST', `/privacy-requests/${toDecide}/search`, {});

  // In English, decided by one officer: the other one approves it, or sends it back.
  const abroad = sample('cancel-line.wav');
  const toApprove = await secondOfficer.make('POST', '/privacy-requests', {
    receivedAt: at(11, '09:05').toISOString(), channel: 'email', rights: ['access'], locale: 'en',
    subject: { name: abroad.callerName, organisation: 'Example Consulting', emails: ['bob@example.org'], phones: [abroad.caller] },
    details: 'Please send me a copy of the call in which I cancelled our line.',
  });
  await secondOfficer.send('POST', `/privacy-requests/${toApprove}/identity`, { method: 'questions', outcome: 'verified' });
  const found = (await secondOfficer.send('POST', `/privacy-requests/${toApprove}/search`, {})) as unknown as Found;
  await secondOfficer.send('POST', `/privacy-requests/${toApprove}/items`, {
    decisions: [...found.recordings, ...found.tickets].map(({ itemId }) => ({ itemId, decision: 'grant' })),
  });

  // By the public form, just now: nobody has looked at it yet.
  await anyone.send('POST', '/privacy-portal', {
    requesterKind: 'person', rights: ['rectification'], locale: 'nl',
    name: 'Priya Nair', email: 'finance@orchardlabs.example', phone: '085 000 0172',
    details: 'Uw administratie gebruikt nog ons oude e-mailadres voor facturen.',
  });
}
