import { agents } from './calls.js';

/** A sample ticket, as a helpdesk would push it. Everybody and everything in it is invented. */
export interface SampleTicket {
  number: string;
  subject: string;
  category: 'support' | 'contact_form';
  requester: { name: string; email: string; phone?: string; organisation?: string; relation?: 'contracting_party' | 'contact_person' };
  status: string;
  /** How many days before today it was opened, and at what time. */
  daysAgo: number;
  timeOfDay: string;
  messages: { minutesLater: number; from: 'customer' | 'agent'; internal: boolean; body: string }[];
}

export const sampleTickets: readonly SampleTicket[] = [
  {
    number: '2026-1041',
    subject: 'Geen internet, router knippert rood',
    category: 'support',
    requester: { name: 'Peter Hoekstra', email: 'peter@garagehoekstra.example', phone: '085 000 0121', organisation: 'Garage Hoekstra', relation: 'contact_person' },
    status: 'open',
    daysAgo: 1,
    timeOfDay: '09:15',
    messages: [
      { minutesLater: 0, from: 'agent', internal: true, body: `Lijn viel om 04:10 weg, na herstart van de router weer online. ${agents['201']} belt vanmiddag of het stabiel blijft.` },
      { minutesLater: 312, from: 'customer', internal: false, body: 'Alles doet het nog steeds, de kassa ook. Dank voor de snelle hulp!' },
    ],
  },
  {
    number: '2026-1029',
    subject: 'Nummerbehoud: tien doorkiesnummers vergeten',
    category: 'support',
    requester: { name: 'Karin de Wit', email: 'karin@dekorenaar.example', phone: '+31 85 000 0110', organisation: 'Bakkerij De Korenaar', relation: 'contact_person' },
    status: 'pending',
    daysAgo: 3,
    timeOfDay: '14:12',
    messages: [
      { minutesLater: 0, from: 'agent', internal: false, body: 'De tien doorkiesnummers staan nu op de aanvraag. Donderdag tussen 8 en 10 uur gaan alle nummers mee; reken op een kwartier onbereikbaarheid.' },
      { minutesLater: 45, from: 'customer', internal: false, body: 'Bevestigd, dank je wel Daan.' },
    ],
  },
  {
    number: '2026-0987',
    subject: 'Akkoord op offerte glasvezel',
    category: 'support',
    requester: { name: 'Zoë van der Berg', email: 'zoe@studiovanderberg.example', phone: '06-00000134', organisation: 'Studio Van der Berg', relation: 'contracting_party' },
    status: 'closed',
    daysAgo: 9,
    timeOfDay: '16:40',
    messages: [
      { minutesLater: 0, from: 'customer', internal: false, body: 'Kunnen jullie mij terugbellen over de offerte? Ik heb nog een vraag over de looptijd.' },
      { minutesLater: 1140, from: 'agent', internal: false, body: 'Zoals telefonisch besproken: zakelijk glasvezel 500 Mbit/s, 24 maanden, € 39,50 per maand exclusief btw, geen aansluitkosten.' },
    ],
  },
  {
    number: '2026-1036',
    subject: 'Klant niet te horen op twee toestellen',
    category: 'support',
    requester: { name: 'Bas Mulder', email: 'bas@dekorenaar.example', phone: '+31 85 000 0110', organisation: 'Bakkerij De Korenaar', relation: 'contact_person' },
    status: 'closed',
    daysAgo: 2,
    timeOfDay: '10:40',
    messages: [
      { minutesLater: 0, from: 'agent', internal: true, body: 'SIP ALG stond aan op de firewall van het winkelnetwerk; uitgezet, daarna spraak in beide richtingen.' },
      { minutesLater: 20, from: 'agent', internal: false, body: 'De twee toestellen in de winkel werken weer. Komt het terug, noem dan dit ticketnummer.' },
    ],
  },
  {
    number: '2026-1012',
    subject: 'Verzoek om verwijdering van gegevens (AVG)',
    category: 'support',
    requester: { name: 'Fatima El Amrani', email: 'f.elamrani@example.org', phone: '06-00000158', organisation: 'Drukkerij Van Dijk', relation: 'contact_person' },
    status: 'open',
    daysAgo: 5,
    timeOfDay: '16:24',
    messages: [{ minutesLater: 0, from: 'agent', internal: true, body: 'Wil eerst een kopie van de opnames en daarna verwijdering. Doorgegeven aan de privacyfunctionaris.' }],
  },
  {
    number: '2026-0954',
    subject: 'Klacht: monteur niet gekomen',
    category: 'support',
    requester: { name: 'Jan de Vries', email: 'jan@devriesadvies.example', phone: '06-00000147', organisation: 'De Vries Advies', relation: 'contracting_party' },
    status: 'pending',
    daysAgo: 12,
    timeOfDay: '12:55',
    messages: [
      { minutesLater: 0, from: 'agent', internal: false, body: 'Nogmaals onze excuses. De monteur komt morgen om 8 uur, en u krijgt een maand abonnement terug.' },
      { minutesLater: 2900, from: 'customer', internal: false, body: 'De monteur is geweest. Mijn gemiste omzet is daarmee niet vergoed; mijn rechtsbijstand neemt contact op.' },
    ],
  },
  {
    number: '2026-0871',
    subject: 'Cancel the line, keep the number',
    category: 'support',
    requester: { name: 'Bob Example', email: 'bob@example.org', phone: '085 000 0163', organisation: 'Example Consulting', relation: 'contracting_party' },
    status: 'closed',
    daysAgo: 24,
    timeOfDay: '16:02',
    messages: [{ minutesLater: 0, from: 'agent', internal: false, body: 'As agreed: your line ends on 30 April, and your number becomes a cloud number for 5 euros a month from May.' }],
  },
  {
    number: '2026-1050',
    subject: 'Bericht via het contactformulier',
    category: 'contact_form',
    requester: { name: 'H. Yilmaz', email: 'h.yilmaz@example.org' },
    status: 'new',
    daysAgo: 0,
    timeOfDay: '08:05',
    messages: [{ minutesLater: 0, from: 'customer', internal: false, body: 'Leveren jullie ook glasvezel op het bedrijventerrein in Nieuwegein?' }],
  },
];
