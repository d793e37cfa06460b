import { dayOf } from './moment.js';
import { sample, type Stage } from './stage.js';

/** What a trainer and an agent do with the sample calls. */

const scorecard = {
  name: 'Supportgesprek',
  sections: [
    {
      id: 'opening', title: 'Opening', weight: 1,
      questions: [
        { id: 'begroeting', text: 'Noemt de medewerker zijn of haar naam?', kind: 'yes_no', weight: 1, notApplicable: false },
        { id: 'herkend', text: 'Is gecontroleerd wie er belt?', kind: 'yes_no', weight: 2 },
      ],
    },
    {
      id: 'oplossing', title: 'Oplossing', weight: 3,
      questions: [
        { id: 'vragen', text: 'Vraagt door tot het probleem helder is', kind: 'scale', max: 5, weight: 2 },
        { id: 'stilte', text: 'Legt uit wat er gebeurt terwijl de klant wacht', kind: 'scale', max: 5, weight: 1 },
        { id: 'afspraak', text: 'Is duidelijk afgesproken wat er nu gebeurt?', kind: 'yes_no', weight: 2 },
      ],
    },
    {
      id: 'toon', title: 'Toon', weight: 2,
      questions: [{ id: 'begrip', text: 'Toont begrip en blijft rustig', kind: 'scale', max: 5, weight: 1 }],
    },
  ],
};

/** Comments on moments and on a stretch, one call shared with its agent, a collection. */
export async function coach({ trainer, sanne, sanneId, call }: Stage): Promise<void> {
  const router = await call('router-offline.wav');
  const comment = async (recordingId: string, told: object) => await trainer.make('POST', `/recordings/${recordingId}/comments`, told);
  await comment(router, { startMs: 13_700, kind: 'praise', visibility: 'shared', text: 'Eerst begrip, dan pas de vraag. Precies goed.' });
  const silence = await comment(router, {
    startMs: 23_000, endMs: 30_400, kind: 'improvement', visibility: 'shared',
    text: 'Hier hoort de klant zeven tellen niets. Vertel wat je ziet terwijl de meting loopt.',
  });
  await comment(router, { startMs: 52_000, kind: 'note', visibility: 'private', text: 'Gebruiken bij de training van nieuwe collega’s; eerst Sanne vragen.' });
  await trainer.send('PUT', `/recordings/${router}/shares/${sanneId}`, { note: 'Een mooi gesprek. Luister vooral naar de stilte bij de meting.' });
  await sanne.send('POST', `/comments/${silence}/replies`, { text: 'Klopt, ik zat naar het scherm te kijken. Volgende keer praat ik de meting door.' });

  const complaint = await call('complaint-engineer.WAV');
  await comment(complaint, {
    startMs: 24_900, endMs: 31_200, kind: 'praise', visibility: 'shared', text: '“Dat is onze fout”: zonder omweg. Hierna wordt de beller rustiger.',
  });

  const agreed = await call('contract-agreed.opus');
  const collection = await trainer.make('POST', '/collections', {
    name: 'Goede voorbeelden', description: 'Voor de training van nieuwe collega’s op de eerste dinsdag van de maand.',
  });
  const items = [
    { recordingId: router, note: 'Rustige diagnose, van begin tot eind.' },
    { recordingId: agreed, startMs: 26_900, endMs: 41_200, note: 'De afspraak in de woorden van de klant laten herhalen.' },
    { recordingId: complaint, startMs: 24_900, endMs: 42_900, note: 'Een fout toegeven en meteen herstellen.' },
  ];
  for (const item of items) await trainer.send('POST', `/collections/${collection}/items`, item);
}

/** The works council's consent on record, a scorecard, an evaluation to be answered and one begun, a random sample. */
export async function evaluate({ admin, trainer, sanneId, call }: Stage): Promise<void> {
  await admin.send('PUT', '/further-uses/evaluation', {
    explanation: 'Gesprekken worden beoordeeld om van te leren, niet voor beloning of functioneringsgesprek. Medewerkers lezen en beantwoorden hun beoordeling.',
    consent: { date: dayOf(60), reference: 'OR 2026-17, instemming op grond van art. 27 lid 1 onder k en l WOR' },
  });
  const scorecardId = await trainer.make('POST', '/scorecards', scorecard);

  const begin = async (file: string, told: object) => {
    const recordingId = await call(file);
    const { id, draft } = await trainer.send('POST', `/recordings/${recordingId}/evaluations`, { scorecardId });
    const begun = (draft as { revision: number }).revision;
    const saved = await trainer.send('PUT', `/evaluations/${String(id)}/draft`, { revision: begun, ...told });
    return { id: String(id), revision: (saved['draft'] as { revision: number }).revision };
  };
  const done = await begin('router-offline.wav', {
    answers: [
      { questionId: 'begroeting', value: true, atMs: 400 },
      { questionId: 'herkend', value: 'not_applicable', note: 'Er is niets over het account gedeeld.' },
      { questionId: 'vragen', value: 5, atMs: 13_700 },
      { questionId: 'stilte', value: 3, atMs: 23_000, note: 'Bij de meting bleef het stil.' },
      { questionId: 'afspraak', value: true, atMs: 45_600 },
      { questionId: 'begrip', value: 4 },
    ],
    notes: [{ atMs: 45_600, text: 'Belt zelf terug: dat blijft de klant bij.' }],
    summary: 'Een rustig en volledig gesprek. Let op de stilte als je iets opzoekt.',
  });
  await trainer.send('POST', `/evaluations/${done.id}/submit`, { revision: done.revision, share: true });
  await begin('complaint-engineer.WAV', {
    answers: [
      { questionId: 'begroeting', value: true, atMs: 400 },
      { questionId: 'begrip', value: 5, atMs: 11_800 },
    ],
    summary: null,
  });
  await trainer.send('POST', '/samples', { agentId: sanneId, from: dayOf(89), to: dayOf(0), size: 2 });
}

/** What is said in some of the calls, typed out. */
export async function transcribe({ trainer, call }: Stage): Promise<void> {
  for (const file of ['router-offline.wav', 'contract-agreed.opus', 'complaint-engineer.WAV']) {
    const { transcript, durationMs, language } = sample(file);
    const segments = transcript.map(({ atMs, who, text }, index) => ({
      startMs: atMs, endMs: (transcript[index + 1]?.atMs ?? durationMs) - 1, speaker: who, text,
    }));
    await trainer.send('PUT', `/recordings/${await call(file)}/transcript`, { revision: 0, language, segments });
  }
}

/** An agreement that was made by telephone, marked where it is said. */
export async function markAgreement({ trainer, call }: Stage): Promise<void> {
  const file = 'contract-agreed.opus';
  await trainer.send('POST', `/recordings/${await call(file)}/agreements`, {
    startMs: 15_700, endMs: 41_200,
    summary: 'Zakelijk glasvezel 500 Mbit/s, 24 maanden, € 39,50 per maand exclusief btw, geen aansluitkosten',
    parties: [{ name: 'Zoë van der Berg', role: 'klant' }, { name: 'Meryem', role: 'medewerker' }],
    ticket: sample(file).ticket,
  });
}
