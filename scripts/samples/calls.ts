import { transcripts, type TranscriptLine } from './transcripts.js';

/** A sample call: what a PBX would tell of it, and what is said in it. Everybody and everything in it is invented. */
export interface SampleCall {
  /** The audio, in this folder. */
  file: string;
  /** By the extension; `format` is for audio without a header, of which there is none here. */
  format?: string;
  codec: 'mulaw' | 'pcm_s16le' | 'gsm_ms' | 'mp3' | 'opus';
  /** Two: the caller left, the agent right. */
  channels: 1 | 2;
  durationMs: number;
  direction: 'inbound';
  /** Absent when the number was withheld. */
  caller?: string;
  callerName?: string;
  callee: string;
  /** The agent's extension. */
  agent: string;
  queue: string;
  /** How many days before today the call came in, and at what time in the organisation's time zone. */
  daysAgo: number;
  timeOfDay: string;
  /** The number of the ticket it belongs to. */
  ticket?: string;
  /** Hold music, to be cut from the playback copy. */
  holds?: { startMs: number; endMs: number }[];
  language: 'nl' | 'en';
  subject: string;
  /** What a trainer or an officer may want to find here. */
  worth: string;
  transcript: readonly TranscriptLine[];
}

/** The support number that all of them called. */
export const supportNumber = '+31850000200';

/** The agents by extension. */
export const agents = { '201': 'Sanne', '202': 'Daan', '203': 'Meryem', '204': 'Joost' } as const;

/** The switchboard of a bakery: two people call from it, so a search by this number finds the calls of both. */
const bakerySwitchboard = '+31850000110';

function spoken(name: keyof typeof transcripts): Pick<SampleCall, 'durationMs' | 'transcript' | 'holds'> {
  const { durationMs, lines, holds } = transcripts[name];
  const copied = holds.map((hold) => ({ ...hold }));
  return { durationMs, transcript: lines, ...(copied.length === 0 ? {} : { holds: copied }) };
}

export const sampleCalls: readonly SampleCall[] = [
  {
    ...spoken('router-offline'),
    file: 'router-offline.wav',
    codec: 'mulaw',
    channels: 2,
    direction: 'inbound',
    caller: '+31850000121',
    callerName: 'Garage Hoekstra',
    callee: supportNumber,
    agent: '201',
    queue: 'support',
    daysAgo: 1,
    timeOfDay: '09:12',
    ticket: '2026-1041',
    language: 'nl',
    subject: 'Geen internet, router knippert rood',
    worth: 'A calm diagnosis, with two silences in which the caller waits for a measurement',
  },
  {
    ...spoken('number-porting'),
    file: 'number-porting.mp3',
    codec: 'mp3',
    channels: 2,
    direction: 'inbound',
    caller: bakerySwitchboard,
    callerName: 'Karin de Wit',
    callee: supportNumber,
    agent: '202',
    queue: 'telefonie',
    daysAgo: 3,
    timeOfDay: '14:05',
    ticket: '2026-1029',
    language: 'nl',
    subject: 'Nummerbehoud: tien doorkiesnummers vergeten',
    worth: 'The agent finds what the form forgot; a date and a quarter of an hour are agreed',
  },
  {
    ...spoken('contract-agreed'),
    file: 'contract-agreed.opus',
    codec: 'opus',
    channels: 2,
    direction: 'inbound',
    caller: '+31600000134',
    callerName: 'Zoë van der Berg',
    callee: supportNumber,
    agent: '203',
    queue: 'verkoop',
    daysAgo: 8,
    timeOfDay: '11:30',
    ticket: '2026-0987',
    language: 'nl',
    subject: 'Akkoord op offerte glasvezel',
    worth: 'An agreement to be marked: 24 months at 39.50 euros a month, no connection costs',
  },
  {
    ...spoken('complaint-engineer'),
    file: 'complaint-engineer.WAV',
    codec: 'gsm_ms',
    channels: 1,
    direction: 'inbound',
    caller: '+31600000147',
    callerName: 'Jan de Vries',
    callee: supportNumber,
    agent: '204',
    queue: 'support',
    daysAgo: 12,
    timeOfDay: '12:48',
    ticket: '2026-0954',
    language: 'nl',
    subject: 'Klacht: monteur niet gekomen',
    worth: 'An angry caller, an admitted mistake, and a compensation that was promised',
  },
  {
    ...spoken('erasure-request'),
    file: 'erasure-request.mp3',
    codec: 'mp3',
    channels: 1,
    direction: 'inbound',
    caller: '+31600000158',
    callerName: 'Fatima El Amrani',
    callee: supportNumber,
    agent: '201',
    queue: 'support',
    daysAgo: 5,
    timeOfDay: '16:20',
    ticket: '2026-1012',
    language: 'nl',
    subject: 'Verzoek om verwijdering van gegevens (AVG)',
    worth: 'A request for access and erasure made by telephone: this moment is its receipt',
  },
  {
    ...spoken('one-way-audio'),
    file: 'one-way-audio.opus',
    codec: 'opus',
    channels: 2,
    direction: 'inbound',
    caller: bakerySwitchboard,
    callerName: 'Bas Mulder',
    callee: supportNumber,
    agent: '202',
    queue: 'telefonie',
    daysAgo: 2,
    timeOfDay: '10:37',
    ticket: '2026-1036',
    language: 'nl',
    subject: 'Klant niet te horen op twee toestellen',
    worth: 'Hold music in the middle; another caller on the same switchboard number',
  },
  {
    ...spoken('cancel-line'),
    file: 'cancel-line.wav',
    codec: 'mulaw',
    channels: 1,
    direction: 'inbound',
    caller: '+31850000163',
    callerName: 'Bob Example',
    callee: supportNumber,
    agent: '203',
    queue: 'verkoop',
    daysAgo: 24,
    timeOfDay: '15:55',
    ticket: '2026-0871',
    language: 'en',
    subject: 'Cancel the line, keep the number',
    worth: 'Two agreements in English: an end date, and five euros a month for the number',
  },
  {
    ...spoken('wrong-invoice'),
    file: 'wrong-invoice.opus',
    codec: 'opus',
    channels: 1,
    direction: 'inbound',
    caller: '+31850000172',
    callerName: 'Priya Nair',
    callee: supportNumber,
    agent: '204',
    queue: 'administratie',
    daysAgo: 40,
    timeOfDay: '09:41',
    ticket: '2026-0790',
    language: 'en',
    subject: 'Invoice for six lines instead of four',
    worth: 'An error admitted and put right; an address changed by telephone without a check',
  },
  {
    ...spoken('password-refused'),
    file: 'password-refused.wav',
    codec: 'pcm_s16le',
    channels: 1,
    direction: 'inbound',
    callee: supportNumber,
    agent: '204',
    queue: 'support',
    daysAgo: 6,
    timeOfDay: '17:03',
    language: 'nl',
    subject: 'Wachtwoord geweigerd aan onbekende beller',
    worth: 'A withheld number and a caller who will not be called back: how to refuse',
  },
  {
    ...spoken('mailbox-restored'),
    file: 'mailbox-restored.mp3',
    codec: 'mp3',
    channels: 1,
    direction: 'inbound',
    caller: '+31850000185',
    callerName: 'Ahmet Yılmaz',
    callee: supportNumber,
    agent: '201',
    queue: 'support',
    daysAgo: 87,
    timeOfDay: '08:58',
    ticket: '2026-0412',
    language: 'nl',
    subject: 'Map met offertes teruggezet',
    worth: 'A grateful caller; the recording has only days left',
  },
];
